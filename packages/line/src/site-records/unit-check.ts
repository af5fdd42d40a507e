// SPDX-License-Identifier: Apache-2.0
/**
 * Finished units looked at again (spec/unit-check.md). A flagged check takes the unit, and the one whose label it bears,
 * out of what may be shipped; a consistent one that a supervisor signs along lifts that.
 */
import { unitCheck, type UnitCheck } from '@witnessmark/attestation';
import type { ViewChange } from '@witnessmark/store';
import { defineSiteRecord, type SiteRecord, type SiteRecordRule } from './rule.ts';

export const CHECK_KIND = 'unit-check';

export const unitCheckRule = defineSiteRecord({
  definition: unitCheck,
  kind: CHECK_KIND,
  signatures: ({ authority }) => (authority === null ? 1 : 2),
  describe: ({ id, result, labelUnit, station, operator, checkedAt }) => ({
    id,
    state: result,
    relatedId: labelUnit?.deviceId ?? null,
    station: station.id,
    line: station.line,
    actor: operator.id,
    at: checkedAt,
  }),
  transitions: toUnitChanges,
});

export const UNIT_CHECK_RULES: readonly SiteRecordRule<unknown>[] = [unitCheckRule];

function toUnitChanges({ predicate, subject }: SiteRecord<UnitCheck>, index: number): readonly ViewChange[] {
  const { record, labelUnit, result, clears } = predicate;
  const own = record === null ? [] : [{ deviceId: subject, record }];
  const units = labelUnit === null ? own : [...own, labelUnit];
  const lifts = clears !== null;
  if (result === 'consistent' && !lifts) return [];
  return units.map(({ deviceId, record: { seq, digest } }) => ({
    op: 'update',
    table: 'unit',
    key: { device_id: deviceId },
    expect: {
      head_seq: seq,
      head_digest: digest.sha256,
      open_transaction: null,
      ...(lifts ? { state: 'quarantined' } : {}),
    },
    set: { state: lifts ? 'passed' : 'quarantined', last_index: index },
  }));
}

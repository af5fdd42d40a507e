// SPDX-License-Identifier: Apache-2.0
/** Golden and known-bad units, and what checks with them found (spec/golden-check.md). */
import { goldenCheck, goldenUnit } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const GOLDEN_UNIT_KIND = 'golden-unit';
export const GOLDEN_CHECK_KIND = 'golden-check';

export const goldenUnitRule = defineSiteRecord({
  definition: goldenUnit,
  kind: GOLDEN_UNIT_KIND,
  /** By the label a unit is found as well as by its device, which is the subject. */
  describe: ({ id, action, kind, labelSerial, site, person, registeredAt }) => ({
    id,
    state: action === 'register' ? kind : 'retired',
    relatedId: labelSerial,
    station: null,
    line: site.line,
    actor: person.id,
    at: registeredAt,
  }),
  transitions: ({ predicate: { action, registrationId, kind } }) =>
    action === 'register' || registrationId === null
      ? []
      : [
          {
            op: 'update',
            table: 'site_record',
            key: { record_id: registrationId },
            expect: { kind: GOLDEN_UNIT_KIND, state: kind },
            set: { state: 'retired' },
          },
        ],
});

export const goldenCheckRule = defineSiteRecord({
  definition: goldenCheck,
  kind: GOLDEN_CHECK_KIND,
  describe: ({ id, result, registrationId, station, checkedAt }) => ({
    id,
    state: result,
    relatedId: registrationId,
    station: station.id,
    line: station.line,
    actor: station.id,
    at: checkedAt,
  }),
});

export const GOLDEN_RULES: readonly SiteRecordRule<unknown>[] = [goldenUnitRule, goldenCheckRule];

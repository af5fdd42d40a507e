// SPDX-License-Identifier: Apache-2.0
/**
 * Labels (spec/label-event.md). A label is the row of the event that made it: `printed`, then `scanned`, and in the end
 * `replaced` or `voided`; a constraint of the views keeps a device from having two that count.
 */
import { labelEvent, type LabelEvent } from '@witnessmark/attestation';
import type { ViewChange } from '@witnessmark/store';
import { defineSiteRecord, type SiteRecord, type SiteRecordRule } from './rule.ts';

export const LABEL_KIND = 'label-event';

const MAKES_LABEL: ReadonlySet<LabelEvent['action']> = new Set(['printed', 'reprinted']);
/** What becomes of the label an event is about, or takes the place of. */
const STATE_AFTER = { scanned: 'scanned', reprinted: 'replaced', voided: 'voided' } as const;

export const labelEventRule = defineSiteRecord({
  definition: labelEvent,
  kind: LABEL_KIND,
  signatures: ({ authority }) => (authority === null ? 1 : 2),
  describe: ({ id, action, labelId, replaces, station, operator, madeAt }) => ({
    id,
    state: MAKES_LABEL.has(action) ? 'printed' : 'done',
    relatedId: replaces ?? (MAKES_LABEL.has(action) ? null : labelId),
    station: station.id,
    line: station.line,
    actor: operator.id,
    at: madeAt,
  }),
  transitions: (record, index) => [...changeLabel(record), ...requireRecord(record, index)],
});

export const LABEL_EVENT_RULES: readonly SiteRecordRule<unknown>[] = [labelEventRule];

function changeLabel({ predicate, subject }: SiteRecord<LabelEvent>): readonly ViewChange[] {
  const { action, labelId, replaces, labelWas } = predicate;
  if (action === 'printed' || labelWas === null) return [];
  return [
    {
      op: 'update',
      table: 'site_record',
      key: { record_id: replaces ?? labelId },
      expect: { kind: LABEL_KIND, subject_digest: subject, state: labelWas },
      set: { state: STATE_AFTER[action] },
    },
  ];
}

/** A label belongs to the newest record of a unit that passed; voiding one asks only that the record is the newest. */
function requireRecord({ predicate, subject }: SiteRecord<LabelEvent>, index: number): readonly ViewChange[] {
  const { action, record } = predicate;
  const newest = { head_seq: record.seq, head_digest: record.digest.sha256 };
  return [
    {
      op: 'update',
      table: 'unit',
      key: { device_id: subject },
      expect: action === 'voided' ? newest : { ...newest, state: 'passed' },
      set: { last_index: index },
    },
  ];
}

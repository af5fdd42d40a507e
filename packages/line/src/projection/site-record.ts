// SPDX-License-Identifier: Apache-2.0
/** Statements that are no link of a unit's chain, as the rule of their kind describes them. */
import type { ViewChange } from '@witnessmark/store';
import type { ReadSiteRecord } from '../statements.ts';

export function projectSiteRecord(index: number, record: ReadSiteRecord): readonly ViewChange[] {
  const { rule, digest, subject, predicate } = record;
  const { id, state, relatedId, station, line, actor, at } = rule.describe(predicate);
  const insert: ViewChange = {
    op: 'insert',
    table: 'site_record',
    row: {
      record_id: id,
      kind: rule.kind,
      subject_digest: subject,
      state,
      related_id: relatedId,
      station,
      line,
      actor,
      at,
      log_index: index,
      payload_digest: digest,
    },
  };
  // First what it ends: a constraint may allow only one of its kind.
  return [...(rule.transitions?.(record, index) ?? []), insert];
}

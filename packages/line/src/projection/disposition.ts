// SPDX-License-Identifier: Apache-2.0
/** Decisions: they close the stop they are about, or lift a unit out of its hold, or take it out for good. */
import type { UnitState, ViewChange } from '@witnessmark/store';
import { findDispositionRule, takesUnitOut, toWaitingState, type DispositionAction } from '../dispositions.ts';
import type { ReadDisposition } from '../statements.ts';

const STATE_AFTER_DECISION = {
  allowRetry: 'open',
  quarantineUnit: 'quarantined',
  scrapUnit: 'scrapped',
} as const satisfies Partial<Record<DispositionAction, UnitState>>;

export function projectDisposition(index: number, { predicate, digest }: ReadDisposition): readonly ViewChange[] {
  const { id, refusalId, refusalDigest, code, action, deviceId, station, decidedBy, decidedAt } = predicate;
  const decision: ViewChange = {
    op: 'insert',
    table: 'disposition',
    row: {
      disposition_id: id,
      refusal_id: refusalId,
      action,
      code,
      device_id: deviceId,
      station: station.id,
      line: station.line,
      decided_by: decidedBy.id,
      at: decidedAt,
      log_index: index,
      payload_digest: digest,
    },
  };
  if (findDispositionRule(code)?.about === 'stop') {
    const closing: ViewChange = {
      op: 'update',
      table: 'refusal',
      key: { refusal_id: refusalId },
      expect: { state: 'open', payload_digest: refusalDigest.sha256 },
      set: { state: 'closed', disposition_id: id },
    };
    if (!takesUnitOut(action) || deviceId === null) return [decision, closing];
    const ending: ViewChange = {
      op: 'update',
      table: 'unit',
      key: { device_id: deviceId },
      expect: { open_transaction: null },
      set: { state: STATE_AFTER_DECISION[action], last_index: index },
      // A device that was stopped before it was ever begun is no unit yet.
      ifPresent: true,
    };
    return [decision, closing, ending];
  }
  if (!(action in STATE_AFTER_DECISION) || deviceId === null) return [decision];
  const state = STATE_AFTER_DECISION[action as keyof typeof STATE_AFTER_DECISION];
  const lifting: ViewChange = {
    op: 'update',
    table: 'unit',
    key: { device_id: deviceId },
    expect: { state: toWaitingState(code), head_digest: refusalDigest.sha256 },
    set: { state, last_index: index },
  };
  return [decision, lifting];
}

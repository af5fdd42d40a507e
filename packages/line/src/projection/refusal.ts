// SPDX-License-Identifier: Apache-2.0
/** Refusals; some of them hold their station, and some account for a place in a spool. */
import type { ViewChange } from '@witnessmark/store';
import { opensStop } from '../dispositions.ts';
import { projectOfflineRefusal } from '../offline/spool-projection.ts';
import type { ReadRefusal } from '../statements.ts';

export function projectRefusal(index: number, { predicate, digest }: ReadRefusal): readonly ViewChange[] {
  const row = {
    refusal_id: predicate.id,
    code: predicate.code,
    kind: predicate.kind,
    device_id: predicate.deviceId,
    label_serial: predicate.labelSerial,
    station: predicate.station.id,
    line: predicate.station.line,
    log_index: index,
    payload_digest: digest,
    at: predicate.refusedAt,
    state: opensStop(predicate) ? 'open' : 'closed',
    disposition_id: null,
    slot: predicate.station.slot ?? null,
  } as const;
  return [{ op: 'insert', table: 'refusal', row }, ...projectOfflineRefusal(index, predicate, digest)];
}

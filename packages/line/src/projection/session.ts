// SPDX-License-Identifier: Apache-2.0
/** Sessions, and work in them. */
import { formatInstant, parseInstant } from '@witnessmark/core';
import type { ViewChange } from '@witnessmark/store';
import type { ReadSession } from '../statements.ts';

export function projectSession(index: number, { predicate, digest }: ReadSession): readonly ViewChange[] {
  const { session, operator, credential, station } = predicate;
  const row = {
    session_id: session.id,
    operator: operator.id,
    role: operator.role,
    credential: credential.kind,
    credential_key_digest: operator.credentialKeyDigest.sha256,
    station: station.id,
    line: station.line,
    opened_at: session.openedAt,
    expires_at: session.expiresAt,
    idle_minutes: session.idleMinutes,
    batch_units: session.batchUnits,
    units: 0,
    last_used_at: normalise(session.openedAt),
    state: 'open',
    payload_digest: digest,
    log_index: index,
  } as const;
  return [{ op: 'insert', table: 'operator_session', row }];
}

/** Work in a session: begun by an intent, ended by an event, which may be after the session itself. */
export function projectUse(digest: string, at: string, begun?: { readonly whileOpen: boolean }): ViewChange {
  const use = { op: 'use', table: 'operator_session', digest, at: normalise(at) } as const;
  if (begun === undefined) return { ...use, units: 0 };
  return { ...use, units: 1, ...(begun.whileOpen && { whileOpen: true }) };
}

/** So that times compare as texts. */
function normalise(at: string): string {
  return formatInstant(parseInstant(at));
}

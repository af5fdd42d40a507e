// SPDX-License-Identifier: Apache-2.0
/**
 * Sessions as the views have them (spec/operator-session.md): when one is over before its time, and which of two may stand.
 * Pure. What is over by the clock or by its count becomes so on record when somebody signs in after it.
 */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { SessionEnd } from '@witnessmark/attestation';
import type { OperatorSessionRow } from '@witnessmark/store';
import { LineRefusal } from './error.ts';
import type { LineRules } from './rules.ts';
import type { ReadSession } from './statements.ts';

const MINUTE_MS = 60_000;

export type SessionEnding = SessionEnd['reason'];

interface SessionMoment {
  readonly now: Instant;
  readonly rules: Pick<LineRules, 'signIn'>;
}

/** Why nobody may work in an open session any more; null when somebody may. */
function findLapse(row: OperatorSessionRow, { now, rules }: SessionMoment): SessionEnding | null {
  if (now >= parseInstant(row.expires_at)) return 'shiftEnd';
  if (now - parseInstant(row.last_used_at) > idleLimitMs(row, rules)) return 'idle';
  return row.units >= batchLimit(row, rules) ? 'batch' : null;
}

/** The session's own limits, or the line's where they have become stricter since. */
export function idleLimitMs(row: OperatorSessionRow, { signIn }: Pick<LineRules, 'signIn'>): number {
  return Math.min(row.idle_minutes, signIn.idleMinutes) * MINUTE_MS;
}

export function batchLimit(row: OperatorSessionRow, { signIn }: Pick<LineRules, 'signIn'>): number {
  return Math.min(row.batch_units, signIn.batchUnits);
}

/**
 * With which reason an open session makes way for one that begins: it is over anyway, its person comes back to it, or its
 * person ends it from elsewhere. Throws LS-513 for two people at a station, LS-514 for one person at two.
 */
export function judgeRival(row: OperatorSessionRow, { predicate }: ReadSession, moment: SessionMoment): SessionEnding {
  const lapse = findLapse(row, moment);
  if (lapse !== null) return lapse;
  const { session, operator, station } = predicate;
  if (row.operator !== operator.id) {
    throw new LineRefusal('LS-513', `nobody at ${row.station}`, `${row.operator} since ${row.opened_at}`);
  }
  if (row.station === station.id || row.payload_digest === session.supersedes?.sha256) return 'superseded';
  throw new LineRefusal(
    'LS-514',
    `${row.operator} at ${station.id} alone`,
    `a session of theirs at ${row.station} since ${row.opened_at}, last used at ${row.last_used_at}`,
  );
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Prepares what begins with a sign-in: a challenge before, and way for the session. Sessions that are over are ended on
 * record, by the line, before another one takes their place. Each end is an entry of its own; should the line fail between
 * an end and what it made way for, somebody is signed out.
 */
import { formatInstant, type Instant } from '@witnessmark/core';
import { buildStatement, sessionEnd, type BadgeEvent, type SessionEnd } from '@witnessmark/attestation';
import type { SessionChallenge } from '@witnessmark/api';
import { ConflictError, type OperatorSessionRow } from '@witnessmark/store';
import { ensure } from './error.ts';
import type { LineContext } from './line-context.ts';
import { logOwnStatement } from './own-statements.ts';
import { judgeRival, type SessionEnding } from './sessions.ts';
import { badgeRule } from './site-records/badge-event.ts';
import type { LoggableStatement, ReadSession } from './statements.ts';

type DeskContext = Pick<LineContext, 'rules' | 'views' | 'records' | 'signer' | 'newId' | 'counters' | 'badges'>;

const MINUTE_MS = 60_000;

/** What a station of this line needs to have somebody sign in. Throws LS-502 for strangers. */
export function drawChallenge(
  station: string,
  { clock, rules, keys, challenges }: Pick<LineContext, 'clock' | 'rules' | 'keys' | 'challenges'>,
): SessionChallenge {
  const now = clock.now();
  ensure(keys().isStation(station, now), 'LS-502', `an enrolled station of ${rules.line}`, station);
  const { idleMinutes, batchUnits, credentials } = rules.signIn;
  const terms = { idleMinutes, batchUnits, maxMinutes: Math.floor(rules.maxSessionMs / MINUTE_MS), credentials };
  return { ...challenges.draw(station, now), terms };
}

/** Does what must be done before a statement that was found good is logged. Throws LS-513 or LS-514. */
export async function makeWay(statement: LoggableStatement, now: Instant, context: DeskContext): Promise<void> {
  if (statement.kind === 'session') await makeWayForSession(statement, now, context);
  else if (statement.kind === 'siteRecord' && statement.rule === badgeRule) {
    await makeWayForBadge(statement.predicate as BadgeEvent, now, context);
  }
}

/** Ends an open session on record; one that has ended meanwhile stays as it is. */
async function endSession(
  row: OperatorSessionRow,
  reason: SessionEnding,
  now: Instant,
  context: DeskContext,
): Promise<void> {
  const predicate: SessionEnd = {
    id: context.newId(),
    sessionId: row.session_id,
    sessionDigest: { sha256: row.payload_digest },
    operator: { id: row.operator },
    station: { id: row.station, line: context.rules.line },
    reason,
    endedAt: formatInstant(now),
  };
  const payload = buildStatement(sessionEnd, { name: 'session', digest: predicate.sessionDigest }, predicate);
  try {
    await logOwnStatement(payload, context);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

async function makeWayForSession(statement: ReadSession, now: Instant, context: DeskContext): Promise<void> {
  const { views, rules } = context;
  const { session, operator, station } = statement.predicate;
  // A retry of a session that was logged changes nothing: what came after it stands.
  if ((await views.session(session.id)) !== undefined) return;
  const rivals = [await views.openSessionAt(station.id), await views.openSessionOf(operator.id)];
  const different = new Map(rivals.flatMap((row) => (row === undefined ? [] : [[row.session_id, row]])));
  // All are judged before any is ended.
  const endings = [...different.values()].map((row) => ({ row, reason: judgeRival(row, statement, { now, rules }) }));
  for (const { row, reason } of endings) await endSession(row, reason, now, context);
}

/** Who loses a badge is signed out; an unlocked badge has all its tries again. */
async function makeWayForBadge(event: BadgeEvent, now: Instant, context: DeskContext): Promise<void> {
  if (event.action === 'unlock') await context.badges?.resetTries(event.badgeDigest.sha256);
  if (event.action !== 'revoke') return;
  const row = await context.views.openSessionOf(event.person);
  if (row?.credential === 'badge-pin') await endSession(row, 'revoked', now, context);
}

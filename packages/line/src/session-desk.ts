// SPDX-License-Identifier: Apache-2.0
/**
 * Makes way for what begins: sessions that are over are ended on record, by the line, before another one takes their place.
 * Each end is an entry of its own; should the line fail between an end and what it made way for, somebody is signed out.
 */
import { formatInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE, type Instant } from '@witnessmark/core';
import { buildStatement, sessionEnd, type BadgeEvent, type SessionEnd } from '@witnessmark/attestation';
import type { OpenSession } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import { ConflictError, type OperatorSessionRow } from '@witnessmark/store';
import type { LineContext } from './line-context.ts';
import { judgeRival, type SessionEnding } from './sessions.ts';
import { sessionEndRule } from './site-records/session-end.ts';
import { badgeRule } from './site-records/badge-event.ts';
import type { LoggableStatement, ReadSession } from './statements.ts';

type DeskContext = Pick<LineContext, 'rules' | 'views' | 'records' | 'signer' | 'newId' | 'counters' | 'badges'>;

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
  { rules, records, signer, newId, counters }: DeskContext,
): Promise<void> {
  const predicate: SessionEnd = {
    id: newId(),
    sessionId: row.session_id,
    sessionDigest: { sha256: row.payload_digest },
    operator: { id: row.operator },
    station: { id: row.station, line: rules.line },
    reason,
    endedAt: formatInstant(now),
  };
  const payload = buildStatement(sessionEnd, { name: 'session', digest: predicate.sessionDigest }, predicate);
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  try {
    await records.append(envelope, {
      kind: 'siteRecord',
      rule: sessionEndRule,
      id: predicate.id,
      digest: sha256Hex(payload),
      subject: row.payload_digest,
      predicate,
    });
    counters.entries.add({ kind: sessionEndRule.kind });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** Sessions that have not ended, oldest first. */
export function toOpenSession(row: OperatorSessionRow): OpenSession {
  return {
    id: row.session_id,
    digest: row.payload_digest,
    operator: row.operator,
    credential: row.credential,
    station: row.station,
    openedAt: row.opened_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    units: row.units,
  };
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

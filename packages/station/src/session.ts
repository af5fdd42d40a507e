// SPDX-License-Identifier: Apache-2.0
/** Who answers for this station: a session signed with the operator's own credential, or by the line for a badge it has checked. */
import {
  formatInstant,
  parseInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type PublicKey,
  type ReasonCode,
} from '@witnessmark/core';
import {
  badgeSignIn,
  buildStatement,
  operatorSession,
  parseStatement,
  sessionEnd,
  type BadgeSignIn,
  type OperatorSession,
} from '@witnessmark/attestation';
import { StationRefusal } from './error.ts';
import type { LineTrust } from './line-trust.ts';
import type { SignedInSession, StationIdentity } from './ports.ts';
import { SessionUse } from './session-use.ts';

const MINUTE_MS = 60_000;

interface VerifiedSession extends SignedInSession {
  /** The operator's, or the line's for a badge. */
  readonly author: PublicKey;
}

/** Verifies a session for this station and time. Throws LS-501, or LS-521 for somebody who proposes or approves releases. */
export function verifySession(
  envelope: Envelope,
  context: { readonly trust: LineTrust; readonly station: StationIdentity; readonly now: Instant },
): VerifiedSession {
  const { trust, station, now } = context;
  try {
    const claimed = readSession(envelope);
    const { signers } = verifyEnvelope(envelope, {
      keys: keysFor(claimed, trust, now),
      threshold: 1,
      payloadType: STATEMENT_PAYLOAD_TYPE,
    });
    const author = signers[0] as PublicKey;
    requireEqual('credential', author.keyid, claimed.operator.credentialKeyDigest.sha256);
    requireEqual('station', station.id, claimed.station.id);
    requireEqual('line', station.line, claimed.station.line);
    const { openedAt, expiresAt } = claimed.session;
    if (now >= parseInstant(expiresAt)) throw refused('a session that lasts', `one that ended at ${expiresAt}`);
    if (parseInstant(openedAt) > now) throw refused('a session that has begun', `one that begins at ${openedAt}`);
    requireOperatorAlone(claimed.operator.id, trust, now);
    return { statement: claimed, digest: sha256Hex(envelope.payload), use: new SessionUse(now), author };
  } catch (error) {
    if (error instanceof StationRefusal || !(error instanceof WitnessmarkError)) throw error;
    throw refused('a session signed by an enrolled operator', `${error.code}: ${error.message}`, error);
  }
}

/**
 * Throws LS-501 unless somebody is signed in whose session lasts, and LS-511 when nobody worked in it for too long. Enough
 * for what belongs to units that were begun; see {@link requireSessionForUnit}.
 */
export function requireSession(session: SignedInSession | null, now: Instant): SignedInSession {
  const expected = 'an operator signed in at this station';
  if (session === null) throw new StationRefusal('LS-501', { expected, observed: 'nobody' });
  const { operator, session: term } = session.statement;
  if (now >= parseInstant(term.expiresAt)) {
    const observed = `the session of ${operator.id}, which ended at ${term.expiresAt}`;
    throw new StationRefusal('LS-501', { expected, observed });
  }
  const { lastUsedAt } = session.use;
  if (now - lastUsedAt > term.idleMinutes * MINUTE_MS) {
    throw new StationRefusal('LS-511', {
      expected: `a pause of at most ${term.idleMinutes} minutes`,
      observed: `nothing done by ${operator.id} since ${formatInstant(lastUsedAt)}`,
    });
  }
  return session;
}

/** The same for another unit: throws LS-512 besides when the session has had its number. */
export function requireSessionForUnit(session: SignedInSession | null, now: Instant): SignedInSession {
  const open = requireSession(session, now);
  const { batchUnits } = open.statement.session;
  if (open.use.units < batchUnits) return open;
  throw new StationRefusal('LS-512', {
    expected: `at most ${batchUnits} units in a session`,
    observed: `${open.use.units} begun by ${open.statement.operator.id}`,
  });
}

/** Under which code another unit would be refused now for want of a session; null when it would not. */
export function findSessionLapse(session: SignedInSession | null, now: Instant): ReasonCode | null {
  try {
    requireSessionForUnit(session, now);
    return null;
  } catch (error) {
    if (error instanceof StationRefusal) return error.code;
    throw error;
  }
}

/** The statement that somebody is signed out here, to be signed by the station. */
export function formatSignOut({ statement, digest }: SignedInSession, id: string, endedAt: Instant): Bytes {
  const { session, operator, station } = statement;
  const sessionDigest = { sha256: digest };
  return buildStatement(
    sessionEnd,
    { name: 'session', digest: sessionDigest },
    {
      id,
      sessionId: session.id,
      sessionDigest,
      operator: { id: operator.id },
      station,
      reason: 'signedOut',
      endedAt: formatInstant(endedAt),
    },
  );
}

/** The request that a badge be checked, to be signed by the station. */
export function formatBadgeSignIn(request: BadgeSignIn, station: PublicKey): Bytes {
  return buildStatement(badgeSignIn, { name: 'station', digest: { sha256: station.keyid } }, request);
}

/** A badge is the line's to check; a person's own key is nobody else's. */
function keysFor({ credential, operator }: OperatorSession, trust: LineTrust, now: Instant): readonly PublicKey[] {
  return credential.kind === 'badge-pin' ? trust.evidenceKeys(now) : trust.operatorKeys(operator.id, now);
}

/** LS-521: nobody who proposes or approves releases makes units. */
function requireOperatorAlone(operatorId: string, { keys }: LineTrust, now: Instant): void {
  const other = keys.find(
    ({ owner, role, validFrom, validUntil }) =>
      owner === operatorId && (role === 'author' || role === 'approver') && validFrom <= now && now < validUntil,
  );
  if (other === undefined) return;
  throw new StationRefusal('LS-521', {
    expected: `${operatorId} as operator alone`,
    observed: `${operatorId} is ${other.role} too`,
  });
}

/** Only name and kind may be used before the signature verifies: they tell whose key to take. */
function readSession(envelope: Envelope): OperatorSession {
  return parseStatement(operatorSession, envelope.payload).predicate;
}

function requireEqual(what: string, expected: string, observed: string): void {
  if (expected !== observed) throw refused(`a session for ${what} ${expected}`, `one for ${observed}`);
}

function refused(expected: string, observed: string, cause?: unknown): StationRefusal {
  return new StationRefusal('LS-501', { expected, observed, cause });
}

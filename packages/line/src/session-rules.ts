// SPDX-License-Identifier: Apache-2.0
/** What must hold for a session to begin, and for work in it: a person, their own enrolled credential of a kind the line accepts, a station of this line, now. */
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import { isValidAt, type PermitRequest, type TrustedKey } from '@witnessmark/attestation';
import type { OperatorSessionRow } from '@witnessmark/store';
import type { Challenges } from './challenges.ts';
import type { StationFacts } from './claim.ts';
import { ensure, LineRefusal } from './error.ts';
import type { LineRules } from './rules.ts';
import { batchLimit, idleLimitMs } from './sessions.ts';
import type { ReadSession } from './statements.ts';

interface SessionContext {
  readonly now: Instant;
  readonly rules: LineRules;
  /** The key that signed. */
  readonly signer: TrustedKey;
  /** Whether a key of this line is enrolled for the station. */
  readonly isStationEnrolled: boolean;
  /** What the person may do besides, by keys that are valid now. */
  readonly otherRoles: readonly TrustedKey['role'][];
  /** Whose badge it is, while it may be used; null for a session without one. */
  readonly badgeHolder: string | null;
  readonly challenges: Challenges;
}

/** Throws LS-501, LS-502, LS-301, LS-516, LS-519 or LS-521. */
export function checkSessionOpening(statement: ReadSession, context: SessionContext): void {
  const { session, station } = statement.predicate;
  const { now, rules, challenges } = context;
  const { maxClockOffsetMs } = rules;
  const openedAt = parseInstant(session.openedAt);
  ensure(
    openedAt - now <= maxClockOffsetMs,
    'LS-301',
    `a session opened by ${formatInstant(now + maxClockOffsetMs)}`,
    session.openedAt,
  );
  checkCredential(statement, context);
  checkTerms(statement, context);
  ensure(
    station.line === rules.line && context.isStationEnrolled,
    'LS-502',
    `an enrolled station of ${rules.line}`,
    `${station.id} of ${station.line}`,
  );
  challenges.redeem(statement.predicate, statement.digest, { now, maxClockOffsetMs });
}

/** LS-501, LS-511, LS-512, LS-515, LS-519: a named person, signed in here and nowhere else, lately, with a credential that still counts. */
export function checkSession(
  operator: Pick<PermitRequest['operator'], 'id' | 'credentialKeyDigest' | 'credential'>,
  { now, station, rules, session: { row, key } }: Pick<StationFacts, 'now' | 'station' | 'rules' | 'session'>,
): void {
  if (row === null) throw new LineRefusal('LS-501', 'a session in the log', 'a session this line does not know');
  const holds = (condition: boolean, expected: string, observed: string): void => {
    ensure(condition, 'LS-501', expected, observed);
  };
  holds(row.station === station, `a session at ${station}`, `a session at ${row.station}`);
  holds(row.operator === operator.id, `the session of ${operator.id}`, `the session of ${row.operator}`);
  holds(
    row.credential_key_digest === operator.credentialKeyDigest.sha256 && row.credential === operator.credential,
    'the credential that opened the session',
    'another credential',
  );
  holds(now < parseInstant(row.expires_at), 'a session that runs', `one that ran out at ${row.expires_at}`);
  holds(
    key !== null && isValidAt(key, now) && isCredentialOf(key, row),
    `an enrolled credential of ${row.operator}`,
    'one that is not enrolled, ran out, or was revoked',
  );
  const { credentials } = rules.signIn;
  ensure(credentials.includes(row.credential), 'LS-519', credentials.join(' or '), row.credential);
  ensure(row.state === 'open', 'LS-515', 'a session that is open', 'one that has ended');
  const idleMs = idleLimitMs(row, rules);
  ensure(
    now - parseInstant(row.last_used_at) <= idleMs,
    'LS-511',
    `a pause of at most ${idleMs / 60_000} minutes`,
    `none of their work since ${row.last_used_at}`,
  );
  const units = batchLimit(row, rules);
  ensure(row.units < units, 'LS-512', `at most ${units} units in a session`, `${row.units} begun in it`);
}

/** Nobody's key but their own claims a person; for a badge, the line's own key and nobody else's. */
function checkCredential({ predicate, subject }: ReadSession, context: SessionContext): void {
  const { operator, credential } = predicate;
  const { rules, signer, otherRoles, badgeHolder } = context;
  const accepted = rules.signIn.credentials;
  if (credential.kind === 'badge-pin') {
    const isLine = signer.role === 'evidence' && signer.scope === rules.line;
    ensure(isLine, 'LS-501', `a badge that ${rules.line} itself has checked`, `the word of ${signer.owner}`);
    ensure(badgeHolder === operator.id, 'LS-501', `the badge of ${operator.id}`, `that of ${badgeHolder ?? 'nobody'}`);
  } else {
    ensure(signer.role === 'operator', 'LS-501', 'the credential of an operator', `one of role ${signer.role}`);
    ensure(signer.owner === operator.id, 'LS-501', `the credential of ${operator.id}`, `that of ${signer.owner}`);
    const kind = signer.custody === 'hardware' ? 'piv' : 'software-key';
    ensure(credential.kind === kind, 'LS-519', `a session that says ${kind}`, credential.kind);
  }
  ensure(
    operator.credentialKeyDigest.sha256 === signer.key.keyid && subject === signer.key.keyid,
    'LS-501',
    'a session about the credential that signed it',
    'another credential',
  );
  ensure(accepted.includes(credential.kind), 'LS-519', accepted.join(' or '), credential.kind);
  const [other] = otherRoles;
  ensure(other === undefined, 'LS-521', `${operator.id} as operator alone`, `${operator.id} is ${other ?? ''} too`);
}

function checkTerms({ predicate }: ReadSession, { rules }: SessionContext): void {
  const { openedAt, expiresAt, idleMinutes, batchUnits } = predicate.session;
  const lastsMs = parseInstant(expiresAt) - parseInstant(openedAt);
  ensure(
    lastsMs > 0 && lastsMs <= rules.maxSessionMs,
    'LS-501',
    `a session of at most ${rules.maxSessionMs / 60_000} minutes`,
    `${openedAt} to ${expiresAt}`,
  );
  const { signIn } = rules;
  ensure(
    idleMinutes <= signIn.idleMinutes && batchUnits <= signIn.batchUnits,
    'LS-501',
    `a pause of at most ${signIn.idleMinutes} minutes and ${signIn.batchUnits} units`,
    `${idleMinutes} minutes and ${batchUnits} units`,
  );
}

/** A badge is vouched for by the line, everything else by the person's own key. */
function isCredentialOf({ role, owner, scope }: TrustedKey, row: OperatorSessionRow): boolean {
  if (row.credential === 'badge-pin') return role === 'evidence' && scope === row.line;
  return role === 'operator' && owner === row.operator;
}

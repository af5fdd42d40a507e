// SPDX-License-Identifier: Apache-2.0
/** What must hold for a session to begin: a person, their own enrolled credential of a kind the line accepts, a station of this line, now. */
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import type { Challenges } from './challenges.ts';
import { ensure } from './error.ts';
import type { LineRules } from './rules.ts';
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

// SPDX-License-Identifier: Apache-2.0
/** What must hold for a session to begin: a person, their own enrolled credential, a station of this line, one shift at most. */
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
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
}

/** Throws LS-501, LS-502 or LS-301. */
export function checkSessionOpening({ predicate, subject }: ReadSession, context: SessionContext): void {
  const { session, operator, station } = predicate;
  const { now, rules, signer } = context;
  const openedAt = parseInstant(session.openedAt);
  const expiresAt = parseInstant(session.expiresAt);
  ensure(
    Math.abs(openedAt - now) <= rules.maxClockOffsetMs,
    'LS-301',
    `a session opened within ${rules.maxClockOffsetMs} ms of ${formatInstant(now)}`,
    session.openedAt,
  );
  ensure(signer.role === 'operator', 'LS-501', 'the credential of an operator', `one of role ${signer.role}`);
  ensure(signer.owner === operator.id, 'LS-501', `the credential of ${operator.id}`, `that of ${signer.owner}`);
  ensure(
    operator.credentialKeyDigest.sha256 === signer.key.keyid && subject === signer.key.keyid,
    'LS-501',
    'a session about the credential that signed it',
    'another credential',
  );
  ensure(
    expiresAt > openedAt && expiresAt - openedAt <= rules.maxSessionMs,
    'LS-501',
    `a session of at most ${rules.maxSessionMs / 60_000} minutes`,
    `${session.openedAt} to ${session.expiresAt}`,
  );
  ensure(
    station.line === rules.line && context.isStationEnrolled,
    'LS-502',
    `an enrolled station of ${rules.line}`,
    `${station.id} of ${station.line}`,
  );
}

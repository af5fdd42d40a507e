// SPDX-License-Identifier: Apache-2.0
/** Signing in at a line, whether it lives in the same process or behind HTTP (spec/operator-session.md). */
import type { Envelope, Instant } from '@witnessmark/core';
import type { CredentialKind } from '@witnessmark/attestation';
import type { LoggedEntry } from './line-service.ts';

/** What a line asks of sessions that begin now. */
export interface SessionTerms {
  readonly idleMinutes: number;
  readonly batchUnits: number;
  readonly maxMinutes: number;
  readonly credentials: readonly CredentialKind[];
}

export interface SessionChallenge {
  /** To be bound into one session of the station; 32 bytes in lower-case hexadecimal. */
  readonly challenge: string;
  /** Exclusive. */
  readonly expiresAt: Instant;
  readonly terms: SessionTerms;
}

/** A session that has not ended, as the line's views say. */
export interface OpenSession {
  readonly id: string;
  /** SHA-256 of the session statement's payload. */
  readonly digest: string;
  readonly operator: string;
  readonly credential: CredentialKind;
  readonly station: string;
  /** RFC 3339. */
  readonly openedAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string;
  /** Begun in it. */
  readonly units: number;
}

/** A badge that somebody has. */
export interface EnrolledBadge {
  /** Of its enrolment. */
  readonly id: string;
  readonly person: string;
  /** SHA-256 that stands for the badge in records. */
  readonly badgeDigest: string;
  readonly state: 'enrolled' | 'locked';
  /** RFC 3339. */
  readonly enrolledAt: string;
}

/** Rejects as `LineService` does. A sign-in may be repeated with the same statement: one session, however often it is asked for. */
export interface SessionService {
  sessionChallenge(station: string): Promise<SessionChallenge>;
  /** A badge sign-in signed by the station, with the PIN; the session in the log is the line's own statement. */
  signInWithBadge(request: Envelope, pin: string): Promise<LoggedEntry>;
  /** Oldest first. */
  openSessions(): Promise<readonly OpenSession[]>;
  /** Oldest first. */
  badges(): Promise<readonly EnrolledBadge[]>;
}

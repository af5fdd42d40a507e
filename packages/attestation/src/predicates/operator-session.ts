// SPDX-License-Identifier: Apache-2.0
/** A person taking responsibility for a station for a while, and the end of it (spec/operator-session.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/** Longest pause and largest batch a session may claim before its person has to come back. */
const MAX_IDLE_MINUTES = 24 * 60;
const MAX_BATCH_UNITS = 1_000_000;

/** What the person showed: a key of their own, or a badge whose PIN the line has checked. */
const credential = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('piv') }),
  z.object({ kind: z.literal('software-key') }),
  /** The digest stands for the badge in every record; its number is nowhere. */
  z.object({ kind: z.literal('badge-pin'), badgeDigest: digestSet }),
]);

const sessionSchema = z.object({
  session: z.object({
    id: uuid,
    openedAt: instantText,
    expiresAt: instantText,
    /** The person comes back after a pause of this length, … */
    idleMinutes: z.int().min(1).max(MAX_IDLE_MINUTES),
    /** … and after so many units were begun. */
    batchUnits: z.int().min(1).max(MAX_BATCH_UNITS),
    /** Drawn by the line shortly before, so that no session is made in advance. */
    challenge: sha256Text,
    /** The person's own session at another station, which this one ends; null when there is none. */
    supersedes: digestSet.nullable(),
  }),
  operator: z.object({ id: identifier, role: identifier, credentialKeyDigest: digestSet }),
  credential,
  station: z.object({ id: identifier, line: identifier }),
});

export type OperatorSession = z.infer<typeof sessionSchema>;
export const operatorSession: PredicateDefinition<OperatorSession> = {
  predicateType: PREDICATE_TYPES.operatorSession,
  schema: sessionSchema,
};

/** Why a session ended: signed out by its person or at its station; everything else is the line's to say. */
export const SESSION_ENDINGS = ['signedOut', 'idle', 'batch', 'superseded', 'shiftEnd', 'revoked'] as const;

const endSchema = z.object({
  id: uuid,
  sessionId: uuid,
  sessionDigest: digestSet,
  operator: z.object({ id: identifier }),
  station: z.object({ id: identifier, line: identifier }),
  reason: z.enum(SESSION_ENDINGS),
  endedAt: instantText,
});

export type SessionEnd = z.infer<typeof endSchema>;
export const sessionEnd: PredicateDefinition<SessionEnd> = {
  predicateType: PREDICATE_TYPES.sessionEnd,
  schema: endSchema,
};

/** A station asks for a session on behalf of whoever showed a badge there; the PIN travels beside it and is nowhere else. */
const badgeSignInSchema = z.object({
  requestId: uuid,
  /** As the reader gave it. */
  badge: identifier,
  station: z.object({ id: identifier, line: identifier }),
  /** Whether the person's session at another station is to end. */
  endsOther: z.boolean(),
  durationMinutes: z.int().min(1).max(MAX_IDLE_MINUTES),
  requestedAt: instantText,
});

export type BadgeSignIn = z.infer<typeof badgeSignInSchema>;
export const badgeSignIn: PredicateDefinition<BadgeSignIn> = {
  predicateType: PREDICATE_TYPES.badgeSignIn,
  schema: badgeSignInSchema,
};

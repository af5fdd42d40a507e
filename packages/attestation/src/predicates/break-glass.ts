// SPDX-License-Identifier: Apache-2.0
/** Suspending a rule in an emergency, under two names and for minutes, and taking it back (spec/break-glass.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, remark, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/**
 * The rules that can be suspended. Evidence, signatures, measurement, approval and quota are not among them, and a
 * member is never added for one of them.
 */
export const BREAK_GLASS_SCOPES = [
  /** Attempts beyond the line's limit, without a supervisor's decision first. */
  'attemptLimit',
  /** A clock that is DEGRADED where the line accepts SANE only. */
  'degradedClock',
  /** A line stop of the station that nobody has decided about yet. */
  'openStop',
] as const;
export type BreakGlassScope = (typeof BREAK_GLASS_SCOPES)[number];

/** One working day; lines set their own, lower limit. */
export const MAX_BREAK_GLASS_MINUTES = 480;

export const BREAK_GLASS_VERDICTS = ['justified', 'unjustified'] as const;

const person = z.object({ id: identifier, role: identifier });

/** Where it applies: one station, or the whole line when `station` is null. */
const place = z.object({ plant: identifier, line: identifier, station: identifier.nullable() });

/** Both people sign; subject: `line`, the SHA-256 of the line's name. */
const openingSchema = z.object({
  id: uuid,
  place,
  scope: z.array(z.enum(BREAK_GLASS_SCOPES)).min(1).max(BREAK_GLASS_SCOPES.length),
  reason: remark.min(1),
  ticket: identifier,
  requestedBy: person,
  confirmedBy: person,
  /** When the first of the two signed; the minutes count from here. */
  openedAt: instantText,
  minutes: z.int().min(1).max(MAX_BREAK_GLASS_MINUTES),
});

/** Of closing and review: which opening, by id and by SHA-256 of its payload, which is the subject as well. */
const about = { openingId: uuid, openingDigest: digestSet, place };

const closingSchema = z.object({
  id: uuid,
  ...about,
  /** What was done while it was open. */
  done: remark.min(1),
  /** Number of the new seal or bag, when there is a physical one. */
  seal: identifier.nullable(),
  resealedBy: person,
  resealedAt: instantText,
});

const reviewSchema = z.object({
  id: uuid,
  ...about,
  verdict: z.enum(BREAK_GLASS_VERDICTS),
  findings: remark.min(1),
  reviewedBy: person,
  reviewedAt: instantText,
});

export type BreakGlassOpening = z.infer<typeof openingSchema>;
export const breakGlassOpening: PredicateDefinition<BreakGlassOpening> = {
  predicateType: PREDICATE_TYPES.breakGlassOpening,
  schema: openingSchema,
};

export type BreakGlassClosing = z.infer<typeof closingSchema>;
export const breakGlassClosing: PredicateDefinition<BreakGlassClosing> = {
  predicateType: PREDICATE_TYPES.breakGlassClosing,
  schema: closingSchema,
};

export type BreakGlassReview = z.infer<typeof reviewSchema>;
export const breakGlassReview: PredicateDefinition<BreakGlassReview> = {
  predicateType: PREDICATE_TYPES.breakGlassReview,
  schema: reviewSchema,
};

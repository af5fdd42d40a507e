// SPDX-License-Identifier: Apache-2.0
/** What a line is told about itself: who it is and how strict it is. Every limit is here, with its reason. */
import {
  CLOCK_VERDICTS,
  CREDENTIAL_KINDS,
  describeIssues,
  GOLDEN_KINDS,
  identifier,
  MAX_BREAK_GLASS_MINUTES,
  MAX_OFFLINE_HOURS,
  MAX_OFFLINE_UNITS,
  RELEASE_CLASSES,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { LineError } from './error.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** People of a line who may be let decide about labels. */
const LABEL_ROLES = ['operator', 'supervisor'] as const;

export const lineRulesSchema = z.strictObject({
  plant: identifier,
  line: identifier,
  /** Long enough to reach the first byte, short enough that a permit is never a stock. */
  permitLifetimeMs: z
    .int()
    .min(1000)
    .max(30 * MINUTE_MS)
    .default(2 * MINUTE_MS),
  /** Between a station's statement and the line's clock on arrival. */
  maxClockOffsetMs: z.int().min(100).max(MINUTE_MS).default(5000),
  /** Clock verdicts under which work may begin. */
  acceptClock: z
    .array(z.enum(CLOCK_VERDICTS).exclude(['INSANE']))
    .min(1)
    .default(['SANE', 'DEGRADED']),
  /** One shift. */
  maxSessionMs: z
    .int()
    .min(MINUTE_MS)
    .max(24 * HOUR_MS)
    .default(12 * HOUR_MS),
  /** How people sign in here, and when they come back. */
  signIn: z
    .strictObject({
      /** What counts as showing who one is. */
      credentials: z.array(z.enum(CREDENTIAL_KINDS)).min(1),
      /** Longest pause in a session, and most units begun in it. */
      idleMinutes: z
        .int()
        .min(1)
        .max(24 * 60),
      batchUnits: z.int().min(1).max(1_000_000),
      /** Wrong PINs in a row that lock a badge, and wrong badges or PINs in a minute that a station may pass on. */
      maxWrongPins: z.int().min(1).max(10),
      wrongPinsPerMinute: z.int().min(1).max(100),
    })
    .default({
      credentials: [...CREDENTIAL_KINDS],
      idleMinutes: 30,
      batchUnits: 100,
      maxWrongPins: 5,
      wrongPinsPerMinute: 10,
    }),
  /** Failed attempts under one release before a supervisor decides. */
  maxAttempts: z.int().min(1).max(100).default(3),
  /** Different units in a row that may fail at one station before a supervisor decides; 0 never asks. */
  maxFailuresInRow: z.int().min(0).max(100).default(3),
  /** What it takes to try a failed unit again, besides `maxAttempts`. */
  retest: z
    .strictObject({
      needsReason: z.boolean(),
      /** Passes of one device at one station; the next one is for another station, or for rework. */
      maxAttemptsPerStation: z.int().min(1).max(100),
    })
    .default({ needsReason: false, maxAttemptsPerStation: 100 }),
  /** Which units a station proves itself with, none unless said, and how long that counts. */
  goldenCheck: z
    .strictObject({
      kinds: z.array(z.enum(GOLDEN_KINDS)).max(GOLDEN_KINDS.length),
      maxAgeMs: z
        .int()
        .min(MINUTE_MS)
        .max(7 * 24 * HOUR_MS),
      /** Each slot by itself. */
      perSlot: z.boolean(),
    })
    .default({ kinds: [], maxAgeMs: 12 * HOUR_MS, perSlot: false }),
  /** Whose approvals a release needs besides its TUF signatures; people count once, the author never. */
  approvals: z
    .strictObject({
      threshold: z.int().min(1).max(16),
      requiredRoles: z.array(identifier).max(16),
      coolingOffMinutes: z.int().min(0).max(10_080).optional(),
    })
    .default({ threshold: 2, requiredRoles: [] }),
  /** Classes of releases that are made here; a production line makes no others. */
  releaseClasses: z.array(z.enum(RELEASE_CLASSES)).min(1).default(['production']),
  /** `required`: no unit is begun under a release whose images are in clear. */
  sealing: z.enum(['optional', 'required']).default('optional'),
  /** How long the trust repository as last read may be used. */
  maxTrustAgeMs: z.int().min(0).max(HOUR_MS).default(5000),
  /** Refusals of one source that are logged one by one; more are counted and logged as a sum. */
  refusalsPerMinute: z.int().min(1).max(10_000).default(30),
  /** Whether a station works only after a logged measurement of itself, and how old that may be. */
  stations: z
    .strictObject({
      measured: z.enum(['required', 'optional']),
      maxMeasurementAgeMs: z
        .int()
        .min(MINUTE_MS)
        .max(7 * 24 * HOUR_MS),
    })
    .default({ measured: 'optional', maxMeasurementAgeMs: 24 * HOUR_MS }),
  /** Suspending rules in an emergency; 0 minutes forbids it. */
  breakGlass: z
    .strictObject({
      maxMinutes: z.int().min(0).max(MAX_BREAK_GLASS_MINUTES),
      /** Whether no permit is given between its end and its review. */
      permitsNeedReview: z.boolean(),
    })
    .default({ maxMinutes: 60, permitsNeedReview: false }),
  /** Whose decision it takes to print another label for a unit, and to void one; they sign it. */
  labels: z
    .strictObject({
      reprintRoles: z.array(z.enum(LABEL_ROLES)).min(1),
      voidRoles: z.array(z.enum(LABEL_ROLES)).min(1),
    })
    .default({ reprintRoles: ['operator', 'supervisor'], voidRoles: ['supervisor'] }),
  /** Units a station may make while the line does not answer, and for how long; 0 forbids it. */
  offline: z
    .strictObject({
      maxUnits: z.int().min(0).max(MAX_OFFLINE_UNITS),
      maxHours: z.int().min(1).max(MAX_OFFLINE_HOURS),
    })
    .default({ maxUnits: 0, maxHours: 4 }),
  /** Permits remembered for retries. */
  maxRememberedPermits: z.int().min(16).max(1_000_000).default(10_000),
});

export type LineRules = z.infer<typeof lineRulesSchema>;

/** Fills in defaults; throws `ERR_LINE_CONFIG` naming the members that are wrong. */
export function toLineRules(value: z.input<typeof lineRulesSchema>): LineRules {
  const result = lineRulesSchema.safeParse(value);
  if (!result.success) throw new LineError('ERR_LINE_CONFIG', `line rules: ${describeIssues(result.error)}`);
  return result.data;
}

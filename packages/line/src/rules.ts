// SPDX-License-Identifier: Apache-2.0
/** What a line is told about itself: who it is and how strict it is. Every limit is here, with its reason. */
import {
  CLOCK_VERDICTS,
  describeIssues,
  identifier,
  MAX_BREAK_GLASS_MINUTES,
  RELEASE_CLASSES,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { LineError } from './error.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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
  /** Failed attempts under one release before a supervisor decides. */
  maxAttempts: z.int().min(1).max(100).default(3),
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
  /** Suspending rules in an emergency; 0 minutes forbids it. */
  breakGlass: z
    .strictObject({
      maxMinutes: z.int().min(0).max(MAX_BREAK_GLASS_MINUTES),
      /** Whether no permit is given between its end and its review. */
      permitsNeedReview: z.boolean(),
    })
    .default({ maxMinutes: 60, permitsNeedReview: false }),
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

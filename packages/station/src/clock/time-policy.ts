// SPDX-License-Identifier: Apache-2.0
/** From which reading on a clock counts as DEGRADED or INSANE (spec/clock-evidence.md); part of a station's configuration. */
import { z } from 'zod';

const timeLimits = z.strictObject({
  /** Between own time and the time the service believes in, in either direction. */
  maxOffsetMs: z.number().positive(),
  /** Half the root delay and the root dispersion: how wrong the service may be itself. */
  maxRootDistanceMs: z.number().positive(),
  /** Since the last good measurement of a source that counts. */
  maxAgeMs: z.number().positive(),
  /** Sources that count. */
  minSources: z.int().min(0).max(16),
  /** Sources that contradict the others. */
  maxFalsetickers: z.int().min(0).max(16),
});

export type TimeLimits = z.infer<typeof timeLimits>;

export const timePolicySchema = z
  .strictObject({
    /** Within these the clock is SANE. */
    sane: timeLimits,
    /** Within these it is DEGRADED: recorded, and refused by policies that ask for SANE. Beyond, nothing is signed. */
    degraded: timeLimits,
    /** A source counts only when so many of its last eight polls were answered … */
    minAnsweredPolls: z.int().min(1).max(8),
    /** … when the service holds so many measurements of it … */
    minSamples: z.int().min(1).max(64),
    /** … when it stands so high … */
    maxStratum: z.int().min(1).max(15),
    /** … and, if asked for, when Network Time Security (RFC 8915) has authenticated it. */
    requireNts: z.boolean(),
  })
  .refine(isOrdered, { error: 'a limit of "degraded" is tighter than the one of "sane"' });

export type TimePolicy = z.infer<typeof timePolicySchema>;

/** Two sources that agree, half a second; chrony's own limits and four hours without any source. */
export const DEFAULT_TIME_POLICY: TimePolicy = {
  sane: { maxOffsetMs: 500, maxRootDistanceMs: 500, maxAgeMs: 2_100_000, minSources: 2, maxFalsetickers: 0 },
  degraded: { maxOffsetMs: 5000, maxRootDistanceMs: 3000, maxAgeMs: 14_400_000, minSources: 0, maxFalsetickers: 1 },
  minAnsweredPolls: 3,
  minSamples: 3,
  maxStratum: 10,
  requireNts: false,
};

function isOrdered({ sane, degraded }: { readonly sane: TimeLimits; readonly degraded: TimeLimits }): boolean {
  return (
    degraded.maxOffsetMs >= sane.maxOffsetMs &&
    degraded.maxRootDistanceMs >= sane.maxRootDistanceMs &&
    degraded.maxAgeMs >= sane.maxAgeMs &&
    degraded.minSources <= sane.minSources &&
    degraded.maxFalsetickers >= sane.maxFalsetickers
  );
}

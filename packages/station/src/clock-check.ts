// SPDX-License-Identifier: Apache-2.0
/**
 * Whether this station's clock may date evidence. It is asked before every signature, and before TUF metadata is
 * judged, because expiry means nothing under a wrong clock.
 */
import { formatInstant, type Clock, type Instant, type ReasonCode } from '@witnessmark/core';
import type { ClockEvidence } from '@witnessmark/attestation';
import type { LineTime } from '@witnessmark/api';
import type { TimeJudgement } from './clock/index.ts';

export const CLOCK_LIMITS = {
  /** Up to here the offset to the line server is unremarkable. */
  saneOffsetMs: 1000,
  /** Up to here it is recorded as DEGRADED; beyond, nothing is signed. */
  maxOffsetMs: 5000,
  /** How far wall time may fall behind the monotonic clock between two checks of one process. */
  maxStepBackMs: 1000,
} as const;

/** One answer of the line's clock, placed on our own monotonic clock so that it can be carried on. */
export interface LineTimeSample {
  readonly lineNow: Instant;
  /** The break-glass in force then. */
  readonly breakGlass: LineTime['breakGlass'];
  /** Monotonic time of the answer. */
  readonly receivedMonotonicMs: number;
  /** Monotonic time between question and answer. */
  readonly roundTripMs: number;
}

export interface ClockObservation {
  readonly now: Instant;
  readonly monotonicMs: number;
  /** An earlier pair of this process at which the clock was sane. */
  readonly earlier: { readonly now: Instant; readonly monotonicMs: number } | null;
  /** Time of the last evidence, from the journal: no new evidence may be older. */
  readonly floor: Instant;
  readonly line: LineTimeSample | null;
  /** What the station's own time service says; null when it has none. */
  readonly service: TimeJudgement | null;
  readonly bootId: string;
}

export interface ClockAssessment {
  /** The instant that was judged; statements made on this assessment bear it. */
  readonly now: Instant;
  /** Own time less the line's; null without an answer of the line. */
  readonly lineOffsetMs: number | null;
  readonly evidence: ClockEvidence;
  /** What was found, when the verdict is INSANE. */
  readonly finding: { readonly code?: ReasonCode; readonly expected: string; readonly observed: string } | null;
}

/** What is wrong with the clock says nothing about the device in the fixture. */
export function isClockTrouble(code: ReasonCode): boolean {
  return code === 'LS-301' || code.startsWith('LS-33');
}

export async function sampleLineTime(clock: Clock, ask: () => Promise<LineTime>): Promise<LineTimeSample> {
  const sentMonotonicMs = clock.monotonic();
  const { now: lineNow, breakGlass } = await ask();
  const receivedMonotonicMs = clock.monotonic();
  return { lineNow, breakGlass, receivedMonotonicMs, roundTripMs: receivedMonotonicMs - sentMonotonicMs };
}

/** SANE, DEGRADED (recorded) or INSANE (nothing is signed): the worst of what the line, the own past and a time service say. */
export function assessClock(observation: ClockObservation): ClockAssessment {
  const { now, monotonicMs, line, service, bootId } = observation;
  const lineOffsetMs = line === null ? null : offsetToLine(now, monotonicMs, line);
  const finding = findInsanity(observation, lineOffsetMs) ?? findServiceInsanity(service);
  const isNearLine = lineOffsetMs !== null && Math.abs(lineOffsetMs) <= CLOCK_LIMITS.saneOffsetMs;
  const isSane = isNearLine && (service === null || service.evidence.verdict === 'SANE');
  const verdict = finding !== null ? 'INSANE' : isSane ? 'SANE' : 'DEGRADED';
  const heard = service?.evidence ?? lineEvidence(line, lineOffsetMs, monotonicMs);
  return { now, lineOffsetMs, finding, evidence: { ...heard, monotonicMs, bootId, verdict } };
}

/** Without a time service of its own, the line is what the station's clock is held against. */
function lineEvidence(
  line: LineTimeSample | null,
  offsetMs: number | null,
  monotonicMs: number,
): Omit<ClockEvidence, 'monotonicMs' | 'bootId' | 'verdict'> {
  return {
    source: 'line',
    offsetMs,
    errorBoundMs: line === null ? null : line.roundTripMs / 2,
    stratum: null,
    lastSyncAgeMs: line === null ? null : Math.max(0, monotonicMs - line.receivedMonotonicMs),
  };
}

function findServiceInsanity(service: TimeJudgement | null): ClockAssessment['finding'] {
  const worst = service?.evidence.verdict === 'INSANE' ? service.reasons[0] : undefined;
  if (service === null || worst === undefined) return null;
  const { code, expected, observed } = worst;
  return { ...(code !== undefined && { code }), expected, observed: `${service.evidence.source}: ${observed}` };
}

/**
 * Own time less the line's. The answer is taken to be half a round trip old and carried on by the monotonic clock, so
 * that a clock which is set after the comparison shows, in either direction.
 */
function offsetToLine(now: Instant, monotonicMs: number, line: LineTimeSample): number {
  return now - (line.lineNow + line.roundTripMs / 2 + (monotonicMs - line.receivedMonotonicMs));
}

function findInsanity(observation: ClockObservation, offsetMs: number | null): ClockAssessment['finding'] {
  const { now, monotonicMs, earlier, floor } = observation;
  const observed = `the station clock reads ${formatInstant(now)}`;
  if (now < floor) {
    return { expected: `a time not before the last evidence, ${formatInstant(floor)}`, observed };
  }
  if (earlier !== null) {
    const lostMs = monotonicMs - earlier.monotonicMs - (now - earlier.now);
    if (lostMs > CLOCK_LIMITS.maxStepBackMs) {
      return {
        expected: 'a clock that never goes back',
        observed: `${observed}, set back by ${Math.round(lostMs)} ms`,
      };
    }
  }
  if (offsetMs !== null && Math.abs(offsetMs) > CLOCK_LIMITS.maxOffsetMs) {
    const direction = offsetMs < 0 ? 'behind' : 'ahead of';
    return {
      expected: `at most ${CLOCK_LIMITS.maxOffsetMs} ms from the line server`,
      observed: `${observed}, ${Math.abs(Math.round(offsetMs))} ms ${direction} it`,
    };
  }
  return null;
}

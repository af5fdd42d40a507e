// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { assessClock, CLOCK_LIMITS, sampleLineTime, type ClockObservation } from '../src/clock-check.ts';

const NOON = Date.UTC(2027, 2, 4, 12);
const HOUR = 3_600_000;

const SAMPLE = { lineNow: NOON, receivedMonotonicMs: 50_000, roundTripMs: 0, breakGlass: null };

function observe(changes: Partial<ClockObservation> = {}): ClockObservation {
  return {
    now: NOON,
    monotonicMs: 50_000,
    earlier: { now: NOON - 10_000, monotonicMs: 40_000 },
    floor: NOON - 10_000,
    line: SAMPLE,
    service: null,
    bootId: 'boot-1',
    ...changes,
  };
}

function verdictOf(changes: Partial<ClockObservation>): string {
  return assessClock(observe(changes)).evidence.verdict;
}

describe('the clock check', () => {
  it('finds a clock sane that agrees with the line and never went back', () => {
    const { evidence, finding } = assessClock(observe());
    expect(finding).toBeNull();
    expect(evidence).toMatchObject({ verdict: 'SANE', offsetMs: 0, errorBoundMs: 0, lastSyncAgeMs: 0, source: 'line' });
  });

  it('A17 refuses a time before the last evidence, by one millisecond too', () => {
    expect(verdictOf({ floor: NOON })).toBe('SANE');
    expect(verdictOf({ floor: NOON + 1 })).toBe('INSANE');
  });

  it('A17 sees a step back that the last evidence does not show, by the monotonic clock', () => {
    const earlier = { now: NOON, monotonicMs: 50_000 - CLOCK_LIMITS.maxStepBackMs };
    expect(verdictOf({ earlier, line: null, floor: 0 })).toBe('DEGRADED');
    expect(verdictOf({ earlier: { ...earlier, monotonicMs: earlier.monotonicMs - 1 }, line: null, floor: 0 })).toBe(
      'INSANE',
    );
  });

  it.each([
    [CLOCK_LIMITS.saneOffsetMs, 'SANE'],
    [CLOCK_LIMITS.saneOffsetMs + 1, 'DEGRADED'],
    [CLOCK_LIMITS.maxOffsetMs, 'DEGRADED'],
    [CLOCK_LIMITS.maxOffsetMs + 1, 'INSANE'],
  ])('an offset of %i ms to the line is %s, ahead or behind', (offsetMs, verdict) => {
    const line = (lineNow: number): ClockObservation['line'] => ({
      lineNow,
      receivedMonotonicMs: 50_000,
      breakGlass: null,
      roundTripMs: 0,
    });
    expect(verdictOf({ line: line(NOON - offsetMs) })).toBe(verdict);
    expect(verdictOf({ line: line(NOON + offsetMs) })).toBe(verdict);
  });

  it('A18 sees a clock that is set forward after it was compared', () => {
    expect(verdictOf({ now: NOON + 365 * 24 * HOUR })).toBe('INSANE');
  });

  it('I20 never calls a clock sane that was compared with nothing', () => {
    const { evidence } = assessClock(observe({ line: null }));
    expect(evidence).toMatchObject({ verdict: 'DEGRADED', offsetMs: null, errorBoundMs: null, lastSyncAgeMs: null });
  });

  it('takes the line to have answered in the middle of the round trip, and bounds the error by half of it', async () => {
    let monotonicMs = 1000;
    const clock = { now: () => NOON, monotonic: () => monotonicMs };
    const sample = await sampleLineTime(clock, () => {
      monotonicMs += 80;
      return Promise.resolve({ now: NOON - 40, breakGlass: null });
    });
    const { evidence } = assessClock(observe({ monotonicMs, earlier: null, line: sample }));
    expect(evidence).toMatchObject({ offsetMs: 0, errorBoundMs: 40 });
  });

  describe('with a time service of its own', () => {
    const service = (verdict: 'SANE' | 'DEGRADED' | 'INSANE'): ClockObservation['service'] => ({
      evidence: { source: 'chrony', offsetMs: 2, errorBoundMs: 5, stratum: 3, lastSyncAgeMs: 900, verdict },
      reasons:
        verdict === 'SANE' ? [] : [{ subject: 'offset', verdict, expected: 'at most 1 ms', observed: '3 h ahead' }],
    });

    it('records what the service says, and stays sane when both agree', () => {
      const { evidence } = assessClock(observe({ service: service('SANE') }));
      expect(evidence).toMatchObject({ source: 'chrony', stratum: 3, errorBoundMs: 5, verdict: 'SANE' });
    });

    it('takes the worse of service and line, whichever it is', () => {
      const far = { ...SAMPLE, lineNow: NOON + 1 + CLOCK_LIMITS.maxOffsetMs };
      expect(verdictOf({ service: service('DEGRADED') })).toBe('DEGRADED');
      expect(verdictOf({ service: service('SANE'), line: far })).toBe('INSANE');
      expect(verdictOf({ service: service('SANE'), line: null })).toBe('DEGRADED');
    });

    it('E-14 names what the service found when nothing may be signed', () => {
      const { finding, evidence } = assessClock(observe({ service: service('INSANE') }));
      expect(evidence.verdict).toBe('INSANE');
      expect(finding).toEqual({ expected: 'at most 1 ms', observed: 'chrony: 3 h ahead' });
    });
  });
});

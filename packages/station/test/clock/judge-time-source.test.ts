// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeTimeSource } from '../../src/clock/judge-time-source.ts';
import { DEFAULT_TIME_POLICY, timePolicySchema, type TimePolicy } from '../../src/clock/time-policy.ts';
import type { TimeReason } from '../../src/clock/time-reason.ts';
import type { SourceReading, TimeReading } from '../../src/clock/time-reading.ts';

const POLICY: TimePolicy = {
  sane: { maxOffsetMs: 100, maxRootDistanceMs: 200, maxAgeMs: 10_000, minSources: 2, maxFalsetickers: 0 },
  degraded: { maxOffsetMs: 1000, maxRootDistanceMs: 2000, maxAgeMs: 100_000, minSources: 1, maxFalsetickers: 1 },
  minAnsweredPolls: 3,
  minSamples: 3,
  maxStratum: 10,
  requireNts: false,
};

const SOURCE: SourceReading = {
  name: '192.0.2.1',
  state: 'selected',
  stratum: 2,
  reach: 0o377,
  lastSampleAgeMs: 4000,
  offsetMs: 0.2,
  samples: 12,
  authentication: 'none',
};
const SPARE: SourceReading = { ...SOURCE, name: '192.0.2.2', state: 'combined', lastSampleAgeMs: 9000 };
const LIAR: SourceReading = { ...SOURCE, name: '192.0.2.66', state: 'falseticker', offsetMs: -10_800_000 };

const READING: TimeReading = {
  claimsSynchronised: true,
  stratum: 3,
  offsetMs: -0.5,
  rootDelayMs: 20,
  rootDispersionMs: 5,
  sources: [SOURCE, SPARE],
};

/** Each row: what is other than in a good reading, the verdict, and the subjects of its reasons, the worst first. */
const TABLE: readonly (readonly [
  string,
  Partial<TimeReading>,
  Partial<TimePolicy>,
  string,
  TimeReason['subject'][],
])[] = [
  ['a good reading', {}, {}, 'SANE', []],
  ['an offset at the limit', { offsetMs: 100 }, {}, 'SANE', []],
  ['an offset just beyond it', { offsetMs: -100.001 }, {}, 'DEGRADED', ['offset']],
  ['an offset at the outer limit', { offsetMs: 1000 }, {}, 'DEGRADED', ['offset']],
  ['an offset beyond it', { offsetMs: 1000.001 }, {}, 'INSANE', ['offset']],
  ['hours, under a claim to be synchronised', { offsetMs: 10_800_000 }, {}, 'INSANE', ['offset']],
  ['a root distance at the limit', { rootDelayMs: 300, rootDispersionMs: 50 }, {}, 'SANE', []],
  ['a long way to the reference', { rootDelayMs: 400, rootDispersionMs: 1 }, {}, 'DEGRADED', ['rootDistance']],
  ['a dispersion that has grown', { rootDispersionMs: 2000 }, {}, 'INSANE', ['rootDistance']],
  ['a claim of not being synchronised', { claimsSynchronised: false }, {}, 'INSANE', ['synchronisation']],
  ['an old measurement', { sources: aged(10_001) }, {}, 'DEGRADED', ['age']],
  ['a very old one', { sources: aged(100_001) }, {}, 'INSANE', ['age']],
  [
    'a young measurement beside an old one',
    { sources: [SOURCE, { ...SPARE, lastSampleAgeMs: 99_000 }] },
    {},
    'SANE',
    [],
  ],
  ['no measurement ever', { sources: aged(null) }, {}, 'INSANE', ['age']],
  ['no sources at all', { sources: [] }, {}, 'INSANE', ['age', 'sources']],
  ['one source', { sources: [SOURCE] }, {}, 'DEGRADED', ['sources']],
  ['a source that answers seldom', { sources: [SOURCE, { ...SPARE, reach: 0o003 }] }, {}, 'DEGRADED', ['sources']],
  ['a source that answers just often enough', { sources: [SOURCE, { ...SPARE, reach: 0o205 }] }, {}, 'SANE', []],
  ['a source with too few measurements', { sources: [SOURCE, { ...SPARE, samples: 2 }] }, {}, 'DEGRADED', ['sources']],
  ['a source that stands too low', { sources: [SOURCE, { ...SPARE, stratum: 11 }] }, {}, 'DEGRADED', ['sources']],
  ['a source too variable', { sources: [SOURCE, { ...SPARE, state: 'too variable' }] }, {}, 'DEGRADED', ['sources']],
  ['sources gone, their last measurement young', { sources: gone(5000) }, {}, 'INSANE', ['sources']],
  ['the same where a policy allows it', { sources: gone(5000) }, allowing(0), 'DEGRADED', ['sources']],
  ['the same, much later', { sources: gone(100_001) }, allowing(0), 'INSANE', ['age', 'sources']],
  ['a liar among honest ones', { sources: [SOURCE, SPARE, LIAR] }, {}, 'DEGRADED', ['falsetickers']],
  ['two liars', { sources: [SOURCE, SPARE, LIAR, LIAR] }, {}, 'INSANE', ['falsetickers']],
  ['a young measurement of a liar only', { sources: [LIAR] }, {}, 'INSANE', ['age', 'sources', 'falsetickers']],
  ['no NTS where it is asked for', {}, { requireNts: true }, 'INSANE', ['age', 'sources']],
  ['NTS where it is asked for', { sources: withNts('nts', 'nts') }, { requireNts: true }, 'SANE', []],
  ['NTS of one source', { sources: withNts('nts', 'symmetric key') }, { requireNts: true }, 'DEGRADED', ['sources']],
  ['a service that does not say', { sources: withNts(null, null) }, { requireNts: true }, 'INSANE', ['age', 'sources']],
];

describe('judgeTimeSource', () => {
  it.each(TABLE)('%s', (_, change, policyChange, verdict, subjects) => {
    const answer = { state: 'answered', reading: { ...READING, ...change } } as const;
    const { evidence, reasons } = judgeTimeSource('chrony', answer, { ...POLICY, ...policyChange });
    expect(evidence.verdict).toBe(verdict);
    expect(reasons.map(({ subject }) => subject)).toEqual(subjects);
    for (const reason of reasons) expect(reason.expected !== '' && reason.observed !== '').toBe(true);
  });

  it('gives the parts of clock evidence', () => {
    expect(judgeTimeSource('chrony', { state: 'answered', reading: READING }, POLICY).evidence).toEqual({
      source: 'chrony',
      offsetMs: -0.5,
      errorBoundMs: 15,
      stratum: 3,
      lastSyncAgeMs: 4000,
      verdict: 'SANE',
    });
  });

  it('is INSANE, and claims to know nothing, when the service does not answer', () => {
    const { evidence, reasons } = judgeTimeSource('chrony', { state: 'silent', detail: 'no answer in time' }, POLICY);
    expect(evidence).toEqual({
      source: 'chrony',
      offsetMs: null,
      errorBoundMs: null,
      stratum: null,
      lastSyncAgeMs: null,
      verdict: 'INSANE',
    });
    expect(reasons).toEqual([
      { subject: 'answer', verdict: 'INSANE', expected: 'an answer of chrony', observed: 'no answer in time' },
    ]);
  });

  it('names the liar and how far it is away', () => {
    const reading = { ...READING, sources: [SOURCE, SPARE, LIAR] };
    const [reason] = judgeTimeSource('chrony', { state: 'answered', reading }, POLICY).reasons;
    expect(reason?.observed).toBe('192.0.2.66 (own time is -10800000 ms from it)');
  });

  it('never gets better when a reading gets worse', () => {
    const rank = { SANE: 0, DEGRADED: 1, INSANE: 2 };
    const worse = fc.record({ offset: fc.nat(5000), distance: fc.nat(5000), age: fc.nat(200_000), lost: fc.nat(2) });
    fc.assert(
      fc.property(worse, worse, (base, more) => {
        const first = rank[verdictOf(base)];
        const second =
          rank[
            verdictOf({
              offset: base.offset + more.offset,
              distance: base.distance + more.distance,
              age: base.age + more.age,
              lost: Math.min(2, base.lost + more.lost),
            })
          ];
        expect(second).toBeGreaterThanOrEqual(first);
      }),
    );
  });
});

describe('the time policy', () => {
  it('is a strict value', () => {
    expect(timePolicySchema.parse(structuredClone(DEFAULT_TIME_POLICY))).toEqual(DEFAULT_TIME_POLICY);
    const { sane, degraded } = DEFAULT_TIME_POLICY;
    for (const wrong of [
      { ...DEFAULT_TIME_POLICY, more: 1 },
      { ...DEFAULT_TIME_POLICY, minAnsweredPolls: 0 },
      { ...DEFAULT_TIME_POLICY, minAnsweredPolls: 9 },
      { ...DEFAULT_TIME_POLICY, requireNts: 'yes' },
      { ...DEFAULT_TIME_POLICY, sane: { ...sane, maxOffsetMs: 0 } },
      { ...DEFAULT_TIME_POLICY, degraded: { ...degraded, maxOffsetMs: sane.maxOffsetMs - 1 } },
      { ...DEFAULT_TIME_POLICY, degraded: { ...degraded, minSources: sane.minSources + 1 } },
    ]) {
      expect(timePolicySchema.safeParse(wrong).success).toBe(false);
    }
  });
});

function verdictOf(change: {
  offset: number;
  distance: number;
  age: number;
  lost: number;
}): 'SANE' | 'DEGRADED' | 'INSANE' {
  const sources = [SOURCE, SPARE].map((source, index) => ({
    ...source,
    lastSampleAgeMs: change.age,
    reach: index < change.lost ? 0 : source.reach,
  }));
  const reading = { ...READING, offsetMs: change.offset, rootDispersionMs: change.distance, sources };
  return judgeTimeSource('chrony', { state: 'answered', reading }, POLICY).evidence.verdict;
}

function aged(lastSampleAgeMs: number | null): SourceReading[] {
  return [SOURCE, SPARE].map((source) => ({ ...source, lastSampleAgeMs }));
}

function gone(lastSampleAgeMs: number): SourceReading[] {
  return aged(lastSampleAgeMs).map((source) => ({ ...source, state: 'unusable', reach: 0 }));
}

function withNts(...modes: SourceReading['authentication'][]): SourceReading[] {
  return [SOURCE, SPARE].map((source, index) => ({ ...source, authentication: modes[index] ?? null }));
}

function allowing(minSources: number): Partial<TimePolicy> {
  return { degraded: { ...POLICY.degraded, minSources } };
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Whether what a time service says is good enough to date evidence (spec/clock-evidence.md). Pure: offset, root
 * distance, age, sources and contradictions are each held against the policy, and the worst of them is the verdict. The
 * service's own claim to be synchronised can only make it worse.
 */
import type { Instant } from '@witnessmark/core';
import type { ClockEvidence, TimeHierarchy } from '@witnessmark/attestation';
import { judgeHierarchy } from './judge-hierarchy.ts';
import type { TimeLimits, TimePolicy } from './time-policy.ts';
import type { TimeReason } from './time-reason.ts';
import type { SourceReading, TimeReading, TimeSourceAnswer } from './time-reading.ts';

/** What the line has laid down, and the time it is held against. */
export interface HierarchyInForce {
  readonly document: TimeHierarchy;
  readonly now: Instant;
}

export interface TimeJudgement {
  readonly evidence: Pick<
    ClockEvidence,
    'source' | 'offsetMs' | 'errorBoundMs' | 'stratum' | 'lastSyncAgeMs' | 'verdict'
  >;
  /** Empty for SANE; the worst first. */
  readonly reasons: readonly TimeReason[];
}

interface Measure {
  readonly subject: TimeReason['subject'];
  readonly keeps: (limits: TimeLimits) => boolean;
  readonly expected: (limits: TimeLimits) => string;
  readonly observed: string;
}

export function judgeTimeSource(
  source: string,
  answer: TimeSourceAnswer,
  policy: TimePolicy,
  hierarchy?: HierarchyInForce,
): TimeJudgement {
  if (answer.state === 'silent') {
    const unknown = { offsetMs: null, errorBoundMs: null, stratum: null, lastSyncAgeMs: null };
    const reason = {
      subject: 'answer',
      verdict: 'INSANE',
      expected: `an answer of ${source}`,
      observed: answer.detail,
    } as const;
    return { evidence: { source, ...unknown, verdict: 'INSANE' }, reasons: [reason] };
  }
  const { reasons: breaches, reading } =
    hierarchy === undefined
      ? { reasons: [], reading: answer.reading }
      : judgeHierarchy(answer.reading, hierarchy.document, hierarchy.now);
  const measures = measure(reading, policy);
  const reasons = [
    ...breaches,
    ...(reading.claimsSynchronised ? [] : [notSynchronised(reading)]),
    ...measures.flatMap((one) => judge(one, policy)),
  ].toSorted((left, right) => severity(right) - severity(left));
  const evidence = {
    source,
    offsetMs: reading.offsetMs,
    errorBoundMs: rootDistanceMs(reading),
    stratum: reading.stratum,
    lastSyncAgeMs: lastSyncAgeMs(reading, policy),
    verdict: reasons[0]?.verdict ?? 'SANE',
  } as const;
  return { evidence, reasons };
}

/** A source that may carry the verdict: answered often enough, measured, authenticated, and not contradicted. */
function isCountingSource(source: SourceReading, policy: TimePolicy): boolean {
  return isTrusted(source, policy) && source.state !== 'unusable' && countBits(source.reach) >= policy.minAnsweredPolls;
}

function judge({ subject, keeps, expected, observed }: Measure, { sane, degraded }: TimePolicy): TimeReason[] {
  if (!keeps(degraded)) return [{ subject, verdict: 'INSANE', expected: expected(degraded), observed }];
  return keeps(sane) ? [] : [{ subject, verdict: 'DEGRADED', expected: expected(sane), observed }];
}

function measure(reading: TimeReading, policy: TimePolicy): Measure[] {
  const { offsetMs, sources } = reading;
  const distanceMs = rootDistanceMs(reading);
  const ageMs = lastSyncAgeMs(reading, policy);
  const counting = sources.filter((source) => isCountingSource(source, policy));
  const lying = sources.filter(({ state }) => state === 'falseticker');
  return [
    {
      subject: 'offset',
      keeps: ({ maxOffsetMs }) => Math.abs(offsetMs) <= maxOffsetMs,
      expected: ({ maxOffsetMs }) => `at most ${maxOffsetMs} ms from the sources' time`,
      observed: `${formatMs(Math.abs(offsetMs))} ${offsetMs < 0 ? 'behind' : 'ahead'}`,
    },
    {
      subject: 'rootDistance',
      keeps: ({ maxRootDistanceMs }) => distanceMs <= maxRootDistanceMs,
      expected: ({ maxRootDistanceMs }) => `a root distance of at most ${maxRootDistanceMs} ms`,
      observed: formatMs(distanceMs),
    },
    {
      subject: 'age',
      keeps: ({ maxAgeMs }) => ageMs !== null && ageMs <= maxAgeMs,
      expected: ({ maxAgeMs }) => `a measurement in the last ${maxAgeMs} ms`,
      observed: ageMs === null ? 'none by a source that counts' : `the last one ${formatMs(ageMs)} ago`,
    },
    {
      subject: 'sources',
      keeps: ({ minSources }) => counting.length >= minSources,
      expected: ({ minSources }) => `at least ${minSources} ${policy.requireNts ? 'sources with NTS' : 'sources'}`,
      observed: `${counting.length} of ${sources.length} that count`,
    },
    {
      subject: 'falsetickers',
      keeps: ({ maxFalsetickers }) => lying.length <= maxFalsetickers,
      expected: ({ maxFalsetickers }) => `at most ${maxFalsetickers} sources that contradict the others`,
      observed: lying.map(({ name, offsetMs: off }) => `${name} (own time is ${formatMs(off)} from it)`).join(', '),
    },
  ];
}

function notSynchronised({ sources }: TimeReading): TimeReason {
  return {
    subject: 'synchronisation',
    verdict: 'INSANE',
    expected: 'a service that is synchronised',
    observed: `it says that it is not, with ${sources.length} sources`,
  };
}

/** RFC 5905: half the way to the reference clock and back, and what may have gone wrong on it. */
function rootDistanceMs({ rootDelayMs, rootDispersionMs }: TimeReading): number {
  return rootDelayMs / 2 + rootDispersionMs;
}

/** The youngest measurement the clock follows or, when it follows none any more, could have followed. */
function lastSyncAgeMs({ sources }: TimeReading, policy: TimePolicy): number | null {
  const trusted = sources.filter((source) => isTrusted(source, policy));
  const followed = trusted.filter(({ state }) => state === 'selected' || state === 'combined');
  const ages = (followed.length > 0 ? followed : trusted).flatMap(({ lastSampleAgeMs }) => lastSampleAgeMs ?? []);
  return ages.length === 0 ? null : Math.min(...ages);
}

function isTrusted(source: SourceReading, { minSamples, maxStratum, requireNts }: TimePolicy): boolean {
  return (
    source.state !== 'falseticker' &&
    source.state !== 'too variable' &&
    source.samples >= minSamples &&
    source.stratum <= maxStratum &&
    // A service that does not say how a source is authenticated has not said that it is.
    (!requireNts || source.authentication === 'nts')
  );
}

function severity({ verdict }: TimeReason): number {
  return verdict === 'INSANE' ? 1 : 0;
}

function countBits(value: number): number {
  return value.toString(2).replaceAll('0', '').length;
}

function formatMs(milliseconds: number): string {
  return `${Number(milliseconds.toFixed(3))} ms`;
}

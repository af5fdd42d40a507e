// SPDX-License-Identifier: Apache-2.0
/** Were the clocks good enough, and do the times tell one story? */
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import { fail, list, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, type ChainRecord } from '../evidence.ts';

export const clock: Check = {
  name: 'clock',
  whyItMatters: 'with a wrong clock nobody can say when the work was done, or under which rules',
  after: ['records'],
  run: checkClock,
};

export const orderOfTimes: Check = {
  name: 'order of times',
  whyItMatters: 'records that contradict each other in time were not all made when they say',
  after: ['records', 'event chain'],
  run: checkOrder,
};

function checkClock({ evidence, policy }: Examination): Finding {
  const verdicts = new Set<string>();
  for (const record of evidence.chain) {
    const { verdict, source } = record.predicate.timing.clock;
    if (!policy.clock.accept.some((accepted) => accepted === verdict)) {
      return fail('EV-305', `${describeRecord(record)}: the clock (${source}) was ${verdict}`);
    }
    verdicts.add(`${verdict} (${source})`);
  }
  return pass(list(verdicts));
}

function checkOrder({ evidence, time }: Examination): Finding {
  const approvedAt = new Map(
    evidence.releases.map(({ candidate, approvals }) => [
      candidate.payloadDigest,
      Math.max(candidate.at, ...approvals.map(({ at }) => at)),
    ]),
  );
  let previous: Step | undefined;
  for (const record of evidence.chain) {
    const releasedAt = approvedAt.get(record.predicate.release.candidateDigest.sha256);
    if (releasedAt !== undefined && record.at < releasedAt) {
      return fail('EV-114', `${describeRecord(record)} is dated before the release was approved`);
    }
    if (record.kind === 'event' && parseInstant(record.predicate.timing.startedAt) > record.at) {
      return fail('EV-114', `${describeRecord(record)} began after it ended`);
    }
    for (const step of stepsOf(record)) {
      if (previous !== undefined && step.at < previous.at) {
        return fail('EV-114', `${describeStep(step)} is dated before ${describeStep(previous)}`);
      }
      previous = step;
    }
  }
  const backwards = findMonotonicStep(evidence.chain);
  if (backwards !== undefined) return fail('EV-114', backwards);
  const future = evidence.records.find(({ at }) => at > time);
  if (future !== undefined) {
    return fail('EV-114', `${describeRecord(future)} is dated after the time of checking, ${formatInstant(time)}`);
  }
  return pass(previous === undefined ? 'nothing to compare' : `in order, up to ${formatInstant(previous.at)}`);
}

interface Step {
  readonly record: ChainRecord;
  readonly name: 'intendedAt' | 'programmedAt' | 'measuredAt' | 'signedAt';
  readonly at: Instant;
}

/** What a record dates, in the order in which it must have happened. */
function stepsOf(record: ChainRecord): readonly Step[] {
  if (record.kind === 'intent') return [{ record, name: 'intendedAt', at: record.at }];
  const { programmedAt, measuredAt } = record.predicate.timing;
  const steps: Step[] = [];
  if (programmedAt !== null) steps.push({ record, name: 'programmedAt', at: parseInstant(programmedAt) });
  if (measuredAt !== null) steps.push({ record, name: 'measuredAt', at: parseInstant(measuredAt) });
  steps.push({ record, name: 'signedAt', at: record.at });
  return steps;
}

function describeStep({ record, name }: Step): string {
  return `${name} of ${describeRecord(record)}`;
}

/** Within one boot of one station the monotonic clock cannot fall, whatever was done to the wall clock. */
function findMonotonicStep(chain: readonly ChainRecord[]): string | undefined {
  const highest = new Map<string, number>();
  for (const record of chain) {
    const { bootId, monotonicMs } = record.predicate.timing.clock;
    const boot = `${bootId} ${record.predicate.station.id}`;
    if (monotonicMs < (highest.get(boot) ?? 0)) return `the monotonic clock fell before ${describeRecord(record)}`;
    highest.set(boot, monotonicMs);
  }
  return undefined;
}

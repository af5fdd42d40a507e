// SPDX-License-Identifier: Apache-2.0
/** How people approve (A35), computed from the signed record: how long they took, and how many they gave in an hour. */
import type { TrustedKey } from '@witnessmark/attestation';
import { formatInstant, parseInstant, sha256Hex, type Envelope, type Instant } from '@witnessmark/core';
import { readApproval, readCandidate } from '@witnessmark/trust';

const HOUR_MS = 3_600_000;

/** When habit is to be suspected; for people to look at, not for a gate to refuse. */
export interface HabitLimits {
  /** Sooner after the proposal, or after the same person's last approval, than anybody can have looked. */
  readonly hastyMs: number;
  readonly manyPerHour: number;
}

export const HABIT_LIMITS: HabitLimits = { hastyMs: 60_000, manyPerHour: 6 };

export interface ApproverIndicators {
  readonly person: string;
  readonly approvals: number;
  readonly denials: number;
  /** From proposal to approval; null when there is no approval whose proposal is in the record. */
  readonly medianMs: number | null;
  readonly fastestMs: number | null;
  /** Between two approvals of one person; null with fewer than two. */
  readonly shortestGapMs: number | null;
  readonly mostInOneHour: number;
  /** What somebody should ask about. */
  readonly flags: readonly string[];
}

export interface ApprovalIndicators {
  /** First and last decision looked at; null when there is none, which is not the same as zero. */
  readonly from: string | null;
  readonly until: string | null;
  readonly approvers: readonly ApproverIndicators[];
}

interface Approval {
  readonly at: Instant;
  /** Null when the proposal is not in the record. */
  readonly tookMs: number | null;
}

/** Statements that no enrolled person signed do not count; the order of the record does not matter. */
export function approvalIndicators(
  record: readonly Envelope[],
  keys: readonly TrustedKey[],
  limits: HabitLimits = HABIT_LIMITS,
): ApprovalIndicators {
  const proposedAt = new Map<string, Instant>();
  for (const envelope of record) {
    const candidate = readCandidate(envelope, keys);
    if (candidate !== null) {
      proposedAt.set(sha256Hex(envelope.payload), parseInstant(candidate.statement.predicate.proposedAt));
    }
  }
  const people = new Map<string, { approvals: Approval[]; denials: number }>();
  const times: Instant[] = [];
  for (const envelope of record) {
    const decision = readApproval(envelope, keys);
    if (decision === null) continue;
    const { predicate, subject } = decision.statement;
    const own = people.get(decision.key.owner) ?? { approvals: [], denials: 0 };
    people.set(decision.key.owner, own);
    const at = parseInstant(predicate.approvedAt);
    times.push(at);
    const proposed = proposedAt.get(subject[0].digest.sha256);
    if (predicate.decision === 'deny') own.denials += 1;
    else own.approvals.push({ at, tookMs: proposed === undefined ? null : at - proposed });
  }
  return {
    from: times.length === 0 ? null : formatInstant(Math.min(...times)),
    until: times.length === 0 ? null : formatInstant(Math.max(...times)),
    approvers: [...people].map(([person, { approvals, denials }]) => describe(person, approvals, denials, limits)),
  };
}

function describe(
  person: string,
  approvals: readonly Approval[],
  denials: number,
  limits: HabitLimits,
): ApproverIndicators {
  const times = approvals.map(({ at }) => at).sort((left, right) => left - right);
  const took = approvals.flatMap(({ tookMs }) => tookMs ?? []).sort((left, right) => left - right);
  const gaps = times.slice(1).map((at, index) => at - (times[index] as Instant));
  const numbers = {
    medianMs: took[Math.floor((took.length - 1) / 2)] ?? null,
    fastestMs: took[0] ?? null,
    shortestGapMs: gaps.length === 0 ? null : Math.min(...gaps),
    mostInOneHour: Math.max(
      0,
      ...times.map((start) => times.filter((at) => at >= start && at < start + HOUR_MS).length),
    ),
  };
  return { person, approvals: approvals.length, denials, ...numbers, flags: findFlags(numbers, limits) };
}

function findFlags(
  {
    fastestMs,
    shortestGapMs,
    mostInOneHour,
  }: Pick<ApproverIndicators, 'fastestMs' | 'shortestGapMs' | 'mostInOneHour'>,
  { hastyMs, manyPerHour }: HabitLimits,
): readonly string[] {
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  const isHasty = fastestMs !== null && fastestMs < hastyMs;
  const isHabit = shortestGapMs !== null && shortestGapMs < hastyMs;
  return [
    ...(isHasty ? [`approved ${seconds(fastestMs)} after the proposal`] : []),
    ...(isHabit ? [`approved twice within ${seconds(shortestGapMs)}`] : []),
    ...(mostInOneHour > manyPerHour ? [`approved ${mostInOneHour} in one hour`] : []),
  ];
}

// SPDX-License-Identifier: Apache-2.0
/** Where a promotion stands. Always computed, from signatures, the repository and the clock; stored nowhere (A31). */
import { isValidAt, releaseClassOf, type ReleaseClass, type TrustedKey } from '@witnessmark/attestation';
import {
  formatInstant,
  parseInstant,
  RefusedError,
  type CustodyGrade,
  type Instant,
  type ReasonCode,
} from '@witnessmark/core';
import { approvalsCountFrom, type ApprovalRule, type MissingApprovals, type Requesters } from '@witnessmark/trust';
import { checkStaged, inspectPromotion, isPublished, type Promotion } from './inspection.ts';
import { checkKeyDemands, type KeyDemands } from './key-demands.ts';
import type { PromotionStore, StoredPromotion } from './promotion-store.ts';
import { refusalOf } from './refusal-of.ts';
import { checkSealing, type SealingOptions } from './sealing.ts';
import { tallyDecisions, type Decision, type Tally } from './tally.ts';
import type { Site, Workspace } from './workspace.ts';

/**
 * `waiting` for people · `approved` by enough, to be published · `promoted` · `withdrawn` · `denied` · `expired` ·
 * `overtaken` by another release · `void` because a byte changed.
 */
export type PromotionState =
  'waiting' | 'approved' | 'promoted' | 'withdrawn' | 'denied' | 'expired' | 'overtaken' | 'void';

/** Where a proposal stands that takes no more decisions, by what refuses them. */
export const STATE_OF_CODE: Partial<Record<ReasonCode, 'denied' | 'expired' | 'overtaken'>> = {
  'PL-104': 'expired',
  'PL-107': 'denied',
  'PL-115': 'overtaken',
};

export interface DecisionSummary {
  readonly person: string;
  readonly role: string;
  readonly keyid: string;
  readonly decision: 'approve' | 'deny';
  readonly meaning: string;
  readonly ticket: string;
  readonly decidedAt: string;
  /** Why it does not count; null when it does. */
  readonly objection: string | null;
  /** Of the key it was signed with. */
  readonly custodyGrade: CustodyGrade;
  readonly workstation: string | null;
}

export interface ProposalSummary {
  readonly releaseId: string;
  readonly version: string;
  readonly sku: string;
  readonly releaseCounter: number;
  readonly candidateDigest: string;
  readonly author: string;
  /** Null when the proposal does not say. */
  readonly builder: string | null;
  readonly releaseClass: ReleaseClass;
  readonly ticket: string;
  readonly reason: string;
  readonly proposedAt: string;
  readonly expiresAt: string;
}

/** Somebody who may still approve, and the key to do it with. */
export interface EligiblePerson {
  readonly person: string;
  readonly role: string;
  readonly custodyGrade: CustodyGrade;
  /** Null where the trusted root does not say. */
  readonly token: TrustedKey['token'];
}

export interface PromotionStatus {
  readonly promotionId: string;
  readonly state: PromotionState;
  /** What an approval now would be refused with; null when it would not. */
  readonly code: ReasonCode | null;
  readonly detail: string;
  /** Null when what was proposed cannot be told any more. */
  readonly proposal: ProposalSummary | null;
  readonly decisions: readonly DecisionSummary[];
  /** Null when enough people approved. */
  readonly missing: MissingApprovals | null;
  /** Who may still approve. */
  readonly eligible: readonly EligiblePerson[];
  /** What counts, and somebody should look at. */
  readonly flags: readonly string[];
}

/** A promotion with its tally. */
export interface JudgedPromotion {
  readonly promotion: Promotion;
  readonly tally: Tally;
}

export interface Judge {
  readonly workspace: Workspace;
  readonly site: Site;
  readonly store: PromotionStore;
  readonly rule: ApprovalRule;
  /** What production asks of keys; null elsewhere. */
  readonly demands: KeyDemands | null;
  /** Null where releases cannot be sealed. */
  readonly sealing: SealingOptions | null;
  readonly now: Instant;
}

/** Inspects a promotion and counts its decisions; throws PL-103. */
export function judgePromotion(stored: StoredPromotion, judge: Judge): JudgedPromotion {
  const { workspace, site, rule, demands, now } = judge;
  const promotion = inspectPromotion(stored, workspace, site, judge);
  const tally = tallyDecisions(stored.decisions, {
    candidateDigest: promotion.candidateDigest,
    requesters: requestersOf(promotion),
    countsFrom: approvalsCountFrom(promotion.candidate, rule),
    demands,
    keys: workspace.keys,
    rule,
    isTargetsSignature: (signature) => workspace.author.isTargetsSignature(promotion.staged, signature),
    now,
  });
  return { promotion, tally };
}

/** Throws what stands in the way of any further approval: what {@link checkOpen} throws, BX-204 or BX-207. */
export function checkApprovable(judged: JudgedPromotion, judge: Judge): void {
  checkOpen(judged, judge);
  checkSealing(judged.promotion.manifest, judge.sealing?.policy ?? 'optional', judge);
}

/** Throws what stands in the way of any further decision: PL-113, PL-107, PL-104, PL-116, PL-115 or PL-103. */
export function checkOpen({ promotion, tally }: JudgedPromotion, { workspace, now }: Judge): void {
  const { promotionId, candidate, manifest } = promotion;
  if (isPublished(promotion, workspace)) {
    throw new RefusedError('PL-113', `${promotionId} is published as ${manifest.releaseId}`);
  }
  if (tally.denial !== null) {
    const { approver, meaning } = tally.denial.predicate;
    throw new RefusedError('PL-107', `${promotionId} was denied by ${approver.id}: ${meaning}`);
  }
  if (now >= parseInstant(candidate.expiresAt)) {
    throw new RefusedError('PL-104', `${promotionId} ran out at ${candidate.expiresAt}; it is ${formatInstant(now)}`);
  }
  if (!isValidAt(promotion.authorKey, now)) {
    throw new RefusedError('PL-116', `the key of its author ${promotion.authorKey.owner} is not valid any more`);
  }
  checkStaged(promotion, workspace);
}

export function describePromotion(judged: JudgedPromotion, judge: Judge): PromotionStatus {
  const { promotion, tally } = judged;
  const { workspace } = judge;
  const objection = refusalOf(() => {
    checkApprovable(judged, judge);
  });
  const state = toState(judged, workspace, objection);
  return {
    promotionId: promotion.promotionId,
    state,
    code: objection?.code ?? null,
    detail: objection?.message ?? tally.missing?.detail ?? 'enough people approved',
    proposal: summarize(promotion),
    decisions: tally.decisions.map(summarizeDecision),
    missing: tally.missing,
    eligible: state === 'waiting' ? findEligible(judged, judge) : [],
    flags: findFlags(tally),
  };
}

/** The status of a promotion whose bytes do not agree any more. */
export function describeVoid(promotionId: string, refusal: RefusedError): PromotionStatus {
  return {
    promotionId,
    state: 'void',
    code: refusal.code,
    detail: refusal.message,
    proposal: null,
    decisions: [],
    missing: null,
    eligible: [],
    flags: [],
  };
}

function requestersOf({ authorKey, candidate }: Promotion): Requesters {
  return { author: authorKey.owner, builder: candidate.builder?.id ?? null };
}

function toState(
  { promotion, tally }: JudgedPromotion,
  workspace: Workspace,
  objection: RefusedError | null,
): PromotionState {
  if (objection === null) return tally.missing === null ? 'approved' : 'waiting';
  if (!isPublished(promotion, workspace)) return STATE_OF_CODE[objection.code] ?? 'void';
  const isWithdrawn = workspace.effectivity.withdrawn.some(
    ({ releaseId }) => releaseId === promotion.manifest.releaseId,
  );
  return isWithdrawn ? 'withdrawn' : 'promoted';
}

function summarize({ candidate, candidateDigest, manifest, authorKey }: Promotion): ProposalSummary {
  return {
    releaseId: manifest.releaseId,
    version: manifest.version,
    sku: manifest.product.sku,
    releaseCounter: manifest.releaseCounter,
    candidateDigest,
    author: authorKey.owner,
    builder: candidate.builder?.id ?? null,
    releaseClass: releaseClassOf(manifest),
    ticket: candidate.ticket,
    reason: candidate.reason,
    proposedAt: candidate.proposedAt,
    expiresAt: candidate.expiresAt,
  };
}

function summarizeDecision({ predicate, key, objection }: Decision): DecisionSummary {
  return {
    person: key.owner,
    role: key.scope,
    keyid: key.key.keyid,
    decision: predicate.decision,
    meaning: predicate.meaning,
    ticket: predicate.ticket,
    decidedAt: predicate.approvedAt,
    objection,
    custodyGrade: key.custodyGrade,
    workstation: predicate.workstation ?? null,
  };
}

function findEligible(
  { promotion, tally }: JudgedPromotion,
  { workspace, demands, now }: Judge,
): readonly EligiblePerson[] {
  const { author, builder } = requestersOf(promotion);
  const done = new Set([author, builder, ...tally.approvals.map(({ key }) => key.owner)]);
  const mayUse = (key: TrustedKey): boolean =>
    demands === null || refusalOf(() => checkKeyDemands(key, null, demands)) === null;
  const keys = workspace.keys.filter((key) => key.role === 'approver' && mayUse(key));
  return toEligible(keys, done, now);
}

/** The holders of these keys, once each, without those who are done. */
export function toEligible(
  keys: readonly TrustedKey[],
  done: ReadonlySet<string | null>,
  now: Instant,
): readonly EligiblePerson[] {
  const people = new Map<string, EligiblePerson>();
  for (const key of keys) {
    const { owner, scope, custodyGrade, token } = key;
    if (isValidAt(key, now) && !done.has(owner)) {
      people.set(owner, { person: owner, role: scope, custodyGrade, token });
    }
  }
  return [...people.values()];
}

/** One workstation and one minute look like one person with two cards (A27); that is for people to judge. */
function findFlags({ approvals }: Tally): readonly string[] {
  return approvals.flatMap((later, index) =>
    approvals.slice(0, index).flatMap((earlier) => {
      const [first, second] = [earlier.predicate, later.predicate];
      const isSamePlace = first.workstation !== undefined && first.workstation === second.workstation;
      const isSameMinute = Math.abs(parseInstant(second.approvedAt) - parseInstant(first.approvedAt)) < 60_000;
      if (!isSamePlace || !isSameMinute) return [];
      return [`${first.approver.id} and ${second.approver.id} signed within a minute at ${first.workstation ?? ''}`];
    }),
  );
}

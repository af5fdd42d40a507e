// SPDX-License-Identifier: Apache-2.0
/** Where a promotion stands. Always computed, from signatures, the repository and the clock; stored nowhere (A31). */
import { isValidAt, type TrustedKey } from '@witnessmark/attestation';
import { formatInstant, parseInstant, RefusedError, type Instant, type ReasonCode } from '@witnessmark/core';
import type { ApprovalRule, MissingApprovals } from '@witnessmark/trust';
import { checkStaged, inspectPromotion, isPublished, type Promotion } from './inspection.ts';
import type { PromotionStore, StoredPromotion } from './promotion-store.ts';
import { tallyDecisions, type Decision, type Tally } from './tally.ts';
import type { Site, Workspace } from './workspace.ts';

/**
 * `waiting` for people · `approved` by enough, to be published · `promoted` · `withdrawn` · `denied` · `expired` ·
 * `overtaken` by another release · `void` because a byte changed.
 */
export type PromotionState =
  'waiting' | 'approved' | 'promoted' | 'withdrawn' | 'denied' | 'expired' | 'overtaken' | 'void';

const STATE_OF_CODE: Partial<Record<ReasonCode, PromotionState>> = {
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
}

export interface ProposalSummary {
  readonly releaseId: string;
  readonly version: string;
  readonly sku: string;
  readonly releaseCounter: number;
  readonly candidateDigest: string;
  readonly author: string;
  readonly ticket: string;
  readonly reason: string;
  readonly proposedAt: string;
  readonly expiresAt: string;
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
  readonly eligible: readonly { readonly person: string; readonly role: string }[];
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
  readonly now: Instant;
}

/** Inspects a promotion and counts its decisions; throws PL-103. */
export function judgePromotion(stored: StoredPromotion, judge: Judge): JudgedPromotion {
  const { workspace, site, store, rule, now } = judge;
  const promotion = inspectPromotion(stored, workspace, site, store);
  const tally = tallyDecisions(stored.decisions, {
    candidateDigest: promotion.candidateDigest,
    author: promotion.authorKey.owner,
    keys: workspace.keys,
    rule,
    isTargetsSignature: (signature) => workspace.author.isTargetsSignature(promotion.staged, signature),
    now,
  });
  return { promotion, tally };
}

/** Throws what stands in the way of any further approval: PL-113, PL-107, PL-104, PL-116, PL-115 or PL-103. */
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
  const { workspace, now } = judge;
  const objection = findObjection(judged, judge);
  const state = toState(judged, workspace, objection);
  const author = promotion.authorKey.owner;
  return {
    promotionId: promotion.promotionId,
    state,
    code: objection?.code ?? null,
    detail: objection?.message ?? tally.missing?.detail ?? 'enough people approved',
    proposal: summarize(promotion),
    decisions: tally.decisions.map(summarizeDecision),
    missing: tally.missing,
    eligible: state === 'waiting' ? findEligible(workspace.keys, tally, author, now) : [],
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
  };
}

function findObjection(judged: JudgedPromotion, judge: Judge): RefusedError | null {
  try {
    checkOpen(judged, judge);
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
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
  };
}

function findEligible(
  keys: readonly TrustedKey[],
  { approvals }: Tally,
  author: string,
  now: Instant,
): PromotionStatus['eligible'] {
  const done = new Set([author, ...approvals.map(({ key }) => key.owner)]);
  const people = new Map<string, string>();
  for (const key of keys) {
    if (key.role === 'approver' && isValidAt(key, now) && !done.has(key.owner)) people.set(key.owner, key.scope);
  }
  return [...people].map(([person, role]) => ({ person, role }));
}

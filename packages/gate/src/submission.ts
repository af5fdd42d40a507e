// SPDX-License-Identifier: Apache-2.0
/** A decision that comes from an approver's own machine: believed for its signatures, which also prove who asked. */
import { isValidAt, type ReleaseApproval, type TrustedKey } from '@witnessmark/attestation';
import { parseInstant, RefusedError } from '@witnessmark/core';
import { approvalsCountFrom, readApproval } from '@witnessmark/trust';
import type { Attempt } from './gate-refusals.ts';
import { checkKeyDemands } from './key-demands.ts';
import type { StoredDecision } from './promotion-store.ts';
import type { Judge, JudgedPromotion } from './status.ts';

interface Submission {
  readonly decision: StoredDecision;
  readonly approver: TrustedKey;
  readonly predicate: ReleaseApproval;
}

/** Throws PL-105, PL-103, PL-104, PL-117, PL-120 or, in production, CU-202, CU-203 or CU-135. */
export function readSubmission(
  decision: StoredDecision,
  { promotion, tally }: JudgedPromotion,
  { workspace, demands, rule, now }: Judge,
  attempt: Attempt,
): Submission {
  const signed = readApproval(decision.envelope, workspace.keys);
  if (signed === null) throw new RefusedError('PL-105', 'the decision is not signed by an approver in their own name');
  const { key: approver, statement } = signed;
  attempt.prove(approver, decision.envelope.payload);
  const { predicate, subject } = statement;
  if (!isValidAt(approver, now)) throw new RefusedError('PL-105', `the key of ${approver.owner} is not valid any more`);
  if (demands !== null) checkKeyDemands(approver, null, demands);
  if (subject[0].digest.sha256 !== promotion.candidateDigest) {
    throw new RefusedError(
      'PL-103',
      `${approver.owner} decided about other bytes than ${promotion.promotionId} has here`,
    );
  }
  if (predicate.decision === 'approve') {
    const at = parseInstant(predicate.approvedAt);
    if (now >= parseInstant(predicate.expiresAt))
      throw new RefusedError('PL-104', `it ran out at ${predicate.expiresAt}`);
    if (at < approvalsCountFrom(promotion.candidate, rule))
      throw new RefusedError('PL-117', `it was given at ${predicate.approvedAt}`);
    const { targetsSignature } = decision;
    if (targetsSignature === null || !workspace.author.isTargetsSignature(promotion.staged, targetsSignature)) {
      throw new RefusedError(
        'PL-105',
        `${approver.owner} did not sign the targets metadata with a key of the repository`,
      );
    }
    const isUsed = tally.approvals.some(
      (other) => other.key.owner !== approver.owner && other.targetsSignature?.keyid === targetsSignature.keyid,
    );
    if (isUsed) throw new RefusedError('PL-120', 'this targets key signed for somebody else');
  }
  return { decision, approver, predicate };
}

// SPDX-License-Identifier: Apache-2.0
/** The statements of the promotion gate: proposed, approved or denied, withdrawn (spec/release-candidate.md, spec/release-approval.md). */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, remark } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { releaseManifestSchema } from '../documents/release-manifest.ts';
import { effectivityRule } from '../documents/effectivity.ts';

/** Subject: the digest of the release manifest's bytes. */
const candidateSchema = z.object({
  promotionId: identifier,
  manifest: releaseManifestSchema,
  effectivity: effectivityRule,
  /** Whose effectivity gets the rule. */
  site: z.object({ plant: identifier, line: identifier }).optional(),
  /** The trust repository's targets metadata that promotion publishes: version and digest of its canonical signed bytes. */
  targets: z.object({ version: counter, digest: digestSet }),
  proposedBy: z.object({ id: identifier }),
  proposedAt: instantText,
  expiresAt: instantText,
  ticket: identifier,
  reason: remark,
});

/** Subject: the digest of the candidate statement's payload. */
const approvalSchema = z.object({
  promotionId: identifier,
  releaseId: identifier,
  decision: z.enum(['approve', 'deny']),
  approver: z.object({ id: identifier, role: identifier }),
  meaning: remark.min(1),
  ticket: identifier,
  approvedAt: instantText,
  expiresAt: instantText,
});

/** Subject: the digest of the release manifest's bytes. */
const withdrawalSchema = z.object({
  releaseId: identifier,
  withdrawnBy: z.object({ id: identifier, role: identifier }),
  reason: remark.min(1),
  ticket: identifier,
  withdrawnAt: instantText,
});

export type ReleaseCandidate = z.infer<typeof candidateSchema>;
export const releaseCandidate: PredicateDefinition<ReleaseCandidate> = {
  predicateType: PREDICATE_TYPES.releaseCandidate,
  schema: candidateSchema,
};

export type ReleaseApproval = z.infer<typeof approvalSchema>;
export const releaseApproval: PredicateDefinition<ReleaseApproval> = {
  predicateType: PREDICATE_TYPES.releaseApproval,
  schema: approvalSchema,
};

export type ReleaseWithdrawal = z.infer<typeof withdrawalSchema>;
export const releaseWithdrawal: PredicateDefinition<ReleaseWithdrawal> = {
  predicateType: PREDICATE_TYPES.releaseWithdrawal,
  schema: withdrawalSchema,
};

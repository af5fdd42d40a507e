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
  /** Who built the image, or runs what built it; never an approver of it. */
  builder: z.object({ id: identifier }).optional(),
  /** The exception under which a security counter may fall: the digest of its payload. */
  counterException: z.object({ id: identifier, digest: digestSet }).optional(),
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
  /** The machine it was signed on, by its own word. */
  workstation: identifier.optional(),
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

/** Subject: the digest of the image. Signed by two approvers, both over one payload. */
const counterExceptionSchema = z.object({
  exceptionId: identifier,
  sku: identifier,
  component: identifier,
  /** The highest security counter published for the component, and the lower one that is allowed for this image. */
  published: counter,
  allowed: counter,
  requestedBy: z.object({ id: identifier }),
  reason: remark.min(1),
  ticket: identifier,
  requestedAt: instantText,
  expiresAt: instantText,
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

export type CounterException = z.infer<typeof counterExceptionSchema>;
export const counterException: PredicateDefinition<CounterException> = {
  predicateType: PREDICATE_TYPES.counterException,
  schema: counterExceptionSchema,
};

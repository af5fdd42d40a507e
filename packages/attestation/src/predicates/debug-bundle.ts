// SPDX-License-Identifier: Apache-2.0
/**
 * The life of a debug bundle: proposed, approved or denied by other people, sealed for named recipients
 * (spec/debug-bundle.md). One predicate type, told apart by `act`.
 */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, remark } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

export const MAX_DEBUG_BUNDLE_FILES = 64;
export const MAX_DEBUG_BUNDLE_RECIPIENTS = 8;

const content = z.object({
  path: z.string().min(1).max(240),
  bytes: counter,
  digest: digestSet,
  /** The class its rule in the contents list gives it. */
  class: identifier,
  /** What was found: no program, a program without symbols, or one with. */
  symbols: z.enum(['none', 'stripped', 'present']),
});

/** Named documents the content was examined by. */
const policies = z.object({ contentsList: digestSet, secretClasses: digestSet, markers: digestSet.nullable() });

/** Subject: `contents`, with the tree digest of the files (spec/tree-digest.md). */
const proposal = z.object({
  act: z.literal('propose'),
  bundleId: identifier,
  requester: z.object({ id: identifier, role: identifier }),
  recipients: z
    .array(z.object({ id: identifier, recipient: z.string().regex(/^age1(?:pq1)?[02-9ac-hj-np-z]{8,4000}$/) }))
    .min(1)
    .max(MAX_DEBUG_BUNDLE_RECIPIENTS),
  contents: z.array(content).min(1).max(MAX_DEBUG_BUNDLE_FILES),
  policies,
  /** SHA-256 of the payload of an earlier bundle's proposal, when this is the same for others. */
  reseals: digestSet.nullable(),
  purpose: remark.min(1),
  ticket: identifier,
  proposedAt: instantText,
  /** The sealed files may be opened until then. */
  expiresAt: instantText,
});

/** Subject: `proposal`, with the digest of the proposal statement's payload. */
const decision = z.object({
  act: z.enum(['approve', 'deny']),
  bundleId: identifier,
  approver: z.object({ id: identifier, role: identifier }),
  meaning: remark.min(1),
  ticket: identifier,
  decidedAt: instantText,
  /** An approval counts until then, unless the bundle was sealed before. */
  expiresAt: instantText,
});

/** Subject: `proposal`, as for decisions. */
const seal = z.object({
  act: z.literal('seal'),
  bundleId: identifier,
  sealedBy: z.object({ id: identifier, role: identifier }),
  /** SHA-256 of the payload of each approval. */
  approvals: z.array(digestSet).min(2).max(16),
  files: z
    .array(
      z.object({
        recipient: identifier,
        name: z.string().min(1).max(240),
        bytes: counter,
        digest: digestSet,
        /** SHA-256 of the recipient's watermark; the mark itself stays with the office. */
        watermark: digestSet,
      }),
    )
    .min(1)
    .max(MAX_DEBUG_BUNDLE_RECIPIENTS),
  sealedAt: instantText,
  expiresAt: instantText,
});

const schema = z.discriminatedUnion('act', [proposal, decision, seal]);

export type DebugBundle = z.infer<typeof schema>;
export type DebugBundleProposal = z.infer<typeof proposal>;
export type DebugBundleDecision = z.infer<typeof decision>;
export type DebugBundleSeal = z.infer<typeof seal>;
export const debugBundle: PredicateDefinition<DebugBundle> = {
  predicateType: PREDICATE_TYPES.debugBundle,
  schema,
};

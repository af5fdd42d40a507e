// SPDX-License-Identifier: Apache-2.0
/** Statements about the keys themselves: enrolment, a change of root or trusted root, and a holder's decision (spec/trust-change.md). */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, remark } from '../fields.ts';
import { CUSTODY_GRADES } from '@witnessmark/core';
import { CUSTODY_KINDS, HOLDER_USES, KEY_ROLES } from '../documents/trusted-root.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/** DER in base64; a PIV attestation has two. */
const certificate = z.string().min(1).max(8192);

/** Subject: the SHA-256 of the key's SubjectPublicKeyInfo. Signed with that key, which proves its possession. */
const enrolmentSchema = z.object({
  owner: identifier,
  /** What its statements may mean; null for a key that signs repository metadata only. */
  role: z.enum(KEY_ROLES).nullable(),
  scope: identifier.nullable(),
  /** What it signs in the trust repository. */
  uses: z.array(z.enum(HOLDER_USES)).max(4),
  custody: z.enum(CUSTODY_KINDS),
  custodyGrade: z.enum(CUSTODY_GRADES),
  /** The vendor's attestation of the card with this serial, leaf first; what the grade `vendorAttested` rests on. */
  attestation: z.object({ serial: counter, certificates: z.array(certificate).min(2).max(4) }).nullable(),
  rehearsal: z.boolean(),
  token: z.object({ label: identifier, serial: identifier }).nullable(),
  /** SubjectPublicKeyInfo, DER, base64. */
  publicKey: z.string().min(1).max(256),
  requestedAt: instantText,
});

const staged = z.object({ version: counter, digest: digestSet });

/** Subject: the digest of the new trusted root's bytes. Signed by whoever proposes, who cannot be one of those who approve. */
const changeSchema = z.object({
  changeId: identifier,
  /** Version and digest of the canonical signed bytes of the metadata to be published; null when the root stays. */
  root: staged.nullable(),
  targets: staged,
  trustedRootVersion: counter,
  /** Payload digests of the enrolments behind the keys it adds. */
  enrolments: z.array(digestSet).max(64),
  proposedBy: z.object({ id: identifier }),
  proposedAt: instantText,
  expiresAt: instantText,
  ticket: identifier,
  reason: remark.min(1),
});

/** Subject: the digest of the change statement's payload. */
const approvalSchema = z.object({
  changeId: identifier,
  decision: z.enum(['approve', 'deny']),
  holder: z.object({ id: identifier }),
  workstation: identifier.optional(),
  meaning: remark.min(1),
  ticket: identifier,
  approvedAt: instantText,
  expiresAt: instantText,
});

export type KeyEnrolment = z.infer<typeof enrolmentSchema>;
export const keyEnrolment: PredicateDefinition<KeyEnrolment> = {
  predicateType: PREDICATE_TYPES.keyEnrolment,
  schema: enrolmentSchema,
};

export type TrustChange = z.infer<typeof changeSchema>;
export const trustChange: PredicateDefinition<TrustChange> = {
  predicateType: PREDICATE_TYPES.trustChange,
  schema: changeSchema,
};

export type TrustApproval = z.infer<typeof approvalSchema>;
export const trustApproval: PredicateDefinition<TrustApproval> = {
  predicateType: PREDICATE_TYPES.trustApproval,
  schema: approvalSchema,
};

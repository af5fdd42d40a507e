// SPDX-License-Identifier: Apache-2.0
/** `policy.json`: what must be true before the verifier says VERIFIED (spec/policy.md). It comes from the verifier's own side. */
import type { Bytes } from '@witnessmark/core';
import { formatDocument, GRADES, identifier, parseDocument, type Grade } from '@witnessmark/attestation';
import { z } from 'zod';

const grade = z.enum(GRADES);

/** What a policy file holds; every member, and no other. */
export const policySchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.policy.v1+json'),
  name: identifier,
  version: z.int().min(1),
  approvals: z.strictObject({
    /** How many different people must have approved the release; its author is never one of them. */
    threshold: z.int().min(1).max(16),
    /** Roles of approvers that must be among them. */
    requiredRoles: z.array(identifier).max(16),
  }),
  /** How many different owners must have cosigned every checkpoint; 0 asks for none. */
  witnesses: z.strictObject({ threshold: z.int().min(0).max(32) }),
  /** INSANE cannot be accepted. */
  clock: z.strictObject({ accept: z.array(z.enum(['SANE', 'DEGRADED'])).min(1) }),
  /** The weakest observation that counts. */
  grades: z.strictObject({ content: grade, protection: grade }),
  allow: z.strictObject({
    simulated: z.boolean(),
    rehearsal: z.boolean(),
    breakGlass: z.boolean(),
    softwareKeys: z.boolean(),
  }),
});

/** A policy, read or to be written. */
export type Policy = z.infer<typeof policySchema>;

/** Reads a policy; throws `ERR_DOCUMENT_FORMAT` or an `ERR_JSON_*` code. */
export function parsePolicy(bytes: Bytes): Policy {
  return parseDocument(policySchema, bytes);
}

/** Writes a policy; throws `TypeError` when it breaks its schema. */
export function formatPolicy(policy: Policy): Bytes {
  return formatDocument(policySchema, policy);
}

/** Whether an observation of `observed` grade is at least as strong as `required`. */
export function isGradeEnough(observed: Grade, required: Grade): boolean {
  return GRADES.indexOf(observed) >= GRADES.indexOf(required);
}

// SPDX-License-Identifier: Apache-2.0
/** `policy.json`: what must be true before the verifier says VERIFIED (spec/policy.md). It comes from the verifier's own side. */
import { CUSTODY_GRADES, type Bytes } from '@witnessmark/core';
import {
  CREDENTIAL_KINDS,
  formatDocument,
  GRADES,
  identifier,
  KEY_ROLES,
  parseDocument,
  type Grade,
} from '@witnessmark/attestation';
import { z } from 'zod';

const grade = z.enum(GRADES);

/** What a policy file holds; members from after version 1 of the format may be left out. */
export const policySchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.policy.v1+json'),
  name: identifier,
  version: z.int().min(1),
  approvals: z.strictObject({
    /** How many different people must have approved the release; its author is never one of them. */
    threshold: z.int().min(1).max(16),
    /** Roles of approvers that must be among them. */
    requiredRoles: z.array(identifier).max(16),
    /** How long a proposal must have been open before an approval counts; none when absent. */
    coolingOffMinutes: z.int().min(0).max(10_080).optional(),
  }),
  /** How many different owners must have cosigned every checkpoint; 0 asks for none. */
  witnesses: z.strictObject({ threshold: z.int().min(0).max(32) }),
  /** INSANE cannot be accepted. */
  clock: z.strictObject({ accept: z.array(z.enum(['SANE', 'DEGRADED'])).min(1) }),
  /** The weakest observation that counts. */
  grades: z.strictObject({ content: grade, protection: grade }),
  /** The weakest claim about how signing keys are kept that counts, by role; a role left out asks for none. */
  custody: z.strictObject({ minimumGrades: z.partialRecord(z.enum(KEY_ROLES), z.enum(CUSTODY_GRADES)) }).optional(),
  /** Kinds of sign-in that count; every kind when absent. */
  signIn: z.strictObject({ credentials: z.array(z.enum(CREDENTIAL_KINDS)).min(1) }).optional(),
  /** How many holders the root of the trust repository must ask for, when releases were taken under it. */
  trustRoot: z.strictObject({ minThreshold: z.int().min(1).max(64) }).optional(),
  allow: z.strictObject({
    simulated: z.boolean(),
    rehearsal: z.boolean(),
    breakGlass: z.boolean(),
    softwareKeys: z.boolean(),
    /** Units made while the line did not answer; refused when absent. */
    offline: z.boolean().optional(),
    /** Releases of the class `debug`; refused when absent. */
    debugReleases: z.boolean().optional(),
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

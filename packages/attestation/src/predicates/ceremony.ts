// SPDX-License-Identifier: Apache-2.0
/** What happened in a key ceremony (spec/ceremony-transcript.md); signed by its administrator and its witness. */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, remark, sha256Text } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { environment } from './shared.ts';

export const CEREMONY_TYPES = [
  'trustRoot',
  'rootRotation',
  'deviceCa',
  'hsmInitialisation',
  'cardIssue',
  'cardLoss',
  'transportKey',
  'keyDestruction',
  'breakGlassOpening',
  'breakGlassResealing',
] as const;

export const CEREMONY_OUTCOMES = ['completed', 'aborted'] as const;

/**
 * How a step's result came to be known: done now; found done after an interruption; told by the people where the world
 * does not show it; seen, where the step changes nothing.
 */
export const STEP_ORIGINS = ['performed', 'inspected', 'decided', 'observed'] as const;

const person = z.object({
  id: identifier,
  role: z.enum(['administrator', 'holder', 'witness', 'auditor']),
  /** SHA-256 of the SPKI of the key this person signs transcripts with. */
  keyid: sha256Text.nullable(),
});

const step = z.object({
  id: identifier,
  intendedAt: instantText,
  attempts: z.int().min(1),
  origin: z.enum(STEP_ORIGINS).nullable(),
  performedAt: instantText.nullable(),
  witnessedAt: instantText.nullable(),
  /** SHA-256 of the result's JSON, whose first characters the witness typed. */
  resultDigest: digestSet.nullable(),
  facts: z.array(z.object({ name: identifier, value: remark })).max(8),
  digests: z.array(z.object({ name: identifier, digest: digestSet })).max(8),
});

const key = z.object({
  step: identifier,
  name: identifier,
  change: z.enum(['made', 'used', 'retired', 'destroyed']),
  /** SHA-256 of the SPKI; null for a secret key, which has a check value instead. */
  keyid: sha256Text.nullable(),
  checkValue: z
    .string()
    .regex(/^[0-9a-f]{6}$/)
    .nullable(),
  holder: identifier,
  token: z
    .object({
      label: identifier,
      serial: identifier,
      manufacturer: identifier,
      model: identifier,
      firmware: identifier,
    })
    .nullable(),
  /** As read back from the token, for example `CKA_EXTRACTABLE`, `false`. */
  attributes: z.array(z.object({ name: identifier, value: remark })).max(24),
  grade: z.enum(['vendorAttested', 'tpmCertified', 'selfReported', 'asserted']),
  /** SHA-256 of each certificate of the attestation chain, leaf first. */
  certificateDigests: z.array(digestSet).max(3),
});

/** Subjects: the SPKI digest of each key made or changed; without any, the digest of the script. */
const ceremonySchema = z.object({
  ceremonyId: identifier,
  type: z.enum(CEREMONY_TYPES),
  purpose: remark.min(1),
  outcome: z.enum(CEREMONY_OUTCOMES),
  script: z.object({ name: identifier, version: counter, digest: digestSet }),
  environment,
  location: identifier,
  tool: z.object({ version: identifier, digest: digestSet }),
  people: z.array(person).min(2).max(16),
  quorum: z.object({ threshold: z.int().min(1), of: z.int().min(1) }).nullable(),
  equipment: z
    .array(z.object({ name: identifier, label: identifier, serial: identifier, bag: identifier.nullable() }))
    .max(16),
  inputs: z.array(z.object({ name: identifier, value: remark })).max(16),
  startedAt: instantText,
  finishedAt: instantText,
  /** In the order of the script; steps that were never begun are in `open` only. */
  steps: z.array(step).max(64),
  keys: z.array(key).max(160),
  exceptions: z
    .array(
      z.object({
        step: identifier.nullable(),
        at: instantText,
        text: remark.min(1),
        /** A person, or `program` for what it noticed itself. */
        by: identifier,
      }),
    )
    .max(1_000),
  /** Times nothing was done; `interruption` when the program had ended. */
  breaks: z
    .array(z.object({ from: instantText, until: instantText, kind: z.enum(['break', 'interruption']), reason: remark }))
    .max(1_000),
  /** Steps of the script that nobody witnessed. */
  open: z.array(identifier).max(64),
  /** The journal this was read from: how many records, and the value of its chain after the last one. */
  journal: z.object({ records: counter, digest: digestSet }),
});

export type Ceremony = z.infer<typeof ceremonySchema>;
export type CeremonyType = Ceremony['type'];
export const ceremony: PredicateDefinition<Ceremony> = {
  predicateType: PREDICATE_TYPES.ceremony,
  schema: ceremonySchema,
  maxSubjects: 160,
};

// SPDX-License-Identifier: Apache-2.0
/** A station measured itself; each start names the one before (spec/station-start.md). */
import { formatJson, sha256, type Bytes } from '@witnessmark/core';
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, publicKeyText, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence } from './shared.ts';

export const START_REASONS = ['start', 'shift', 'timer', 'prove'] as const;
export type StartReason = (typeof START_REASONS)[number];
export const DRIFT_CHANGES = ['missing', 'added', 'unmeasured'] as const;
/** Lines of drift beyond these are counted, not listed. */
export const MAX_DRIFT_LINES = 32;
/** Statements a station may have signed without a receipt when it measures itself. */
export const MAX_PENDING_STATEMENTS = 64;

/** Signed by the station; subject: `station`, the SHA-256 of its key. */
const schema = z.object({
  id: uuid,
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  /** SHA-256 of the SubjectPublicKeyInfo it is signed with; the chain belongs to the key, and a new key begins another. */
  keyDigest: digestSet,
  sequence: z.int().min(1),
  /** The start before: SHA-256 of its payload, and its index in the log; null for the first of a key. */
  previous: z.object({ digest: digestSet, index: counter }).nullable(),
  reason: z.enum(START_REASONS),
  /** What somebody asked it to be signed over; only with the reason `prove`. */
  nonce: z
    .string()
    .regex(/^[A-Za-z0-9._-]{8,64}$/)
    .nullable(),
  /** Changes with every start of the machine. */
  bootId: identifier,
  /** Of the machine's hardware (spec/station-enrolment.md). */
  fingerprint: digestSet,
  /** What measures and signs. */
  softwareDigest: digestSet,
  /** The approved build it compared with: SHA-256 of the record's payload; null when it has none. */
  build: z.object({ digest: digestSet, version: z.int().min(1) }).nullable(),
  /** As measured, without the lines that come and go. */
  manifest: z.object({ digest: digestSet, lines: counter }),
  /** What is not as approved; the first ones by name. */
  drift: z
    .array(z.object({ section: identifier, change: z.enum(DRIFT_CHANGES), line: z.string().max(1024) }))
    .max(MAX_DRIFT_LINES),
  driftCount: counter,
  /**
   * What the station has of the log: the largest head it verified, the highest index of a unit's statement it has a receipt
   * for, and what it signed about units and may have no receipt for yet.
   */
  known: z.object({
    head: z.object({ treeSize: counter, rootHash: sha256Text }).nullable(),
    lastReceipt: counter.nullable(),
    pending: z.array(sha256Text).max(MAX_PENDING_STATEMENTS),
  }),
  measuredAt: instantText,
  clock: clockEvidence,
  /** The TPM's signature over all of that and its registers, where there is a TPM; base64 as the TPM gave it. */
  quote: z
    .object({
      attestationKey: publicKeyText,
      quoted: z.string().min(1).max(1400),
      signature: z.string().min(1).max(700),
      registers: z
        .array(z.object({ index: z.int().min(0).max(23), value: sha256Text }))
        .min(1)
        .max(24),
    })
    .nullable(),
});

export type StationStart = z.infer<typeof schema>;
export const stationStart: PredicateDefinition<StationStart> = {
  predicateType: PREDICATE_TYPES.stationStart,
  schema,
};

/** The 32 bytes a TPM quotes: SHA-256 of the start's JSON, members in the order of the schema, with `quote` null. */
export function toQuotedData(start: StationStart): Bytes {
  return sha256(formatJson(schema.parse({ ...start, quote: null })));
}

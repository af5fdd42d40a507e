// SPDX-License-Identifier: Apache-2.0
/** Asking for, and granting, one pass of one device at one station for a short time (spec/permit.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, identity, MAX_SLOTS, operator, product, releaseReference } from './shared.ts';
import { spoolHead } from './spool.ts';

const requestSchema = z.object({
  requestId: uuid,
  transactionId: uuid,
  identity,
  product,
  /** The release the station holds ready; null lets the line name the one in effect. */
  releaseId: identifier.nullable(),
  operator,
  /** Which instance of the station asks: SHA-256 of the payload of its newest logged start. */
  station: z.object({ startDigest: digestSet }).optional(),
  /** The place at a station that has several. */
  slot: z.int().min(1).max(MAX_SLOTS).optional(),
  /** Why a unit that failed is tried again. */
  retestReason: remark.min(1).optional(),
  /** Where the station's spool ends, once it has had an allowance: what is in it was delivered before. */
  spool: spoolHead.optional(),
  requestedAt: instantText,
  clock: clockEvidence,
  environment,
});

const permitSchema = z.object({
  requestId: uuid,
  transactionId: uuid,
  deviceId: identifier,
  labelSerial: identifier,
  product,
  release: releaseReference,
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  /** The station's start it was given to; the intent and the unsealing made with it are of the same one. */
  startDigest: digestSet.optional(),
  operatorId: identifier,
  /** Where the unit's chain goes on. */
  chain: z.object({ nextSeq: z.int().min(1), previousEventDigest: digestSet.nullable() }),
  attempt: z.int().min(1),
  /** SHA-256 of the payload of the break-glass opening it was given under; the records made with it carry that mark. */
  breakGlass: sha256Text.nullable().optional(),
  issuedAt: instantText,
  expiresAt: instantText,
});

export type PermitRequest = z.infer<typeof requestSchema>;
export const permitRequest: PredicateDefinition<PermitRequest> = {
  predicateType: PREDICATE_TYPES.permitRequest,
  schema: requestSchema,
};

export type Permit = z.infer<typeof permitSchema>;
export const permit: PredicateDefinition<Permit> = { predicateType: PREDICATE_TYPES.permit, schema: permitSchema };

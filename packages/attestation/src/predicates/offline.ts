// SPDX-License-Identifier: Apache-2.0
/** Working while the line does not answer: asking for it, being allowed to, and bringing in what was made (spec/offline-allowance.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, MAX_SLOTS, operator, product, releaseReference } from './shared.ts';
import { spoolHead } from './spool.ts';

/** Units that may wait for the line at one station; each keeps a transaction open. */
export const MAX_OFFLINE_UNITS = 64;
export const MAX_OFFLINE_HOURS = 72;

const place = z.object({
  id: identifier,
  line: identifier,
  plant: identifier,
  slot: z.int().min(1).max(MAX_SLOTS).optional(),
});

const requestSchema = z.object({
  id: uuid,
  station: place,
  product,
  releaseId: identifier,
  operator,
  /** SHA-256 of the payload of the station's newest logged start, where starts are logged. */
  startDigest: digestSet.optional(),
  /** Where the station's spool ends; everything up to here was delivered. Absent when it knows of no spool. */
  spool: spoolHead.optional(),
  requestedAt: instantText,
  clock: clockEvidence,
  environment,
});

const allowanceSchema = z.object({
  id: uuid,
  /** Counts the allowances of one spool, from 1. */
  number: z.int().min(1),
  station: place,
  product,
  release: releaseReference,
  operatorId: identifier,
  /** SHA-256 of the payload of the session that work under it belongs to. */
  sessionDigest: digestSet,
  startDigest: digestSet.optional(),
  /** 0 lets nothing be made; it says only where the spool goes on. */
  maxUnits: z.int().min(0).max(MAX_OFFLINE_UNITS),
  /** Where the spool goes on, as the line has it. */
  spool: spoolHead,
  /** SHA-256 of the payload of the request. */
  requestDigest: digestSet,
  issuedAt: instantText,
  notAfter: instantText,
});

const deliverySchema = z.object({
  id: uuid,
  station: place,
  allowanceDigest: digestSet,
  /** The statements that follow: the numbers of the first and the last. */
  firstSeq: z.int().min(1),
  lastSeq: z.int().min(1),
  /** What the first names as the one before it. */
  previousDigest: digestSet.nullable(),
  /** SHA-256 of the payload of the last. */
  lastDigest: digestSet,
  /** Believed only as far as it agrees with the line's clock, which is why it bounds the times in what follows. */
  deliveredAt: instantText,
  clock: clockEvidence,
  environment,
});

/** Subject: the station's key. Not logged; the allowance names it. */
export type OfflineRequest = z.infer<typeof requestSchema>;
export const offlineRequest: PredicateDefinition<OfflineRequest> = {
  predicateType: PREDICATE_TYPES.offlineRequest,
  schema: requestSchema,
};

/** Subject: the station's key. Signed by the line. */
export type OfflineAllowance = z.infer<typeof allowanceSchema>;
export const offlineAllowance: PredicateDefinition<OfflineAllowance> = {
  predicateType: PREDICATE_TYPES.offlineAllowance,
  schema: allowanceSchema,
};

/** Subject: the station's key. */
export type OfflineDelivery = z.infer<typeof deliverySchema>;
export const offlineDelivery: PredicateDefinition<OfflineDelivery> = {
  predicateType: PREDICATE_TYPES.offlineDelivery,
  schema: deliverySchema,
};

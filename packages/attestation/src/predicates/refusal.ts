// SPDX-License-Identifier: Apache-2.0
/** A "no", with its code, as evidence (spec/refusal.md), and the decision that lifts a line stop (spec/disposition.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { environment, MAX_SLOTS } from './shared.ts';
import { spoolHead, spoolPlace } from './spool.ts';

export const REFUSAL_KINDS = ['LINE_STOP', 'UNIT_FAIL', 'HOLD', 'REFUSED'] as const;

/** What a code means for the people at the line. */
export function toRefusalKind(code: string): (typeof REFUSAL_KINDS)[number] {
  if (code.startsWith('LS-')) return 'LINE_STOP';
  if (code.startsWith('UF-')) return 'UNIT_FAIL';
  // A label that cannot be read is scanned again.
  return code.startsWith('HD-') || code.startsWith('LB-') ? 'HOLD' : 'REFUSED';
}

const refusalSchema = z.object({
  id: uuid,
  transactionId: uuid.nullable(),
  kind: z.enum(REFUSAL_KINDS),
  code: identifier,
  deviceId: sha256Text.nullable(),
  labelSerial: identifier.nullable(),
  /** SHA-256 of the payload this refuses, when it answers one. */
  requestDigest: digestSet.optional(),
  station: z.object({ id: identifier, line: identifier, slot: z.int().min(1).max(MAX_SLOTS).optional() }),
  operatorId: identifier.nullable(),
  expected: remark,
  observed: remark,
  refusedAt: instantText,
  environment,
  /** Present when a station made it while the line did not answer. */
  offline: spoolPlace.optional(),
  /** Present when the line refuses a spooled statement: its place, which is accounted for by this. */
  refusedPlace: spoolPlace.extend({ unit: z.int().min(1).optional() }).optional(),
  /** Present when the spool of the station is broken: its end, as whoever found out has it. */
  brokenSpool: spoolHead.optional(),
});

export const DISPOSITION_ACTIONS = [
  'quarantineUnit',
  'voidLabel',
  'scrapUnit',
  'allowRetry',
  'releaseStation',
] as const;

const dispositionSchema = z.object({
  id: uuid,
  /** The refusal, or the held event, this decides about. */
  refusalId: uuid,
  refusalDigest: digestSet,
  code: identifier,
  action: z.enum(DISPOSITION_ACTIONS),
  deviceId: sha256Text.nullable(),
  station: z.object({ id: identifier, line: identifier }),
  decidedBy: z.object({ id: identifier, role: identifier }),
  reason: remark.min(1),
  decidedAt: instantText,
});

export type Refusal = z.infer<typeof refusalSchema>;
export const refusal: PredicateDefinition<Refusal> = { predicateType: PREDICATE_TYPES.refusal, schema: refusalSchema };

export type Disposition = z.infer<typeof dispositionSchema>;
export const disposition: PredicateDefinition<Disposition> = {
  predicateType: PREDICATE_TYPES.disposition,
  schema: dispositionSchema,
};

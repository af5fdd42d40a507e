// SPDX-License-Identifier: Apache-2.0
/** A "no" of the office, with its code, as evidence (spec/gate-refusal.md). */
import { z } from 'zod';
import { identifier, instantText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/** What was asked for. */
export const GATE_ACTIONS = [
  'propose',
  'review',
  'approve',
  'deny',
  'submit',
  'publish',
  'withdraw',
  'except',
  'proposeTrust',
  'signTrust',
  'publishTrust',
] as const;
export type GateAction = (typeof GATE_ACTIONS)[number];

/** Subject: the digest of the signed payload that was refused; where nothing signed was offered, of the request's names. */
const gateRefusalSchema = z.object({
  id: uuid,
  action: z.enum(GATE_ACTIONS),
  code: identifier,
  /** The promotion, exception or change it was about. */
  about: identifier.nullable(),
  /** Null unless a signature proves who asked: a key that was only offered proves nothing. */
  requestedBy: z.object({ id: identifier, role: identifier, keyid: sha256Text }).nullable(),
  site: z.object({ plant: identifier, line: identifier }),
  detail: remark,
  /** How many refusals this one stands for; above 1 it sums up a flood, and `detail` says of what. */
  count: z.int().min(1),
  firstAt: instantText,
  refusedAt: instantText,
});

export type GateRefusal = z.infer<typeof gateRefusalSchema>;
export const gateRefusal: PredicateDefinition<GateRefusal> = {
  predicateType: PREDICATE_TYPES.gateRefusal,
  schema: gateRefusalSchema,
};

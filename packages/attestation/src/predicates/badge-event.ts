// SPDX-License-Identifier: Apache-2.0
/** What becomes of a badge: given to a person, locked after wrong PINs, unlocked, taken back (spec/operator-session.md, "Badges"). */
import { z } from 'zod';
import { digestSet, identifier, instantText, remark, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

export const BADGE_ACTIONS = ['enrol', 'lock', 'unlock', 'revoke'] as const;

const schema = z.object({
  id: uuid,
  action: z.enum(BADGE_ACTIONS),
  /** What the person is called in every record. */
  person: identifier,
  badgeDigest: digestSet,
  /** The enrolment this goes on from; null for an enrolment itself. */
  enrolmentId: uuid.nullable(),
  /** Of the salted PIN record the line keeps; null except for an enrolment. */
  pinRecordDigest: digestSet.nullable(),
  line: identifier,
  /** A supervisor; the line itself for a lock. */
  decidedBy: z.object({ id: identifier, role: identifier }),
  reason: remark,
  at: instantText,
});

export type BadgeEvent = z.infer<typeof schema>;
export const badgeEvent: PredicateDefinition<BadgeEvent> = { predicateType: PREDICATE_TYPES.badgeEvent, schema };

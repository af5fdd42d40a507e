// SPDX-License-Identifier: Apache-2.0
/** A person taking responsibility for a station for a while, signed with their own credential (spec/operator-session.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

const schema = z.object({
  session: z.object({ id: uuid, openedAt: instantText, expiresAt: instantText }),
  operator: z.object({ id: identifier, role: identifier, credentialKeyDigest: digestSet }),
  station: z.object({ id: identifier, line: identifier }),
});

export type OperatorSession = z.infer<typeof schema>;
export const operatorSession: PredicateDefinition<OperatorSession> = {
  predicateType: PREDICATE_TYPES.operatorSession,
  schema,
};

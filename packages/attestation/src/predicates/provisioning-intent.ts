// SPDX-License-Identifier: Apache-2.0
/** What a station is about to do to a device, durable and logged before the first byte is written (spec/provisioning-intent.md). */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import {
  chainedEvent,
  clockEvidence,
  environment,
  identity,
  operator,
  product,
  recipeReference,
  releaseReference,
  station,
} from './shared.ts';
import { spooledIntent } from './spool.ts';

const schema = z.object({
  event: chainedEvent,
  identity,
  product,
  release: releaseReference,
  recipe: recipeReference,
  components: z
    .array(
      z.object({
        name: identifier,
        slot: identifier,
        image: z.object({ name: identifier, digest: digestSet, length: counter }),
      }),
    )
    .min(1)
    .max(16),
  station,
  operator,
  /** SHA-256 of the permit statement's payload. */
  permitDigest: digestSet,
  timing: z.object({ intendedAt: instantText, clock: clockEvidence }),
  attempt: z.int().min(1),
  environment,
  /** Present when it was made while the line did not answer; its allowance takes the place of the permit then. */
  offline: spooledIntent.optional(),
});

export type ProvisioningIntent = z.infer<typeof schema>;
export const provisioningIntent: PredicateDefinition<ProvisioningIntent> = {
  predicateType: PREDICATE_TYPES.provisioningIntent,
  schema,
};

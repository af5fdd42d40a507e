// SPDX-License-Identifier: Apache-2.0
/** A station asking for the content keys of sealed images, for one unit; logged before a key is handed out (spec/image-unsealing.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, publicKeyText, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, identity, operator, product, releaseReference } from './shared.ts';

const schema = z.object({
  id: uuid,
  transactionId: uuid,
  identity,
  product,
  release: releaseReference,
  /** Every sealed component of the release; `sealedDigest` is that of the envelope, `digest` that of the image in it. */
  images: z
    .array(z.object({ name: identifier, digest: digestSet, sealedDigest: digestSet }))
    .min(1)
    .max(16),
  /** The station's, made for this unit and kept in memory: content keys are wrapped for it and for nothing else. */
  transportKey: publicKeyText,
  /** SHA-256 of the permit statement's payload. */
  permitDigest: digestSet,
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  operator,
  requestedAt: instantText,
  clock: clockEvidence,
  environment,
});

export type ImageUnsealing = z.infer<typeof schema>;
export const imageUnsealing: PredicateDefinition<ImageUnsealing> = {
  predicateType: PREDICATE_TYPES.imageUnsealing,
  schema,
};

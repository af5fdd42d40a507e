// SPDX-License-Identifier: Apache-2.0
/** Copies of released content that a station removed, and why (spec/release-cache.md). */
import { z } from 'zod';
import { counter, identifier, instantText, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/** `quota`: the oldest unused ones made room. `damage`: what was found is not what had been put there. `order`: somebody asked for it. */
export const CACHE_PURGE_REASONS = ['quota', 'damage', 'order'] as const;
export const MAX_PURGED_ENTRIES = 64;

/** Subject: the station's key. */
const schema = z.object({
  id: uuid,
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  reason: z.enum(CACHE_PURGE_REASONS),
  entries: z
    .array(
      z.object({
        /** Of the content; of the file's name when nothing else is known of it. */
        digest: sha256Text,
        bytes: counter,
        /** Reason code of what was wrong with it; null for an entry that was sound. */
        finding: identifier.nullable(),
      }),
    )
    .min(1)
    .max(MAX_PURGED_ENTRIES),
  purgedAt: instantText,
});

export type CachePurge = z.infer<typeof schema>;
export const cachePurge: PredicateDefinition<CachePurge> = { predicateType: PREDICATE_TYPES.cachePurge, schema };

// SPDX-License-Identifier: Apache-2.0
/** Where the stations of a line may take their time from, and how good it must be; two people sign it (spec/time-hierarchy.md). */
import { z } from 'zod';
import { identifier, instantText } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

export const SOURCE_AUTHENTICATIONS = ['nts', 'symmetricKey', 'none'] as const;

/** Addresses as a time service names its sources. */
const address = z.string().regex(/^[A-Za-z0-9.:_%-]{1,128}$/);

const limits = z.object({
  maxOffsetMs: z.number().positive(),
  maxRootDistanceMs: z.number().positive(),
  maxAgeMs: z.number().positive(),
  minSources: z.int().min(0).max(16),
  maxFalsetickers: z.int().min(0).max(16),
});

/** Subject: `line`, with the SHA-256 of the line's name. */
const schema = z.object({
  plant: identifier,
  line: identifier,
  /** Rises with every change; a station never goes back. */
  version: z.int().min(1),
  sources: z
    .array(
      z.object({
        address,
        /** The least that the source has to prove itself by. */
        authentication: z.enum(SOURCE_AUTHENTICATIONS),
        /** The lowest place in the hierarchy it may serve from. */
        maxStratum: z.int().min(1).max(15),
      }),
    )
    .min(1)
    .max(16)
    .refine((sources) => new Set(sources.map((source) => source.address)).size === sources.length, 'one source twice'),
  /** Within `sane` a clock is SANE, within `degraded` it is DEGRADED, beyond it nothing is signed. */
  sane: limits,
  degraded: limits,
  minAnsweredPolls: z.int().min(1).max(8),
  minSamples: z.int().min(1).max(64),
  approvedBy: z.tuple([z.object({ id: identifier, role: identifier }), z.object({ id: identifier, role: identifier })]),
  issuedAt: instantText,
  /** After this, clocks are DEGRADED until there is a newer one. */
  validUntil: instantText,
});

export type TimeHierarchy = z.infer<typeof schema>;
export const timeHierarchy: PredicateDefinition<TimeHierarchy> = {
  predicateType: PREDICATE_TYPES.timeHierarchy,
  schema,
};

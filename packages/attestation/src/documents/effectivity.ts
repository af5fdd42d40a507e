// SPDX-License-Identifier: Apache-2.0
/** Which release applies where and when; the target of a delegated TUF role, so operations sign it (spec/effectivity.md). */
import type { Bytes } from '@witnessmark/core';
import { z } from 'zod';
import { counter, identifier, instantText, remark } from '../fields.ts';
import { formatDocument, parseDocument } from './document.ts';

export const effectivityRule = z.strictObject({
  sku: identifier,
  hwVersions: z.array(identifier).min(1).max(32),
  workOrders: z.array(identifier).max(1000).nullable(),
  releaseId: identifier,
  eco: identifier,
  validFrom: instantText,
  validUntil: instantText.nullable(),
  maxUnits: z.int().min(1).nullable(),
});

export const effectivitySchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.effectivity.v1+json'),
  plant: identifier,
  line: identifier,
  version: counter,
  /** First match wins; no match is a stop. There is no "latest". */
  rules: z.array(effectivityRule).max(1000),
  withdrawn: z.array(z.strictObject({ releaseId: identifier, reason: remark, withdrawnAt: instantText })).max(1000),
  default: z.literal('STOP'),
});

export type EffectivityRule = z.infer<typeof effectivityRule>;
export type Effectivity = z.infer<typeof effectivitySchema>;

export function parseEffectivity(bytes: Bytes): Effectivity {
  return parseDocument(effectivitySchema, bytes);
}

export function formatEffectivity(effectivity: Effectivity): Bytes {
  return formatDocument(effectivitySchema, effectivity);
}

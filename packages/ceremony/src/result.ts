// SPDX-License-Identifier: Apache-2.0
/** Results of acts: their bounds, and the digest whose first characters the witness types. */
import { CUSTODY_GRADES } from '@witnessmark/custody';
import { formatJson, RefusedError, sha256Hex, type JsonValue } from '@witnessmark/core';
import { describeIssues, identifier, sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { KEY_CHANGES, RESULT_LIMITS, type ActResult } from './act.ts';
import { base64Text, line, spkiText } from './fields.ts';

/** So many characters of a digest are typed by hand. */
export const TYPED_CHARACTERS = 4;

const key = z.strictObject({
  name: identifier,
  change: z.enum(KEY_CHANGES),
  spki: spkiText.nullable(),
  checkValue: z
    .string()
    .regex(/^[0-9a-f]{6}$/)
    .nullable(),
  holder: identifier,
  token: z
    .strictObject({
      label: line(64),
      serial: line(64),
      manufacturer: line(64),
      model: line(64),
      firmware: line(64),
    })
    .nullable(),
  attributes: z
    .record(line(64), z.union([z.boolean(), line(64)]))
    .refine((attributes) => Object.keys(attributes).length <= RESULT_LIMITS.attributes),
  grade: z.enum(CUSTODY_GRADES),
  certificates: z.array(base64Text(RESULT_LIMITS.certificateBytes)).max(RESULT_LIMITS.certificates),
});

export const resultSchema: z.ZodType<ActResult> = z.strictObject({
  facts: z
    .array(z.strictObject({ name: line(RESULT_LIMITS.factName), value: line(RESULT_LIMITS.factValue) }))
    .max(RESULT_LIMITS.facts),
  digests: z
    .array(z.strictObject({ name: line(RESULT_LIMITS.factName), sha256: sha256Text }))
    .max(RESULT_LIMITS.digests),
  keys: z.array(key).max(RESULT_LIMITS.keys),
});

/** A copy of a result within its bounds; throws CE-120. */
export function checkResult(stepId: string, result: ActResult): ActResult {
  const checked = resultSchema.safeParse(result);
  if (checked.success) return checked.data;
  throw new RefusedError('CE-120', `the result of step ${stepId} is out of bounds at ${describeIssues(checked.error)}`);
}

/** SHA-256 over the JSON text of ceremony, step and result, members in the order of the specification. */
export function digestOfResult(ceremonyId: string, stepId: string, result: ActResult): string {
  return sha256Hex(formatJson({ ceremony: ceremonyId, step: stepId, result: result as unknown as JsonValue }));
}

/** What people did with their own hands has a result, too: what was observed. */
export function observation(text: string): ActResult {
  return { facts: [{ name: 'observed', value: text }], digests: [], keys: [] };
}

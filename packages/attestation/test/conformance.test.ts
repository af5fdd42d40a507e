// SPDX-License-Identifier: Apache-2.0
/** The quick test of a schema may only say yes where zod would return the very same value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '@witnessmark/core';
import {
  identifier,
  instantText,
  operatorSession,
  readBySchema,
  releaseManifestSchema,
  sha256Text,
  trustedRootSchema,
  uuid,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { draftManifest, testTrustedRoot } from '../../../testing/world/src/evidence/index.ts';
import { draftSession } from '../../../testing/world/src/evidence/drafts.ts';

const SCHEMAS = {
  identifier,
  instantText,
  sha256Text,
  uuid,
  text: z.string().min(2).max(3),
  integer: z.int().min(-1).max(3),
  amount: z.number().min(0).nullable(),
  choice: z.enum(['a', 'b']),
  literal: z.literal('a'),
  list: z
    .array(z.int())
    .min(1)
    .max(3)
    .refine((items) => new Set(items).size === items.length),
  tuple: z.tuple([z.string()], z.int()),
  loose: z.object({ a: z.string(), b: z.int().optional(), c: z.boolean() }),
  strict: z.strictObject({ a: z.string(), b: z.int().exactOptional(), c: z.unknown() }),
  nested: z.object({ a: z.array(z.strictObject({ b: z.string().nullable() })).max(2), c: z.object({}) }),
  record: z.record(z.string(), z.int()),
  union: z.union([z.int(), z.string().max(1)]),
  kinds: z.discriminatedUnion('a', [
    z.object({ a: z.literal('a') }),
    z.object({ a: z.literal('b'), b: z.int() }),
    z.strictObject({ a: z.literal('ab'), c: z.unknown() }),
  ]),
  trimmed: z.object({ a: z.string().trim() }),
  defaulted: z.object({ a: z.string().default('x') }),
  coerced: z.object({ a: z.coerce.string() }),
  transformed: z.string().transform((text) => text.length),
  caught: z.object({ a: z.int().catch(0) }),
  email: z.email(),
};

const texts = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'abc',
  'abcd',
  '𝄞',
  '𝄞𝄞',
  '𝄞𝄞𝄞',
  'a\n',
  ' a ',
  '2026-11-20T10:00:00Z',
  'é',
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    texts,
    fc.constantFrom(-2, -1, 0, 1, 3, 4, 1.5, 2 ** 53, '0'.repeat(64), 'a@b.example', null, true),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'toString'), tie('value')), {
        maxLength: 4,
        selector: ([key]) => key,
      })
      .map((members) => Object.fromEntries(members)),
  ),
})).value;

function expectSame(schema: z.ZodType, input: JsonValue): void {
  const expected = schema.safeParse(input);
  const actual = readBySchema(schema, input);
  expect(actual.success).toBe(expected.success);
  expect(actual.data).toStrictEqual(expected.data);
  expect(JSON.stringify(actual.data)).toBe(JSON.stringify(expected.data));
  expect(actual.error?.issues).toEqual(expected.error?.issues);
}

describe('readBySchema', () => {
  it.each(Object.entries(SCHEMAS))('says what zod says: %s', (_name, schema) => {
    fc.assert(
      fc.property(value, (input) => {
        expectSame(schema, input);
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['a manifest', releaseManifestSchema, draftManifest()],
    ['a trusted root', trustedRootSchema, testTrustedRoot()],
    ['a session', operatorSession.schema, draftSession('01950000-0000-7000-8000-000000000001', 'a'.repeat(64))],
  ] as const)('says what zod says of %s, with any one value changed', (_what, schema, document) => {
    const whole = JSON.parse(JSON.stringify(document)) as JsonValue;
    expect(readBySchema(schema as z.ZodType, whole).data).toBe(whole);
    for (const changed of changesOf(whole)) expectSame(schema, changed);
  });

  it('returns members in the order of the schema, whatever their order was', () => {
    const read = readBySchema(SCHEMAS.loose, { c: true, a: 'x' });
    expect(Object.keys(read.data ?? {})).toEqual(['a', 'c']);
  });

  it('drops what a schema does not know, and refuses it where the schema is strict', () => {
    expect(readBySchema(SCHEMAS.loose, { a: 'x', c: true, d: 1 }).data).toEqual({ a: 'x', c: true });
    expect(readBySchema(SCHEMAS.strict, { a: 'x', c: true, d: 1 }).success).toBe(false);
  });
});

/** The value with one member or item left out, doubled, renamed or replaced, everywhere in turn. */
function* changesOf(input: JsonValue): Generator<JsonValue> {
  for (const other of [null, '', 'x', 0, -1, 1.5, [], {}]) yield other;
  if (Array.isArray(input)) {
    const items = input as readonly JsonValue[];
    yield [...items, ...items];
    for (const [at, item] of items.entries()) {
      yield items.toSpliced(at, 1);
      for (const changed of changesOf(item)) yield items.with(at, changed);
    }
  } else if (typeof input === 'object' && input !== null) {
    const object = input as Readonly<Record<string, JsonValue>>;
    yield { ...object, more: 1 };
    yield Object.fromEntries(Object.entries(object).toReversed());
    for (const [key, item] of Object.entries(object)) {
      yield Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
      for (const changed of changesOf(item)) yield { ...object, [key]: changed };
    }
  }
}

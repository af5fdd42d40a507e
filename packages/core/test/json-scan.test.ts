// SPDX-License-Identifier: Apache-2.0
/** The quick way of reading JSON may never say anything that the strict reader does not say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_JSON_LIMITS } from '@witnessmark/core';
import { isPlainJson } from '../src/json-scan.ts';
import { readStrictly } from '../src/strict-json.ts';
import { codeOf } from './expect-code.ts';

const LIMITS = DEFAULT_JSON_LIMITS;

/** What the quick way makes of a text; undefined where it leaves it to the reader. */
function readQuickly(text: string, limits = LIMITS): { readonly value: unknown } | undefined {
  if (!isPlainJson(text, limits)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function expectSame(text: string, limits = LIMITS): void {
  const quick = readQuickly(text, limits);
  if (quick === undefined) return;
  const strict = readStrictly(text, limits);
  expect(strict).toStrictEqual(quick.value);
  expect(JSON.stringify(strict)).toBe(JSON.stringify(quick.value));
}

const KEYS = ['a', 'b', 'ab', '', 'é', '\\u0061', '__proto__', 'prototype', 'constructor', 'mediaType', '0', 'x\\"'];
const SCALARS = [
  ...['0', '-0', '-0.0', '0e5', '1', '-7', '1.5', '1e3', '1e-400', '9007199254740991', '9007199254740992', '1e400'],
  ...['999999999999999', '9999999999999999', 'true', 'false', 'null', '""', '"a,b:{}[]"', '"\\""', '"\\\\"'],
  ...['"\\ud834\\udd1e"', '"\\ud834"', '"\\uDD1E"', '"\\u001d"', '"\\\\ud834"', '"𝄞"', `"${'x'.repeat(40)}"`],
];

const document = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, fc.constantFrom(...SCALARS), tie('object'), tie('array')),
  object: fc
    .array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 5 })
    .map((members) => `{${members.map(([key, value]) => `"${key}": ${value}`).join(' ,')}}`),
  array: fc.array(tie('value'), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
})).value;

describe('isPlainJson', () => {
  it('never lets a text through that the strict reader refuses, or reads otherwise', () => {
    fc.assert(fc.property(document, expectSameOf), { numRuns: 3_000 });
    const unit = fc.constantFrom(
      ...'{}[]",:\\ \n01-+.eEtruefalsnu/bx'.split(''),
      '\u0001',
      'é',
      '"a":',
      '"a"',
      '\\u00',
    );
    fc.assert(fc.property(fc.string({ unit, maxLength: 16 }), expectSameOf), { numRuns: 5_000 });
  });

  it('never lets a damaged document through that the strict reader refuses', () => {
    const place = fc.nat({ max: 200 });
    const damage = fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '-', '.', 'e', '0', ' ', '\t', '');
    fc.assert(
      fc.property(document, place, damage, (text, at, character) => {
        const split = at % (text.length + 1);
        expectSame(text.slice(0, split) + character + text.slice(split + 1));
        expectSame(text.slice(0, split) + character + text.slice(split));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['one key twice', '{"a":1,"a":1}'],
    ['one key twice, far apart', '{"a":1,"b":[{"a":{"c":2}}],"a":2}'],
    ['a key with an escape', '{"\\u0061":1}'],
    ['__proto__', '{"__proto__":1}'],
    ['prototype', '{"prototype":1}'],
    ['constructor', '{"constructor":1}'],
    ['a surrogate by escape', '["\\uD834\\uDD1E"]'],
    ['2^53', '[9007199254740992]'],
    ['minus zero', '[-0]'],
    ['an underflow', '[1e-400]'],
    [
      'an object with very many keys',
      JSON.stringify(Object.fromEntries([...Array(65).keys()].map((at) => [`k${at}`, at]))),
    ],
    ['an unclosed string', '["a'],
    ['a bracket too many', '[]]'],
  ])('leaves %s to the reader', (_what, text) => {
    expect(isPlainJson(text, LIMITS)).toBe(false);
  });

  it('takes what records consist of', () => {
    const text =
      '{"mediaType":"a/b","n":[1,-2,1.5,0,true,false,null],"o":{"signature":"\\u001d","raw":"\\"\\\\"},"p":{}}';
    expect(readQuickly(text)).toEqual({ value: JSON.parse(text) as unknown });
    expectSame(text);
  });

  it('counts depth and values as the reader does', () => {
    for (const text of ['[[1],{"a":[2]}]', '{"a":"b","c":[]}', '[]', '1', '[1,2,3,4]']) {
      for (let bound = 0; bound < 8; bound += 1) {
        for (const limits of [
          { ...LIMITS, maxValues: bound },
          { ...LIMITS, maxDepth: bound },
        ]) {
          expect(isPlainJson(text, limits)).toBe(codeOf(() => readStrictly(text, limits)) === undefined);
        }
      }
    }
  });

  it('compares keys with those of open objects only', () => {
    const text = `[${Array.from({ length: 300 }, () => '{"a":{"b":1},"c":2}').join(',')}]`;
    expect(isPlainJson(text, LIMITS)).toBe(true);
    const open = `${'{"a":1,"b":'.repeat(30)}0${'}'.repeat(30)}`;
    expect(isPlainJson(open, LIMITS)).toBe(true);
  });
});

function expectSameOf(text: string): void {
  expectSame(text);
}

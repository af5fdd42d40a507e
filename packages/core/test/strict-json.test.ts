// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_JSON_LIMITS, encodeUtf8, formatJson, parseStrictJson, type JsonLimits } from '@witnessmark/core';
import { codeOf, expectCode } from './expect-code.ts';

const parse = (text: string, limits?: JsonLimits): unknown => parseStrictJson(encodeUtf8(text), limits);

describe('parseStrictJson: what it reads', () => {
  it.each([
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-1', -1],
    ['1.5', 1.5],
    ['1E2', 100],
    ['1e-2', 0.01],
    ['0e+1', 0],
    ['0.0', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
    ['""', ''],
    ['"\\u0041\\n\\/\\"\\\\\\b\\f\\r\\t"', 'A\n/"\\\b\f\r\t'],
    ['"\\uD834\\uDD1E"', '𝄞'],
    ['"𝄞\u2028\u2029\u007f"', '𝄞\u2028\u2029\u007f'],
    ['"\\u0000"', '\u0000'],
    ['[]', []],
    ['{}', {}],
    [' [ 1 , { "a" : [ ] } ] \r\n\t', [1, { a: [] }]],
    ['{"":0,"a":{"a":1}}', { '': 0, a: { a: 1 } }],
    ['{"toString":1,"hasOwnProperty":2}', { toString: 1, hasOwnProperty: 2 }],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('reads what it writes', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((number) => number + 0),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(
          fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key)),
          tie('value'),
          { maxKeys: 5, noNullPrototype: true },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(value, (written) => {
        expect(parseStrictJson(formatJson(written))).toEqual(written);
      }),
    );
  });

  it('never accepts what JSON.parse refuses, and agrees with it where both accept', () => {
    const unit = fc.constantFrom(...'{}[]",:\\ \n01-+.eEtruefalsnu/bx'.split(''), '\u0001', 'é', '"a":', '\\u00');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 14 }), (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(codeOf(() => parse(text))).toMatch(/^ERR_JSON_/);
          return;
        }
        if (codeOf(() => parse(text)) === undefined) expect(parse(text)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('parseStrictJson: what JSON.parse takes and it does not', () => {
  it.each([
    ['an equal key', '{"a":1,"a":1}', 'ERR_JSON_DUPLICATE_KEY'],
    ['an equal key, escaped', '{"a":1,"\\u0061":2}', 'ERR_JSON_DUPLICATE_KEY'],
    ['an equal key, far apart', '{"a":1,"b":{"a":1},"a":2}', 'ERR_JSON_DUPLICATE_KEY'],
    ['an equal empty key', '{"":1,"":2}', 'ERR_JSON_DUPLICATE_KEY'],
    ['__proto__', '{"__proto__":{}}', 'ERR_JSON_FORBIDDEN_KEY'],
    ['__proto__, escaped', '{"\\u005f_proto__":{}}', 'ERR_JSON_FORBIDDEN_KEY'],
    ['constructor', '[{"constructor":1}]', 'ERR_JSON_FORBIDDEN_KEY'],
    ['prototype', '{"a":{"prototype":1}}', 'ERR_JSON_FORBIDDEN_KEY'],
    ['2^53', '9007199254740992', 'ERR_JSON_NUMBER'],
    ['−2^53', '-9007199254740992', 'ERR_JSON_NUMBER'],
    ['2^53 + 1 as a fraction', '9007199254740993.0', 'ERR_JSON_NUMBER'],
    ['2^53 + 1 with an exponent', '9007199254740993e0', 'ERR_JSON_NUMBER'],
    ['1e400', '1e400', 'ERR_JSON_NUMBER'],
    ['1e308', '1e308', 'ERR_JSON_NUMBER'],
    ['minus zero', '-0', 'ERR_JSON_NUMBER'],
    ['minus zero as a fraction', '-0.0', 'ERR_JSON_NUMBER'],
    ['an underflow', '1e-400', 'ERR_JSON_NUMBER'],
    ['a negative underflow', '-1e-400', 'ERR_JSON_NUMBER'],
    ['a high surrogate', '"\\uD834"', 'ERR_JSON_SURROGATE'],
    ['a low surrogate', '"\\uDD1E"', 'ERR_JSON_SURROGATE'],
    ['surrogates in the wrong order', '"\\uDD1E\\uD834"', 'ERR_JSON_SURROGATE'],
    ['a surrogate in a key', '{"\\uD834":1}', 'ERR_JSON_SURROGATE'],
  ])('refuses %s', (_what, text, code) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expectCode(code, () => parse(text));
  });
});

/** After JSONTestSuite (https://github.com/nst/JSONTestSuite): one way of not being JSON each. */
describe('parseStrictJson: what is not JSON', () => {
  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['a byte order mark', '\ufeff{}'],
    ['two values', '1 2'],
    ['text after the value', '{}x'],
    ['a comma after the value', '{},'],
    ['a comment', '{}/* */'],
    ['a trailing comma in an array', '[1,]'],
    ['a leading comma', '[,1]'],
    ['two commas', '[1,,2]'],
    ['a missing comma', '[1 2]'],
    ['an unclosed array', '[1'],
    ['an array closed as an object', '[1}'],
    ['a colon in an array', '["a":1]'],
    ['an unclosed object', '{"a":1'],
    ['a trailing comma in an object', '{"a":1,}'],
    ['a missing colon', '{"a" 1}'],
    ['two colons', '{"a"::1}'],
    ['a missing value', '{"a":}'],
    ['a missing key', '{:1}'],
    ['a bare key', '{a:1}'],
    ['a number as key', '{1:1}'],
    ['single quotes', "{'a':1}"],
    ['an unclosed string', '"a'],
    ['a string that ends in a backslash', '"\\'],
    ['a tab in a string', '"\t"'],
    ['a newline in a string', '"\n"'],
    ['a NUL in a string', '"\u0000"'],
    ['an unknown escape', '"\\x41"'],
    ['an upper-case escape', '"\\N"'],
    ['a short unicode escape', '"\\u004"'],
    ['a unicode escape that is not hexadecimal', '"\\u00g1"'],
    ['a unicode escape with a sign', '"\\u+041"'],
    ['a plus sign', '+1'],
    ['a leading zero', '01'],
    ['a minus without digits', '-'],
    ['a bare fraction', '.5'],
    ['a fraction without digits', '1.'],
    ['an exponent without digits', '1e'],
    ['an exponent with a sign only', '1e+'],
    ['hexadecimal', '0x1'],
    ['an underscore', '1_000'],
    ['NaN', 'NaN'],
    ['Infinity', '-Infinity'],
    ['undefined', 'undefined'],
    ['True', 'True'],
    ['tru', 'tru'],
    ['truex', 'truex'],
    ['nul', '[nul]'],
    ['a form feed as white space', '[\f]'],
    ['a no-break space as white space', '\u00a0{}'],
    ['full-width digits', '１'],
  ])('refuses %s', (_what, text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expectCode('ERR_JSON_SYNTAX', () => parse(text));
  });

  it('refuses what is not UTF-8', () => {
    expectCode('ERR_CORE_UTF8', () => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22)));
    expectCode('ERR_CORE_UTF8', () => parseStrictJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)));
  });

  it('refuses every proper prefix of a document', () => {
    const text = '{"a":[1.5e3,true,null,"\\u00e9x"],"b":{"c":""}}';
    for (let end = 0; end < text.length; end += 1) expectCode('ERR_JSON_SYNTAX', () => parse(text.slice(0, end)));
  });
});

describe('parseStrictJson: bounds', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  it('reads maxBytes and refuses one more', () => {
    const { maxBytes } = DEFAULT_JSON_LIMITS;
    expect(parse('1'.padEnd(maxBytes, ' '))).toBe(1);
    expectCode('ERR_JSON_TOO_LARGE', () => parse('1'.padEnd(maxBytes + 1, ' ')));
  });

  it('reads maxDepth and refuses one more, before it reads on', () => {
    const { maxDepth } = DEFAULT_JSON_LIMITS;
    expect(codeOf(() => parse(nested(maxDepth)))).toBeUndefined();
    expectCode('ERR_JSON_TOO_DEEP', () => parse(nested(maxDepth + 1)));
    expectCode('ERR_JSON_TOO_DEEP', () => parse('{"a":'.repeat(maxDepth + 1)));
    expectCode('ERR_JSON_TOO_DEEP', () => parse('['.repeat(200_000)));
  });

  it('reads maxValues and refuses one more', () => {
    const limits = { ...DEFAULT_JSON_LIMITS, maxValues: 4 };
    expect(parse('[1,2,3]', limits)).toEqual([1, 2, 3]);
    expectCode('ERR_JSON_TOO_MANY_VALUES', () => parse('[1,2,3,4]', limits));
    expectCode('ERR_JSON_TOO_MANY_VALUES', () => parse('{"a":1,"b":2,"c":3,"d":4}', limits));
    const { maxValues } = DEFAULT_JSON_LIMITS;
    expect(parse(`[${'0,'.repeat(maxValues - 2)}0]`)).toHaveLength(maxValues - 1);
    expectCode('ERR_JSON_TOO_MANY_VALUES', () => parse(`[${'0,'.repeat(maxValues - 1)}0]`));
  });

  it('counts a scalar as depth 0', () => {
    const limits = { ...DEFAULT_JSON_LIMITS, maxDepth: 0 };
    expect(parse('1', limits)).toBe(1);
    expectCode('ERR_JSON_TOO_DEEP', () => parse('[]', limits));
  });
});

describe('formatJson', () => {
  it('writes compact JSON in insertion order', () => {
    expect(formatJson({ b: [1, 'é'], a: null })).toEqual(encodeUtf8('{"b":[1,"é"],"a":null}'));
  });

  it('throws for what JSON cannot carry', () => {
    expect(() => formatJson(undefined)).toThrow(TypeError);
    expect(() => formatJson(1n)).toThrow(TypeError);
  });
});

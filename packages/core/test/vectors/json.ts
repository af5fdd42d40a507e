// SPDX-License-Identifier: Apache-2.0
import { concatBytes, DEFAULT_JSON_LIMITS, encodeUtf8 } from '@witnessmark/core';
import { caseMaker, type VectorFormat } from '../../../../vectors/vector-case.ts';

const { accepted, refused } = caseMaker('input.json');
const { maxDepth, maxValues } = DEFAULT_JSON_LIMITS;

export const JSON_VECTORS: VectorFormat = {
  format: 'json',
  given: {},
  cases: [
    accepted(
      'every-kind-of-value',
      'Each kind of value, white space and escapes.',
      ' {"a":[null,true,false,-1.5e2,"\\u00e9\\n𝄞"],"":{}}\r\n',
    ),
    accepted(
      'largest-integer',
      '2^53 - 1 is the largest whole number every reader agrees on.',
      '[9007199254740991,-9007199254740991]',
    ),
    accepted('deepest', `${maxDepth} levels are allowed.`, '['.repeat(maxDepth) + ']'.repeat(maxDepth)),
    refused(
      'duplicate-key',
      'ERR_JSON_DUPLICATE_KEY',
      'JSON.parse keeps the last, others the first.',
      '{"serial":"WM-1","serial":"WM-2"}',
    ),
    refused(
      'duplicate-key-escaped',
      'ERR_JSON_DUPLICATE_KEY',
      'The same key, once written with an escape.',
      '{"serial":1,"seri\\u0061l":2}',
    ),
    refused(
      'duplicate-key-nested',
      'ERR_JSON_DUPLICATE_KEY',
      'The same key, with another value between.',
      '[{"a":1,"b":{"a":1},"a":1}]',
    ),
    refused(
      'proto-key',
      'ERR_JSON_FORBIDDEN_KEY',
      'A key that replaces the prototype in careless code.',
      '{"__proto__":{"admin":true}}',
    ),
    refused(
      'constructor-key',
      'ERR_JSON_FORBIDDEN_KEY',
      'A key that reaches the prototype in careless code.',
      '{"constructor":{"prototype":1}}',
    ),
    refused(
      'integer-above-2-53',
      'ERR_JSON_NUMBER',
      '2^53 + 1 reads as 2^53 where numbers are doubles.',
      '9007199254740993',
    ),
    refused('fraction-above-2-53', 'ERR_JSON_NUMBER', '2^53 + 1, written as a fraction.', '9007199254740993.0'),
    refused('overflow', 'ERR_JSON_NUMBER', '1e400 is infinite in some readers.', '[1e400]'),
    refused('underflow', 'ERR_JSON_NUMBER', '1e-400 is zero in some readers.', '[1e-400]'),
    refused('minus-zero', 'ERR_JSON_NUMBER', '-0 is 0 in some readers.', '[-0]'),
    refused('lone-surrogate', 'ERR_JSON_SURROGATE', 'Half a surrogate pair is no character.', '"\\ud834"'),
    refused(
      'invalid-utf8',
      'ERR_CORE_UTF8',
      'A byte that is no UTF-8.',
      concatBytes(encodeUtf8('"'), Uint8Array.of(0xff), encodeUtf8('"')),
    ),
    refused(
      'encoded-surrogate',
      'ERR_CORE_UTF8',
      'A surrogate encoded as three bytes.',
      concatBytes(encodeUtf8('"'), Uint8Array.of(0xed, 0xa0, 0xb4), encodeUtf8('"')),
    ),
    refused('byte-order-mark', 'ERR_JSON_SYNTAX', 'RFC 8259 forbids writers a byte order mark.', '\ufeff{}'),
    refused('empty', 'ERR_JSON_SYNTAX', 'No bytes, no value.', ''),
    refused('two-values', 'ERR_JSON_SYNTAX', 'A second value after the first.', '{} {}'),
    refused('truncated', 'ERR_JSON_SYNTAX', 'The end is missing.', '{"serial":"WM-1"'),
    refused('trailing-comma', 'ERR_JSON_SYNTAX', 'A comma without a value after it.', '[1,]'),
    refused('comment', 'ERR_JSON_SYNTAX', 'JSON has no comments.', '{}// done'),
    refused('leading-zero', 'ERR_JSON_SYNTAX', 'Octal to some readers.', '[010]'),
    refused('not-a-number', 'ERR_JSON_SYNTAX', 'NaN is not JSON.', '[NaN]'),
    refused('control-character', 'ERR_JSON_SYNTAX', 'A raw line break in a string.', '"a\nb"'),
    refused('single-quotes', 'ERR_JSON_SYNTAX', 'Strings are in double quotes.', "{'a':1}"),
    refused('unknown-escape', 'ERR_JSON_SYNTAX', 'There is no escape \\x.', '"\\x41"'),
    refused(
      'too-deep',
      'ERR_JSON_TOO_DEEP',
      `One level more than ${maxDepth}.`,
      '['.repeat(maxDepth + 1) + ']'.repeat(maxDepth + 1),
    ),
    refused(
      'too-many-values',
      'ERR_JSON_TOO_MANY_VALUES',
      `One value more than ${maxValues}, the array included.`,
      `[${'0,'.repeat(maxValues - 1)}0]`,
    ),
  ],
};

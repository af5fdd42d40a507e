// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  sha256Hex,
  toDigestSet,
} from '@witnessmark/core';
import { expectCode } from './expect-code.ts';

describe('UTF-8', () => {
  it('round-trips well-formed text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeUtf8(encodeUtf8(text)) === text));
  });

  it('keeps a byte order mark, so that readers can refuse it', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b))).toBe('\ufeff{');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a truncated sequence', [0xe2, 0x82]],
    ['Latin-1', [0xe9]],
  ])('refuses %s', (_what, bytes) => {
    expectCode('ERR_CORE_UTF8', () => decodeUtf8(Uint8Array.from(bytes)));
  });
});

describe('hexadecimal', () => {
  it('round-trips any bytes in lower case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(encodeHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(equalBytes(decodeHex(encodeHex(bytes)), bytes)).toBe(true);
      }),
    );
  });

  it.each(['0', 'AB', '0x', ' 0', '0g', 'ab\n'])('refuses %j', (text) => {
    expectCode('ERR_CORE_HEX', () => decodeHex(text));
  });
});

describe('base64', () => {
  it('has one text for one byte string', () => {
    expect(encodeBase64(decodeBase64('AQID/+8='))).toBe('AQID/+8=');
  });

  it.each(['AQI', 'AQI==', 'AQJ=', 'AQ-_', 'AQ ID', 'AQID\n'])('refuses %j', (text) => {
    expectCode('ERR_CORE_BASE64', () => decodeBase64(text));
  });
});

describe('concatBytes and equalBytes', () => {
  it('joins in order', () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('tells apart by length and by each byte', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});

describe('digests', () => {
  it('writes SHA-256 as a digest set', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256Hex(encodeUtf8('abc'))).toBe(abc);
    expect(toDigestSet(encodeUtf8('abc'))).toEqual({ sha256: abc });
  });
});

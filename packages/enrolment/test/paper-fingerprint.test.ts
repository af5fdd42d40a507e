// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHex, sha256Hex } from '@witnessmark/core';
import { formatPaperFingerprint, parsePaperFingerprint } from '@witnessmark/enrolment';

const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const DIGEST = sha256Hex(new TextEncoder().encode('paper'));
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => encodeHex(bytes));

function symbolsOf(digest: string): string[] {
  return Array.from(formatPaperFingerprint(digest).join('').replaceAll(' ', ''));
}

function read(symbols: readonly string[]): string {
  return parsePaperFingerprint(symbols.join(''));
}

describe('a fingerprint on paper', () => {
  it('is thirteen groups of five in three lines', () => {
    const lines = formatPaperFingerprint(DIGEST);
    expect(lines.map((line) => line.split(' ').length)).toEqual([5, 5, 3]);
    for (const group of lines.join(' ').split(' ')) expect(group).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}$/);
  });

  it('is read back whole, whatever its case, blanks and dashes', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const lines = formatPaperFingerprint(digest);
        expect(parsePaperFingerprint(lines.join('\n'))).toBe(digest);
        expect(parsePaperFingerprint(lines.join('-').toLowerCase())).toBe(digest);
      }),
      { numRuns: 50 },
    );
    expect(parsePaperFingerprint(DIGEST.toUpperCase())).toBe(DIGEST);
  });

  it('reads O, I and L as the digits they are taken for', () => {
    const digest = '00'.repeat(32);
    const typed = formatPaperFingerprint(digest).join(' ').replaceAll('0', 'o').replaceAll('1', 'l');
    expect(parsePaperFingerprint(typed)).toBe(digest);
  });

  it('finds every single wrong symbol, and names its group', () => {
    const symbols = symbolsOf(DIGEST);
    for (let at = 0; at < symbols.length; at += 1) {
      for (const wrong of SYMBOLS) {
        if (wrong === symbols[at]) continue;
        const typed = symbols.with(at, wrong);
        const group = Math.floor(at / 5) + 1;
        expect(() => read(typed)).toThrow(new RegExp(`group ${group},|the last group`));
      }
    }
  });

  it('finds two swapped symbols of a group, and two swapped groups', () => {
    fc.assert(
      fc.property(digests, fc.nat(64), fc.nat(64), (digest, one, other) => {
        const symbols = symbolsOf(digest);
        const isInGroup = Math.floor(one / 5) === Math.floor(other / 5);
        if (!isInGroup || symbols[one] === symbols[other]) return;
        const swapped = symbols.with(one, symbols[other] as string).with(other, symbols[one] as string);
        expect(() => read(swapped)).toThrow(/group/);
      }),
      { numRuns: 500 },
    );
    const groups = formatPaperFingerprint(DIGEST).join(' ').split(' ');
    for (let one = 0; one < groups.length; one += 1) {
      for (let other = one + 1; other < groups.length; other += 1) {
        const swapped = groups.with(one, groups[other] as string).with(other, groups[one] as string);
        expect(() => parsePaperFingerprint(swapped.join(' '))).toThrow(/group/);
      }
    }
  });

  it.each([
    ['nothing', ''],
    ['a group too few', formatPaperFingerprint(DIGEST).join(' ').slice(6)],
    ['a symbol too many', `${formatPaperFingerprint(DIGEST).join(' ')}0`],
    ['63 hexadecimal digits', DIGEST.slice(1)],
    ['257 characters', ' '.repeat(257)],
  ])('refuses %s', (_what, typed) => {
    expect(() => parsePaperFingerprint(typed)).toThrow(expect.objectContaining({ code: 'ERR_ENROLMENT_PAPER' }));
  });
});

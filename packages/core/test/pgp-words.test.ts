// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHex, decodePgpWords, encodeHex, encodePgpWords } from '@witnessmark/core';
import { expectCode } from './expect-code.ts';

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, value) => value);
const [even, odd] = [0, 1].map((place) =>
  [...EVERY_BYTE].map((value) => encodePgpWords(Uint8Array.of(value, value))[place]!),
) as [string[], string[]];

describe('PGP words', () => {
  it.each([
    ['e58294f2', 'topmost Istanbul Pluto vagabond'],
    [
      'e58294f2e9a227486e8b061b31cc528fd7fa3f19',
      'topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter ' +
        'revolver Dupont midsummer stopwatch whimsical cowbell bottomless',
    ],
    [
      'd1d464c004f00fb5c9a4c8d8e433e7fb7ff56256',
      'stairway souvenir flytrap recipe adrift upcoming artist positive spearhead Pandora spaniel stupendous tonic ' +
        'concurrent transit Wichita lockup visitor flagpole escapade',
    ],
    ['', ''],
  ])('says %s as published', (hex, words) => {
    expect(encodePgpWords(decodeHex(hex)).join(' ')).toBe(words);
  });

  it('round-trips any bytes, in any case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const words = encodePgpWords(bytes);
        expect(encodeHex(decodePgpWords(words))).toBe(encodeHex(bytes));
        expect(encodeHex(decodePgpWords(words.map((word) => word.toUpperCase())))).toBe(encodeHex(bytes));
      }),
    );
  });

  it('has 512 different words, each list in the order of the alphabet as published', () => {
    expect(new Set([...even, ...odd].map((word) => word.toLowerCase())).size).toBe(512);
    const isBefore = (left: string, right: string): boolean => left.toLowerCase() < right.toLowerCase();
    const disorder = (words: string[]): string[] =>
      words.filter((word, at) => at > 0 && !isBefore(words[at - 1]!, word));
    expect(disorder(even)).toEqual([]);
    // The published list has this one pair the other way round.
    expect(disorder(odd)).toEqual(['Apollo']);
  });

  it('hears a word that is missing, doubled, swapped or unknown', () => {
    const words = encodePgpWords(decodeHex('e58294f2'));
    for (const heard of [words.slice(1), [words[0]!, ...words], [words[1]!, words[0]!], ['tomost']]) {
      expectCode('ERR_CORE_WORDS', () => decodePgpWords(heard));
    }
  });
});

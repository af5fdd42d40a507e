// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatternIndex } from '../../src/secrets/pattern-index.ts';

describe('PatternIndex', () => {
  it('finds what indexOf finds', () => {
    // Few different bytes, so that patterns and contents overlap.
    const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Buffer> =>
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength, maxLength }).map((values) => Buffer.from(values));
    fc.assert(
      fc.property(fc.array(bytes(4, 7), { maxLength: 12 }), bytes(0, 60), (patterns, content) => {
        const found = new Set<number>();
        new PatternIndex(patterns.map((pattern, owner) => ({ owner, bytes: pattern }))).collect(content, found);
        const expected = patterns.flatMap((pattern, owner) => (content.includes(pattern) ? [owner] : []));
        expect([...found].sort((left, right) => left - right)).toEqual(expected);
      }),
    );
  });

  it('finds a pattern at both ends, and not one that is cut off', () => {
    const index = new PatternIndex([{ owner: 'x', bytes: Buffer.from('abcdef') }]);
    const find = (text: string): boolean => {
      const found = new Set<string>();
      index.collect(Buffer.from(text), found);
      return found.has('x');
    };
    expect([find('abcdef'), find('..abcdef'), find('abcdef..'), find('..abcde'), find('')]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(() => new PatternIndex([{ owner: 'x', bytes: Buffer.from('abc') }])).toThrow(TypeError);
  });
});

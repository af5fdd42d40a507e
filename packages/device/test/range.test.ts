// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { W25Q80_BOARD } from '../src/index.ts';
import { coveringBlocks, expectRange, splitRange } from '../src/range.ts';

const SIZE = W25Q80_BOARD.sizeBytes;

describe('ranges', () => {
  it('end at the end of the flash', () => {
    expect(() => {
      expectRange(W25Q80_BOARD, { address: SIZE - 1, length: 1 });
    }).not.toThrow();
    for (const range of [
      { address: SIZE - 1, length: 2 },
      { address: SIZE, length: 1 },
      { address: 0, length: 0 },
      { address: 0.5, length: 1 },
      { address: 0, length: Number.NaN },
    ]) {
      expect(() => {
        expectRange(W25Q80_BOARD, range);
      }).toThrow(RangeError);
    }
  });

  it('are split without gap or overlap, at multiples of the piece', () => {
    fc.assert(
      fc.property(fc.nat(SIZE), fc.integer({ min: 1, max: 300_000 }), (address, length) => {
        const pieces = [...splitRange({ address, length }, 4096)];
        let at = address;
        for (const piece of pieces) {
          expect(piece.address).toBe(at);
          expect(Math.floor(piece.address / 4096)).toBe(Math.floor((piece.address + piece.length - 1) / 4096));
          at += piece.length;
        }
        expect(at).toBe(address + length);
      }),
    );
  });

  it('are covered by the fewest blocks', () => {
    fc.assert(
      fc.property(fc.nat(SIZE), fc.integer({ min: 1, max: 300_000 }), (address, length) => {
        const blocks = coveringBlocks({ address, length }, 4096);
        expect(blocks.address % 4096).toBe(0);
        expect(blocks.length % 4096).toBe(0);
        expect(address - blocks.address).toBeLessThan(4096);
        expect(blocks.address + blocks.length - address - length).toBeLessThan(4096);
        expect(blocks.address + blocks.length).toBeGreaterThanOrEqual(address + length);
      }),
    );
  });
});

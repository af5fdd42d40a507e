// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { overlaps, protectedRange } from '../../src/spi-nor/status-register.ts';

const KIB = 1024;
const SIZE = 1024 * KIB;

/** Rows of the protection table of the W25Q80 datasheets: SEC TB BP2..0 CMP, then address and length in KiB. */
const TABLE: readonly (readonly [string, number, number])[] = [
  ['00 000 0', 0, 0],
  ['00 001 0', 960, 64],
  ['00 010 0', 896, 128],
  ['00 011 0', 768, 256],
  ['00 100 0', 512, 512],
  ['01 001 0', 0, 64],
  ['01 010 0', 0, 128],
  ['01 011 0', 0, 256],
  ['01 100 0', 0, 512],
  ['00 101 0', 0, 1024],
  ['01 101 0', 0, 1024],
  ['00 110 0', 0, 1024],
  ['00 111 0', 0, 1024],
  ['10 001 0', 1020, 4],
  ['10 010 0', 1016, 8],
  ['10 011 0', 1008, 16],
  ['10 100 0', 992, 32],
  ['10 101 0', 992, 32],
  ['11 001 0', 0, 4],
  ['11 011 0', 0, 16],
  ['11 101 0', 0, 32],
  ['11 111 0', 0, 1024],
  ['00 000 1', 0, 1024],
  ['00 001 1', 0, 960],
  ['00 100 1', 0, 512],
  ['01 001 1', 64, 960],
  ['01 100 1', 512, 512],
  ['00 111 1', 0, 0],
  ['10 001 1', 0, 1020],
  ['11 001 1', 4, 1020],
];

describe('protectedRange', () => {
  it.each(TABLE)('SEC TB, BP, CMP = %s protects %i KiB + %i KiB', (bits, address, length) => {
    const [groups, level, complement] = bits.split(' ') as [string, string, string];
    const registers = {
      statusRegister1:
        (Number.parseInt(groups[0] as string) << 6) |
        (Number.parseInt(groups[1] as string) << 5) |
        (Number.parseInt(level, 2) << 2),
      statusRegister2: Number.parseInt(complement) << 6,
    };
    expect(protectedRange(registers, SIZE)).toEqual({ address: address * KIB, length: length * KIB });
  });

  it('protects 1/64 to all of larger parts', () => {
    expect(protectedRange({ statusRegister1: 0x04, statusRegister2: 0 }, 16 * 1024 * KIB).length).toBe(256 * KIB);
    expect(protectedRange({ statusRegister1: 0x18, statusRegister2: 0 }, 16 * 1024 * KIB).length).toBe(8192 * KIB);
    expect(protectedRange({ statusRegister1: 0x1c, statusRegister2: 0 }, 16 * 1024 * KIB).length).toBe(16384 * KIB);
  });
});

describe('overlaps', () => {
  it('is about shared bytes, not shared borders', () => {
    expect(overlaps({ address: 0, length: 10 }, { address: 9, length: 1 })).toBe(true);
    expect(overlaps({ address: 0, length: 10 }, { address: 10, length: 1 })).toBe(false);
    expect(overlaps({ address: 0, length: 10 }, { address: 0, length: 0 })).toBe(false);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { DiskGuard, freeBytesOf } from '../src/index.ts';

const RESERVES = { newWorkBytes: 1_000, closingWorkBytes: 100, maxAgeMs: 50 };
const LS_302 = expect.objectContaining({ code: 'LS-302' }) as Error;

describe('DiskGuard', () => {
  it('A68: stops new work at its limit and keeps room for closing work', () => {
    let free = 1_000;
    let time = 0;
    const guard = new DiskGuard({ freeBytes: () => free, monotonic: () => (time += 50), reserves: RESERVES });
    expect(() => guard.check('new')).not.toThrow();
    free = 999;
    expect(() => guard.check('new')).toThrow(LS_302);
    expect(() => guard.check('closing')).not.toThrow();
    free = 100;
    expect(() => guard.check('closing')).not.toThrow();
    free = 99;
    expect(() => guard.check('closing')).toThrow(LS_302);
    free = 1_000;
    expect(() => guard.check('new')).not.toThrow();
    expect(time).toBeGreaterThan(0);
  });

  it('believes one reading for a short while only', () => {
    let readings = 0;
    let time = 0;
    const guard = new DiskGuard({
      freeBytes: () => {
        readings += 1;
        return 5_000;
      },
      monotonic: () => time,
      reserves: RESERVES,
    });
    guard.check('new');
    time = 49;
    guard.check('new');
    expect(readings).toBe(1);
    time = 50;
    guard.check('new');
    expect(readings).toBe(2);
  });

  it('reads the free space of a real file system', () => {
    expect(freeBytesOf(import.meta.dirname)).toBeGreaterThan(0);
  });
});

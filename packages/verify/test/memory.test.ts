// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Remembered } from '../src/memory.ts';

describe('what a verifier remembers', () => {
  it('is bounded: beyond the limit it starts anew', () => {
    const memory = new Remembered<number>();
    for (let index = 0; index < 4096; index += 1) memory.keep(`${index}`, index);
    expect(memory.get('0')).toBe(0);
    memory.keep('one more', 1);
    expect(memory.get('0')).toBeUndefined();
    expect(memory.get('one more')).toBe(1);
  });

  it('keeps what comes a second time, and no more than keys of the rest', () => {
    const memory = new Remembered<number>();
    memory.keepRecurring('a', 1);
    expect(memory.get('a')).toBeUndefined();
    memory.keepRecurring('a', 2);
    expect(memory.get('a')).toBe(2);
    for (let index = 0; index < 4096; index += 1) memory.keepRecurring(`${index}`, index);
    memory.keepRecurring('0', 0);
    expect(memory.get('0')).toBeUndefined();
  });

  it('is bounded: what is too long to be a checkpoint of ours is read anew each time', () => {
    const memory = new Remembered<number>();
    memory.keep('x'.repeat(4096), 1);
    memory.keep('x'.repeat(4097), 2);
    expect(memory.get('x'.repeat(4096))).toBe(1);
    expect(memory.get('x'.repeat(4097))).toBeUndefined();
  });
});

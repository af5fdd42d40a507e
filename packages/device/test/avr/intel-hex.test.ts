// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatIntelHex } from '../../src/avrdude/intel-hex.ts';
import { hasProgram } from '../has-program.ts';

describe('formatIntelHex', () => {
  it('writes the records every reader knows', () => {
    expect(formatIntelHex(0x0100, Uint8Array.of(0x21, 0x46, 0x01))).toBe(
      ':03010000214601 94\n:00000001FF\n'.replace(' ', ''),
    );
    expect(formatIntelHex(0xfffe, Uint8Array.of(1, 2))).toContain(':02FFFE000102');
  });

  it('writes up to the last byte of 64 KiB, and not beyond', () => {
    expect(() => formatIntelHex(0xffff, Uint8Array.of(1))).not.toThrow();
    expect(() => formatIntelHex(0xffff, Uint8Array.of(1, 2))).toThrow(RangeError);
    expect(() => formatIntelHex(-1, Uint8Array.of(1))).toThrow(RangeError);
  });

  it.skipIf(!hasProgram('arm-none-eabi-objcopy'))('is read by objcopy as it was meant', () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const content = Uint8Array.from({ length: 1000 }, (_, at) => (at * 37) & 0xff);
    const file = (name: string): string => join(directory, name);
    writeFileSync(file('image.hex'), formatIntelHex(0x7000, content));
    execFileSync('arm-none-eabi-objcopy', ['-I', 'ihex', '-O', 'binary', file('image.hex'), file('image.bin')]);
    expect(new Uint8Array(readFileSync(file('image.bin')))).toEqual(content);
    rmSync(directory, { recursive: true });
  });
});

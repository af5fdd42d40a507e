// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, encodeUtf8 } from '@witnessmark/core';
import {
  formatMcuState,
  McuFile,
  parseMcuState,
  STM32F103C4_BOARD,
  STM32F103C8_BOARD,
  Stm32Mcu,
} from '../../src/index.ts';
import { MCU_KIT, newMcu } from './kit.ts';

const STATE = newMcu(MCU_KIT.uniqueId('state', 0), { content: MCU_KIT.image }).snapshot();
const BAD = { code: 'ERR_DEVICE_CHIP_FILE' };

describe('the state of a simulated microcontroller', () => {
  it('reads what it writes', () => {
    expect(parseMcuState(formatMcuState(STATE))).toEqual(STATE);
  });

  it('refuses every file with one byte of the header changed, or another length', () => {
    const bytes = formatMcuState(STATE);
    const headerBytes = bytes.indexOf(0x0a);
    fc.assert(
      fc.property(fc.nat(headerBytes - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ change;
        // A digit may become another digit: that is another part's file, and a valid one.
        try {
          expect(formatMcuState(parseMcuState(changed))).toEqual(changed);
        } catch (error) {
          expect(error).toMatchObject(BAD);
        }
      }),
    );
    for (const other of [
      bytes.slice(0, -1),
      concatBytes(bytes, Uint8Array.of(0xff)),
      encodeUtf8('{}'),
      new Uint8Array(0),
    ]) {
      expect(() => parseMcuState(other)).toThrow(expect.objectContaining(BAD));
    }
  });

  it.each([
    ['a further member', (header: string) => header.replace('}', ',"more":1}')],
    ['another media type', (header: string) => header.replace('simulated-mcu', 'simulated-chip')],
    ['a space', (header: string) => header.replace(',', ', ')],
    ['no object', () => '[]'],
    ['a short id', (header: string) => header.replace(/"uniqueId":"../, '"uniqueId":"')],
  ])('refuses %s in the header', (_, change) => {
    const bytes = formatMcuState(STATE);
    const end = bytes.indexOf(0x0a);
    const header = change(Buffer.from(bytes.subarray(0, end)).toString('utf8'));
    expect(() => parseMcuState(concatBytes(encodeUtf8(header), bytes.subarray(end)))).toThrow(
      expect.objectContaining(BAD),
    );
  });

  it('makes a part once, keeps it, and refuses to take another one for it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const path = join(directory, 'unit.mcu');
    const { uniqueId } = STATE;
    expect(() => McuFile.open(path, { profile: STM32F103C4_BOARD })).toThrow(expect.objectContaining(BAD));
    const file = McuFile.open(path, { profile: STM32F103C4_BOARD, uniqueId });
    file.chip.inject({ stuckBits: [{ address: 3, bit: 0, value: 0 }] });
    file.save();
    const again = McuFile.open(path, { profile: STM32F103C4_BOARD, uniqueId });
    expect(again.chip.snapshot().memory[3]).toBe(0xfe);
    expect(() => McuFile.open(path, { profile: STM32F103C8_BOARD })).toThrow(expect.objectContaining(BAD));
    const other = MCU_KIT.uniqueId('state', 1);
    expect(() => McuFile.open(path, { profile: STM32F103C4_BOARD, uniqueId: other })).toThrow(
      expect.objectContaining(BAD),
    );
    expect(readdirSync(directory)).toEqual(['unit.mcu']);
    writeFileSync(path, 'nothing');
    expect(() => McuFile.open(path, { profile: STM32F103C4_BOARD })).toThrow(expect.objectContaining(BAD));
    rmSync(directory, { recursive: true });
  });

  it('is refused by the model when no part of the family has it', () => {
    const { jedecId, uniqueId, memory, optionBytes } = STATE;
    for (const wrong of [
      { memory: new Uint8Array(1000) },
      { uniqueId: uniqueId.slice(1) },
      { jedecId: jedecId.slice(1) },
      { optionBytes: optionBytes.slice(1) },
    ]) {
      expect(() => new Stm32Mcu({ jedecId, uniqueId, memory, optionBytes, ...wrong })).toThrow(RangeError);
    }
  });
});

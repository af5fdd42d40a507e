// SPDX-License-Identifier: Apache-2.0
import { concatBytes, decodeHex, encodeUtf8, type Bytes } from '@witnessmark/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankChip, formatChipState, parseChipState, type ChipState } from '../../src/index.ts';
import { CHIP_HEADER } from '../../src/spi-nor/chip-state.ts';

const SIZE = 64 * 1024;
const STATE: ChipState = {
  ...blankChip({ jedecId: 'ef4014', sizeBytes: SIZE, uniqueId: decodeHex('d2651c0b1f3a7788') }),
  statusRegister1: 0x9c,
  statusRegister2: 0x02,
};

describe('chip state', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: SIZE, maxLength: SIZE }),
        fc.uint8Array({ minLength: 1, maxLength: 16 }),
        fc.integer({ min: 0, max: 255 }),
        (memory, uniqueId, register) => {
          const state = { ...STATE, memory, uniqueId, statusRegister1: register, statusRegister2: register };
          expect(parseChipState(formatChipState(state))).toEqual(state);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('takes a header up to its limit and not one byte more', () => {
    const header = headerText();
    const padded = (bytes: number): Bytes => file(header.replace('{', `{${' '.repeat(bytes - header.length)}`));
    expect(parseChipState(padded(CHIP_HEADER.maxBytes))).toEqual(STATE);
    expect(() => parseChipState(padded(CHIP_HEADER.maxBytes + 1))).toThrow(refusal());
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['no header', new Uint8Array(10_000)],
    ['a header that is no JSON', file('not json')],
    ['a header that is no object', file('[]')],
    ['a key twice', file(headerText().replace('{', '{"jedecId":"ef4014",'))],
    ['another media type', file(headerText().replace('simulated-chip.v1', 'simulated-chip.v2'))],
    ['a truncated flash', formatChipState(STATE).slice(0, -1)],
    ['a byte too many', concatBytes(formatChipState(STATE), Uint8Array.of(0))],
    ['a size no chip has', formatChipState({ ...STATE, memory: new Uint8Array(1000) })],
    ['a unique id without bytes', formatChipState({ ...STATE, uniqueId: new Uint8Array(0) })],
    ['a unique id that is too long', formatChipState({ ...STATE, uniqueId: new Uint8Array(17) })],
    ['upper-case digits', file(headerText().replace('ef4014', 'EF4014'))],
    ['a register that is no byte', file(headerText().replace('"statusRegister1":156', '"statusRegister1":256'))],
    ['a security register missing', formatChipState({ ...STATE, securityRegisters: STATE.securityRegisters.slice(1) })],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseChipState(bytes)).toThrow(refusal());
  });
});

function headerText(): string {
  const bytes = formatChipState(STATE);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0x0a)));
}

function file(header: string): Bytes {
  return concatBytes(encodeUtf8(`${header}\n`), STATE.memory);
}

function refusal(): unknown {
  return expect.objectContaining({ code: 'ERR_DEVICE_CHIP_FILE' });
}

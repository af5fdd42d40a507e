// SPDX-License-Identifier: Apache-2.0
import { concatBytes, decodeHex, encodeHex, type Bytes } from '@witnessmark/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankChip, DeviceBay, DeviceError, SpiNorChip, W25Q80_BOARD } from '../../src/index.ts';
import { SerprogProgrammer } from '../../src/serprog/programmer.ts';
import { encodeUint24, SERPROG_LIMITS } from '../../src/serprog/protocol.ts';

describe('SerprogProgrammer', () => {
  it.each([
    ['NOP', '00', '06'],
    ['interface version', '01', '060100'],
    ['command map', '02', `06${'3f013f00'.padEnd(64, '0')}`],
    ['programmer name', '03', `06${encodeHex(Buffer.from('WITNESSMARK-SIM\0'))}`],
    ['serial buffer', '04', '06ffff'],
    ['bus types', '05', '0608'],
    ['longest write', '08', '06000001'],
    ['longest read', '11', '06000001'],
    ['synchronize', '10', '1506'],
    ['set bus type SPI', '1208', '06'],
    ['set another bus type', '1201', '15'],
    ['set frequency', '1440420f00', '0640420f00'],
    ['read JEDEC id', '13 010000 030000 9f', '06ef4014'],
    ['read unique id', '13 050000 080000 4b00000000', '06d2651c0b1f3a7788'],
    ['unknown command', '0b', '15'],
    ['several at once', '00 10 05', '0615060608'],
  ])('answers %s', (_name, question, answer) => {
    expect(encodeHex(newProgrammer().receive(decodeHex(question.replaceAll(' ', ''))))).toBe(answer);
  });

  it('gives the same answers however the questions are cut', () => {
    const questions = decodeHex('10010213010000030000009f13050000080000 4b00000000120803'.replaceAll(' ', ''));
    fc.assert(
      fc.property(fc.array(fc.nat(questions.length), { maxLength: 8 }), (cuts) => {
        const programmer = newProgrammer();
        const borders = [0, ...cuts.toSorted((left, right) => left - right), questions.length];
        const answers: Bytes[] = [];
        for (const [index, end] of borders.slice(1).entries()) {
          answers.push(programmer.receive(questions.slice(borders[index], end)));
        }
        expect(concatBytes(...answers)).toEqual(newProgrammer().receive(questions));
      }),
    );
  });

  it('takes an operation at its announced limits and ends the connection one byte beyond', () => {
    const { maxReadBytes, maxWriteBytes } = SERPROG_LIMITS;
    const operation = (writeBytes: number, readBytes: number): Bytes =>
      concatBytes(Uint8Array.of(0x13), encodeUint24(writeBytes), encodeUint24(readBytes), new Uint8Array(writeBytes));
    expect(newProgrammer().receive(operation(maxWriteBytes, maxReadBytes)).length).toBe(1 + maxReadBytes);
    expect(() => newProgrammer().receive(operation(maxWriteBytes + 1, 0))).toThrow(DeviceError);
    expect(() => newProgrammer().receive(operation(0, maxReadBytes + 1))).toThrow(DeviceError);
  });

  it('switches the part off and on with its output drivers', () => {
    const chip = newChip();
    const programmer = new SerprogProgrammer(new DeviceBay(chip));
    programmer.receive(decodeHex('1500'));
    expect(encodeHex(programmer.receive(decodeHex('130100000300009f')))).toBe('06ffffff');
    programmer.receive(decodeHex('1501'));
    expect(encodeHex(programmer.receive(decodeHex('130100000300009f')))).toBe('06ef4014');
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 10 }), (pieces) => {
        const programmer = newProgrammer();
        try {
          for (const piece of pieces) programmer.receive(piece);
        } catch (error) {
          expect(error).toBeInstanceOf(DeviceError);
        }
      }),
    );
  });
});

function newChip(): SpiNorChip {
  return new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: decodeHex('d2651c0b1f3a7788') }));
}

function newProgrammer(): SerprogProgrammer {
  return new SerprogProgrammer(new DeviceBay(newChip()));
}

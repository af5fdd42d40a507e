// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { W25Q80_BOARD } from '../../src/index.ts';
import { eraseArguments, imageFile, layoutFor, readArguments, writeArguments } from '../../src/flashrom/command.ts';

const TARGET = { profile: W25Q80_BOARD, address: { host: '127.0.0.1', port: 4000 } };
const WHOLE = { address: 0, length: W25Q80_BOARD.sizeBytes };
const PART = { address: 0x1000, length: 0x234 };

describe('flashrom command lines', () => {
  it('name the chip, the programmer and fixed files', () => {
    expect(writeArguments(TARGET, WHOLE).join(' ')).toBe(
      '--verbose --programmer serprog:ip=127.0.0.1:4000 --chip W25Q80.V --noverify --write image.bin',
    );
    expect(readArguments(TARGET, WHOLE).join(' ')).toBe(
      '--verbose --programmer serprog:ip=127.0.0.1:4000 --chip W25Q80.V --read content.bin',
    );
    expect(eraseArguments(TARGET, PART).join(' ')).toBe(
      '--verbose --programmer serprog:ip=127.0.0.1:4000 --chip W25Q80.V --layout layout.txt --include component --noverify --erase',
    );
  });

  it('use a layout for a part of the flash only', () => {
    expect(layoutFor(W25Q80_BOARD, WHOLE)).toBeNull();
    expect(layoutFor(W25Q80_BOARD, PART)).toBe('00001000:00001233 component\n');
  });

  it('put a part where it belongs', () => {
    const file = imageFile(W25Q80_BOARD, PART, new Uint8Array(PART.length));
    expect(file.length).toBe(W25Q80_BOARD.sizeBytes);
    expect([file[0xfff], file[0x1000], file[0x1233], file[0x1234]]).toEqual([0xff, 0, 0, 0xff]);
  });
});

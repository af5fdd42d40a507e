// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8 } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import {
  ATMEGA328P_BOARD,
  AVR_PROFILES,
  blankChip,
  canLock,
  DEVICE_PROFILES,
  DeviceBay,
  isReadableWhenLocked,
  MCU_PROFILES,
  parseProfile,
  PROFILE_LIMITS,
  PROFILE_MEDIA_TYPE,
  SimulatedDriver,
  SpiNorChip,
  STM32F103C4_BOARD,
  W25Q80_BOARD,
  type AnyProfile,
} from '../src/index.ts';

const PROFILES = join(import.meta.dirname, '../src/profiles');

function write(profile: AnyProfile, changes: Readonly<Record<string, unknown>> = {}): Uint8Array {
  return encodeUtf8(JSON.stringify({ mediaType: PROFILE_MEDIA_TYPE, ...profile, ...changes }));
}

describe('parseProfile', () => {
  it('reads every profile that comes with the program, which are all there are', () => {
    const files = readdirSync(PROFILES).map((name) => parseProfile(new Uint8Array(readFileSync(join(PROFILES, name)))));
    const builtIn = [...DEVICE_PROFILES, ...MCU_PROFILES, ...AVR_PROFILES];
    const byId = (left: AnyProfile, right: AnyProfile): number => left.id.localeCompare(right.id);
    expect(files.toSorted(byId)).toEqual(builtIn.toSorted(byId));
  });

  it.each([W25Q80_BOARD, STM32F103C4_BOARD, ATMEGA328P_BOARD])('reads what it would write of $id', (profile) => {
    expect(parseProfile(write(profile))).toEqual(profile);
  });

  it('reads as many bytes as are allowed, and not one more', () => {
    const file = write(W25Q80_BOARD);
    const padded = new Uint8Array(PROFILE_LIMITS.maxBytes).fill(0x20);
    padded.set(file);
    expect(parseProfile(padded)).toEqual(W25Q80_BOARD);
    const longer = new Uint8Array(PROFILE_LIMITS.maxBytes + 1).fill(0x20);
    longer.set(file);
    expect(() => parseProfile(longer)).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_PROFILE' }));
  });

  it.each([
    ['a member nobody knows', W25Q80_BOARD, { voltage: 3.3 }],
    ['another media type', W25Q80_BOARD, { mediaType: 'application/json' }],
    ['a kind no driver has', W25Q80_BOARD, { kind: 'fpga' }],
    ['an id that reads as an option', W25Q80_BOARD, { id: '-x' }],
    ['a chip name that reads as an option', W25Q80_BOARD, { flashromChip: '--erase' }],
    ['a JEDEC id in upper case', W25Q80_BOARD, { jedecId: 'EF4014' }],
    ['more flash than three bytes address', W25Q80_BOARD, { sizeBytes: 16 * 1024 * 1024 + 4096 }],
    ['half an erase block', W25Q80_BOARD, { sizeBytes: 1024 * 1024 + 2048 }],
    ['erase blocks that are not whole pages', STM32F103C4_BOARD, { pageBytes: 768 }],
    ['erase blocks no instruction erases', W25Q80_BOARD, { eraseBlockBytes: 8192 }],
    ['a region outside the flash', W25Q80_BOARD, { regions: [{ name: 'a', address: 1024 * 1024 - 1, length: 2 }] }],
    [
      'regions that overlap',
      W25Q80_BOARD,
      {
        regions: [
          { name: 'b', address: 4095, length: 2 },
          { name: 'a', address: 0, length: 4096 },
        ],
      },
    ],
    [
      'two regions of one name',
      W25Q80_BOARD,
      {
        regions: [
          { name: 'a', address: 0, length: 4096 },
          { name: 'a', address: 4096, length: 4096 },
        ],
      },
    ],
    ['no region', W25Q80_BOARD, { regions: [] }],
    ['a hardware id that is too short to be one', STM32F103C4_BOARD, { hardwareIdBytes: 3 }],
    [
      'a hardware id in another place than its part has one',
      STM32F103C4_BOARD,
      { hardwareIdSource: { kind: 'eeprom', address: 0 } },
    ],
    ['a placeholder of another length', W25Q80_BOARD, { placeholderIds: ['00'] }],
    [
      'a lock recipe that sets bits outside its mask',
      W25Q80_BOARD,
      { lockRecipe: { ...W25Q80_BOARD.lockRecipe, statusRegister2: { mask: 0, value: 1 } } },
    ],
    [
      'a lock recipe that protects nothing',
      W25Q80_BOARD,
      { lockRecipe: { ...W25Q80_BOARD.lockRecipe, statusRegister1: { mask: 252, value: 0 } } },
    ],
    ['no lock where there is one', W25Q80_BOARD, { lockRecipe: { kind: 'none', reason: 'none' } }],
    ['no time limit', W25Q80_BOARD, { timeLimitsMs: { ...W25Q80_BOARD.timeLimitsMs, program: 0 } }],
    [
      'a time limit of more than an hour',
      W25Q80_BOARD,
      { timeLimitsMs: { ...W25Q80_BOARD.timeLimitsMs, program: 3_600_001 } },
    ],
    ['a tool that is started for ever', W25Q80_BOARD, { maxToolStarts: 6 }],
    [
      'more flash than the part can have',
      STM32F103C4_BOARD,
      { sizeBytes: 2 * 1024 * 1024, regions: STM32F103C4_BOARD.regions },
    ],
    ['an application larger than the flash', ATMEGA328P_BOARD, { flashBytes: 16 * 1024 }],
    ['more flash than Intel hexadecimal addresses', ATMEGA328P_BOARD, { flashBytes: 128 * 1024 }],
    ['a boot loader and no room for it', ATMEGA328P_BOARD, { flashBytes: ATMEGA328P_BOARD.sizeBytes }],
    [
      'a stored id that ends outside the EEPROM',
      ATMEGA328P_BOARD,
      { hardwareIdSource: { kind: 'eeprom', address: 1013 } },
    ],
    ['a lock the boot loader does not have', ATMEGA328P_BOARD, { lockRecipe: STM32F103C4_BOARD.lockRecipe }],
  ] as const)('refuses %s', (_, profile: AnyProfile, changes: Readonly<Record<string, unknown>>) => {
    expect(() => parseProfile(write(profile, changes))).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_PROFILE' }),
    );
  });

  it.each([
    ['two members of one name', '{"id":"a","id":"b"}'],
    ['no JSON', 'id: w25q80-board'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseProfile(encodeUtf8(text))).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_PROFILE' }));
  });
});

describe('what a profile says about locks', () => {
  it.each([
    [W25Q80_BOARD, true, true],
    [STM32F103C4_BOARD, true, false],
    [ATMEGA328P_BOARD, false, true],
  ] as const)('$id', (profile, lockable, readable) => {
    expect(canLock(profile)).toBe(lockable);
    expect(isReadableWhenLocked(profile)).toBe(readable);
  });
});

describe('a profile with its own placeholders', () => {
  it('E-21: refuses an identifier that a whole batch bears, and takes its neighbour', async () => {
    const batch = Uint8Array.of(0xd2, 1, 2, 3, 4, 5, 6, 7);
    const profile = parseProfile(write(W25Q80_BOARD, { placeholderIds: ['d201020304050607'] }));
    if (profile.kind !== 'spi-nor') throw new TypeError('another kind');
    const read = (uniqueId: Uint8Array): ReturnType<SimulatedDriver['readHardwareId']> =>
      new SimulatedDriver({
        profile,
        bay: new DeviceBay(new SpiNorChip(blankChip({ ...profile, uniqueId }))),
      }).readHardwareId();
    expect(await read(batch)).toMatchObject({ state: 'FAILED', code: 'UF-01' });
    expect(await read(batch.with(7, 8))).toMatchObject({ state: 'DONE' });
  });
});

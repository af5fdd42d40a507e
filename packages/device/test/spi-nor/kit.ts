// SPDX-License-Identifier: Apache-2.0
/** Serial flash for the driver conformance suite, and the tests only serial flash needs. */
import { describe, it } from 'vitest';
import {
  blankChip,
  buildSampleImage,
  DeviceBay,
  sampleUniqueId,
  SpiNorChip,
  W25Q80_BOARD,
  type ChipOptions,
  type ChipState,
} from '../../src/index.ts';
import { onBench, type MakeHarness, type PartKit } from '../conformance-kit.ts';

type SpiNorKit = PartKit<SpiNorChip, DeviceBay>;

/** Everything protected, held while WP# is low. */
const LOCKED = { statusRegister1: 0x9c } as const;
const IMAGE = buildSampleImage({ version: '1.0.0', securityCounter: 1, seed: 'conformance' });

export const SPI_NOR_KIT: SpiNorKit = {
  profile: W25Q80_BOARD,
  image: IMAGE,
  otherImage: buildSampleImage({ version: '1.0.1', securityCounter: 1, seed: 'another' }),
  partial: { address: 0x12345, length: 70_000, read: { address: 0x10000, length: 0x8001 } },
  eraseRange: { address: 0x3000, length: 0x2000 },
  powerCutAfter: { program: 100_000, erase: 300_000 },
  linkDrops: { from: 100_000, to: 1_000_000, defaultCount: 2 },
  faultsShow: 'when written',
  uniqueId: sampleUniqueId,
  newBay: (chip) => new DeviceBay(chip),
  newPart: (uniqueId, content) => newChip(uniqueId, content === undefined ? {} : { memory: content }),
  newOtherPart: (uniqueId) => newChip(uniqueId, { jedecId: 'c22014' }),
  newProtectedPart: (uniqueId) => newChip(uniqueId, LOCKED, { writeProtectPin: 'low' }),
  // SRP1 and SRP0 set: one-time protected by somebody else, with another range.
  newUnlockablePart: (uniqueId) => newChip(uniqueId, { statusRegister1: 0x84, statusRegister2: 0x01 }),
};

export function spiNorConformance(name: string, makeHarness: MakeHarness<DeviceBay>): void {
  const uniqueId = sampleUniqueId(name, 0);
  const done = { state: 'DONE', value: undefined };

  describe.concurrent(`serial flash conformance: ${name}`, { timeout: 120_000 }, () => {
    it(
      'clears a write protection that nothing holds, and programs',
      onBench(
        SPI_NOR_KIT,
        makeHarness,
        () => newChip(uniqueId, LOCKED, { writeProtectPin: 'high' }),
        async ({ driver, chip }, expect) => {
          expect(await driver.program({ address: 0, image: IMAGE })).toEqual(done);
          expect(Buffer.from(IMAGE).equals(chip.snapshot().memory)).toBe(true);
        },
      ),
    );

    it(
      'A54: reads open on a board whose WP# pin does not hold the lock',
      onBench(
        SPI_NOR_KIT,
        makeHarness,
        () => newChip(uniqueId, {}, { writeProtectPin: 'high' }),
        async ({ driver, chip }, expect) => {
          expect(await driver.lock()).toEqual(done);
          expect(await driver.reset()).toEqual(done);
          expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
          // The test put the settings back.
          expect(chip.snapshot().statusRegister1).toBe(LOCKED.statusRegister1);
        },
      ),
    );

    it(
      'reads unknown when nothing on the part could show a refused write',
      onBench(
        SPI_NOR_KIT,
        makeHarness,
        () => newChip(uniqueId, { ...LOCKED, memory: new Uint8Array(IMAGE.length) }),
        async ({ driver }, expect) => {
          expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'unknown' });
        },
      ),
    );
  });
}

function newChip(uniqueId: Uint8Array, state: Partial<ChipState> = {}, options: ChipOptions = {}): SpiNorChip {
  return new SpiNorChip({ ...blankChip({ ...W25Q80_BOARD, uniqueId }), ...state }, options);
}

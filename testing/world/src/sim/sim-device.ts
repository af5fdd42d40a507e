// SPDX-License-Identifier: Apache-2.0
/** Boards on the bench: the real chip model behind the real driver, small enough to be programmed thousands of times. */
import { concatBytes, encodeUtf8, equalBytes, sha256, type Bytes } from '@witnessmark/core';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import {
  blankChip,
  DeviceBay,
  SimulatedDriver,
  SpiNorChip,
  W25Q80_BOARD,
  type DeviceDriver,
  type DeviceProfile,
} from '@witnessmark/device';
import { SKU } from './sim-release.ts';

const CHIP_BYTES = 64 * 1024;
const BLANK = new Uint8Array(CHIP_BYTES).fill(0xff);

export const SIM_BOARD: DeviceProfile = {
  ...W25Q80_BOARD,
  id: 'sim-board',
  sizeBytes: CHIP_BYTES,
  regions: [{ name: 'firmware', address: 0, length: CHIP_BYTES }],
};

/** A board with its label, as it comes from the previous step of the line. */
export interface SimBoard {
  readonly chip: SpiNorChip;
  readonly deviceId: string;
  readonly serial: string;
}

export function makeBoard(number: number): SimBoard {
  const digest = sha256(encodeUtf8(`simulated board ${number}`));
  const uniqueId = concatBytes(Uint8Array.of(0xd2), digest.subarray(0, 7));
  const deviceId = toDeviceId({ scheme: 'spi-nor-uid', value: uniqueId });
  const chip = new SpiNorChip(blankChip({ ...SIM_BOARD, uniqueId }));
  return { chip, deviceId, serial: deriveLabelSerial(SKU, deviceId) };
}

/** What is to be seen on a board without asking anybody. */
export interface BoardFacts {
  /** Whether it holds exactly these bytes at that address. */
  readonly holdsImage: boolean;
  /** Whether the status registers that survive power say "protected". */
  readonly isLocked: boolean;
  readonly isBlank: boolean;
}

export function inspectBoard(board: SimBoard, address: number, image: Bytes): BoardFacts {
  const { memory, statusRegister1 } = board.chip.snapshot();
  const { mask, value } = SIM_BOARD.lockRecipe.statusRegister1;
  return {
    holdsImage: equalBytes(memory.subarray(address, address + image.length), image),
    isLocked: (statusRegister1 & mask) === value,
    isBlank: equalBytes(memory, BLANK),
  };
}

/** A fixture: a bay and the driver to it. */
export interface SimFixture {
  readonly bay: DeviceBay;
  readonly driver: DeviceDriver;
}

export function makeFixture(board: SimBoard | null = null): SimFixture {
  const bay = new DeviceBay(board?.chip ?? null);
  return { bay, driver: new SimulatedDriver({ profile: SIM_BOARD, bay }) };
}

/** A driver as a plain object, so that single operations can be replaced. */
export function bindDriver(driver: DeviceDriver): DeviceDriver {
  return {
    profile: driver.profile,
    programmer: driver.programmer,
    simulated: driver.simulated,
    identify: (options) => driver.identify(options),
    readHardwareId: (options) => driver.readHardwareId(options),
    erase: (range, options) => driver.erase(range, options),
    program: (order, options) => driver.program(order, options),
    readBack: (range, options) => driver.readBack(range, options),
    lock: (options) => driver.lock(options),
    readLockState: (options) => driver.readLockState(options),
    reset: (options) => driver.reset(options),
  };
}

/** A board whose lock forbids reading as well, as a microcontroller's readout protection does. */
export function closedWhenLocked(driver: DeviceDriver): DeviceDriver {
  const lockRecipe = { kind: 'stm32-readout-protection', level: 1 } as const;
  return {
    ...bindDriver(driver),
    profile: { ...driver.profile, lockRecipe },
    readBack: async (range, options) => {
      const state = await driver.readLockState(options);
      if (state.state !== 'DONE' || state.value !== 'locked') return driver.readBack(range, options);
      return { state: 'FAILED', code: 'UF-02', detail: 'the part is protected against being read' };
    },
  };
}

/** The driver, with something that happens before each call of one operation. */
export function beforeOperation(
  driver: DeviceDriver,
  name: 'program' | 'readBack' | 'readLockState',
  hook: () => void,
): DeviceDriver {
  const call = (called: typeof name): void => {
    if (called === name) hook();
  };
  return {
    ...bindDriver(driver),
    program: (order, options) => {
      call('program');
      return driver.program(order, options);
    },
    readBack: (range, options) => {
      call('readBack');
      return driver.readBack(range, options);
    },
    readLockState: (options) => {
      call('readLockState');
      return driver.readLockState(options);
    },
  };
}

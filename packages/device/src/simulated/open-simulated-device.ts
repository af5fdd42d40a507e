// SPDX-License-Identifier: Apache-2.0
/** A simulated board whose chip lives in a file: the next process finds it as this one left it. */
import { sha256, concatBytes, encodeUtf8, type Bytes } from '@witnessmark/core';
import type { DeviceDriver } from '../contract.ts';
import { W25Q80_BOARD } from '../built-in-profiles.ts';
import type { DeviceProfile } from '../profile.ts';
import type { SpiNorChip } from '../spi-nor/chip.ts';
import type { ChipFaults } from '../spi-nor/faults.ts';
import { ChipFile } from './chip-file.ts';
import { DeviceBay } from './device-bay.ts';
import { SimulatedDriver } from './simulated-driver.ts';

export interface SimulatedDeviceOptions {
  /** Default: the 1 MiB board. */
  readonly profile?: DeviceProfile;
  /** Makes the device when the file does not exist; a file of another device is refused. */
  readonly uniqueId?: Bytes;
  readonly writeProtectPin?: 'low' | 'high';
  readonly faults?: ChipFaults;
}

export interface SimulatedDevice {
  readonly path: string;
  readonly driver: DeviceDriver;
  readonly chip: SpiNorChip;
  /** For taking the chip out, breaking the link and cutting power. */
  readonly bay: DeviceBay;
}

/** Opens a device's chip file, or creates it when `uniqueId` says which. Throws `ERR_DEVICE_CHIP_FILE`. */
export function openSimulatedDevice(path: string, options: SimulatedDeviceOptions = {}): SimulatedDevice {
  const { profile = W25Q80_BOARD, faults, ...chipOptions } = options;
  const file = ChipFile.open(path, { profile, ...chipOptions });
  if (faults !== undefined) file.chip.inject(faults);
  const bay = new DeviceBay(file.chip);
  const driver = new SimulatedDriver({
    profile,
    bay,
    persist: () => {
      file.save();
    },
  });
  return { path, driver, chip: file.chip, bay };
}

/** A unique id as the maker would burn it in; the same `seed` and `index` give the same one. */
export function sampleUniqueId(seed: string, index: number): Bytes {
  const digest = sha256(encodeUtf8(`witnessmark sample unique id\n${seed}\n${index}\n`));
  return concatBytes(Uint8Array.of(0xd2), digest.subarray(0, 7));
}

// SPDX-License-Identifier: Apache-2.0
/** Device profiles: everything a driver has to know about a part, as data (spec/device-driver.md). */

/** Bits of a status register that the lock recipe sets to `value` and that a locked part shows. */
export interface RegisterSetting {
  readonly mask: number;
  readonly value: number;
}

/** Write protection by the block-protect bits, held by the status-register-protect bits. */
export interface LockRecipe {
  readonly kind: 'spi-nor-status-registers';
  readonly statusRegister1: RegisterSetting;
  readonly statusRegister2: RegisterSetting;
}

/** Readout protection level 1 of an STM32F1, set in its option bytes; undoing it erases the flash. */
export interface ReadoutProtectionRecipe {
  readonly kind: 'stm32-readout-protection';
  readonly level: 1;
}

export interface FlashRegion {
  readonly name: string;
  readonly address: number;
  readonly length: number;
}

/** Upper bounds in milliseconds; a driver that has not ended by then is stopped and the outcome is UNKNOWN. */
export interface TimeLimits {
  readonly identify: number;
  readonly readHardwareId: number;
  readonly erase: number;
  readonly program: number;
  readonly readBack: number;
  readonly lock: number;
  readonly readLockState: number;
  readonly reset: number;
}

/** What every board has, whatever its part. */
export interface BoardProfile {
  readonly id: string;
  readonly model: string;
  /** Lower-case hexadecimal: the answer to RDID, or the JTAG IDCODE of a microcontroller; both name maker and part. */
  readonly jedecId: string;
  readonly sizeBytes: number;
  readonly pageBytes: number;
  readonly eraseBlockBytes: number;
  readonly regions: readonly FlashRegion[];
  readonly hardwareIdScheme: 'spi-nor-uid' | 'mcu-uid';
  readonly hardwareIdBytes: number;
  readonly lockRecipe: LockRecipe | ReadoutProtectionRecipe;
  readonly timeLimitsMs: TimeLimits;
}

/** A board around a serial flash. */
export interface DeviceProfile extends BoardProfile {
  readonly hardwareIdScheme: 'spi-nor-uid';
  readonly lockRecipe: LockRecipe;
  /** The part's name in flashrom's table (`flashrom -L`). */
  readonly flashromChip: string;
}

/** A board around an STM32F1 microcontroller, its debug port and its reset wired to the fixture. */
export interface McuProfile extends BoardProfile {
  readonly hardwareIdScheme: 'mcu-uid';
  readonly lockRecipe: ReadoutProtectionRecipe;
  /** Lower-case hexadecimal JTAG IDCODE of the core's debug port. */
  readonly debugPortId: string;
}

/** BP2..BP0 = 111 protects all; SRP0 lets the board's WP# pin hold the registers; TB, SEC, CMP and SRP1 stay clear. */
const PROTECT_ALL_HELD_BY_PIN: LockRecipe = {
  kind: 'spi-nor-status-registers',
  statusRegister1: { mask: 0xfc, value: 0x9c },
  statusRegister2: { mask: 0x41, value: 0x00 },
};

/** A board with a 1 MiB W25Q80-class flash, WP# tied low on the board. */
export const W25Q80_BOARD: DeviceProfile = {
  id: 'w25q80-board',
  model: 'W25Q80',
  jedecId: 'ef4014',
  sizeBytes: 1024 * 1024,
  pageBytes: 256,
  eraseBlockBytes: 4096,
  regions: [{ name: 'firmware', address: 0, length: 1024 * 1024 }],
  hardwareIdScheme: 'spi-nor-uid',
  hardwareIdBytes: 8,
  lockRecipe: PROTECT_ALL_HELD_BY_PIN,
  flashromChip: 'W25Q80.V',
  timeLimitsMs: {
    identify: 5_000,
    readHardwareId: 5_000,
    erase: 30_000,
    program: 60_000,
    readBack: 30_000,
    lock: 5_000,
    readLockState: 5_000,
    reset: 5_000,
  },
};

/** A board with a 4 MiB W25Q32-class flash, WP# tied low on the board. */
export const W25Q32_BOARD: DeviceProfile = {
  ...W25Q80_BOARD,
  id: 'w25q32-board',
  model: 'W25Q32',
  jedecId: 'ef4016',
  sizeBytes: 4 * 1024 * 1024,
  regions: [{ name: 'firmware', address: 0, length: 4 * 1024 * 1024 }],
  flashromChip: 'W25Q32.V',
  timeLimitsMs: { ...W25Q80_BOARD.timeLimitsMs, erase: 90_000, program: 180_000, readBack: 60_000 },
};

/** A board with a 16 MiB W25Q128-class flash, WP# tied low on the board. */
export const W25Q128_BOARD: DeviceProfile = {
  ...W25Q80_BOARD,
  id: 'w25q128-board',
  model: 'W25Q128',
  jedecId: 'ef4018',
  sizeBytes: 16 * 1024 * 1024,
  regions: [{ name: 'firmware', address: 0, length: 16 * 1024 * 1024 }],
  flashromChip: 'W25Q128.V',
  timeLimitsMs: { ...W25Q80_BOARD.timeLimitsMs, erase: 300_000, program: 600_000, readBack: 120_000 },
};

/** A board with a 16 KiB STM32F103C4. OpenOCD writes two to three KiB in a second. */
export const STM32F103C4_BOARD: McuProfile = {
  id: 'stm32f103c4-board',
  model: 'STM32F103C4',
  jedecId: '16412041',
  debugPortId: '3ba00477',
  sizeBytes: 16 * 1024,
  pageBytes: 1024,
  eraseBlockBytes: 1024,
  regions: [{ name: 'firmware', address: 0, length: 16 * 1024 }],
  hardwareIdScheme: 'mcu-uid',
  hardwareIdBytes: 12,
  lockRecipe: { kind: 'stm32-readout-protection', level: 1 },
  timeLimitsMs: {
    identify: 10_000,
    readHardwareId: 10_000,
    erase: 30_000,
    program: 60_000,
    readBack: 30_000,
    lock: 10_000,
    readLockState: 10_000,
    reset: 10_000,
  },
};

/** A board with a 64 KiB STM32F103C8. */
export const STM32F103C8_BOARD: McuProfile = {
  ...STM32F103C4_BOARD,
  id: 'stm32f103c8-board',
  model: 'STM32F103C8',
  jedecId: '16410041',
  sizeBytes: 64 * 1024,
  regions: [{ name: 'firmware', address: 0, length: 64 * 1024 }],
  timeLimitsMs: { ...STM32F103C4_BOARD.timeLimitsMs, program: 180_000 },
};

export const DEVICE_PROFILES: readonly DeviceProfile[] = [W25Q80_BOARD, W25Q32_BOARD, W25Q128_BOARD];

/** Returns the profile of that id, or undefined. */
export function findDeviceProfile(id: string): DeviceProfile | undefined {
  return DEVICE_PROFILES.find((profile) => profile.id === id);
}

export const MCU_PROFILES: readonly McuProfile[] = [STM32F103C4_BOARD, STM32F103C8_BOARD];

/** Returns the microcontroller profile of that id, or undefined. */
export function findMcuProfile(id: string): McuProfile | undefined {
  return MCU_PROFILES.find((profile) => profile.id === id);
}

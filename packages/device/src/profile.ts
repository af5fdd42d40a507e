// SPDX-License-Identifier: Apache-2.0
/** Device profiles: everything a driver has to know about a board, as data (spec/device-profile.md). */

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

/** A board whose lock this fixture can neither set nor read; a recipe with a lock is refused for it. */
export interface NoLock {
  readonly kind: 'none';
  /** For people: why. */
  readonly reason: string;
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

/** `spi-nor-uid` and `mcu-uid` are the maker's; `stored-id` was written by somebody and can be written again. */
export type ProfileIdScheme = 'spi-nor-uid' | 'mcu-uid' | 'stored-id';

/** How the hardware id is read. */
export type HardwareIdSource =
  | { readonly kind: 'spi-instruction'; readonly opcode: number; readonly dummyBytes: number }
  | { readonly kind: 'memory'; readonly address: number }
  | { readonly kind: 'eeprom'; readonly address: number };

/** How content is measured, and whose word it is. */
export interface MeasurementRecipe {
  /** Exactly the image's range, as read back, hashed with SHA-256. */
  readonly method: 'flash-range';
  /** `programmer`: the fixture reads the flash itself. `target`: software on the part reads it out. */
  readonly readBy: 'programmer' | 'target';
}

/** What every board has, whatever its part. */
export interface BoardProfile {
  readonly id: string;
  readonly model: string;
  /** Lower-case hexadecimal: the answer to RDID, the JTAG IDCODE of a microcontroller, or an AVR's signature. */
  readonly jedecId: string;
  /** Bytes of flash that can be programmed, from address 0 on. */
  readonly sizeBytes: number;
  readonly pageBytes: number;
  readonly eraseBlockBytes: number;
  readonly regions: readonly FlashRegion[];
  readonly hardwareIdScheme: ProfileIdScheme;
  readonly hardwareIdBytes: number;
  readonly hardwareIdSource: HardwareIdSource;
  /** Identifiers, in hexadecimal, that many of these parts bear; refused besides what is refused everywhere. */
  readonly placeholderIds: readonly string[];
  readonly measurement: MeasurementRecipe;
  readonly lockRecipe: LockRecipe | ReadoutProtectionRecipe | NoLock;
  readonly timeLimitsMs: TimeLimits;
  /** How often a tool is started that gives up before it has spoken to the part. */
  readonly maxToolStarts: number;
}

/** A board around a serial flash. */
export interface DeviceProfile extends BoardProfile {
  readonly kind: 'spi-nor';
  readonly hardwareIdScheme: 'spi-nor-uid';
  readonly hardwareIdSource: Extract<HardwareIdSource, { readonly kind: 'spi-instruction' }>;
  readonly lockRecipe: LockRecipe;
  /** The part's name in flashrom's table (`flashrom -L`). */
  readonly flashromChip: string;
}

/** A board around an STM32F1 microcontroller, its debug port and its reset wired to the fixture. */
export interface McuProfile extends BoardProfile {
  readonly kind: 'stm32f1';
  readonly hardwareIdScheme: 'mcu-uid';
  readonly hardwareIdSource: Extract<HardwareIdSource, { readonly kind: 'memory' }>;
  readonly lockRecipe: ReadoutProtectionRecipe;
  /** Lower-case hexadecimal JTAG IDCODE of the core's debug port. */
  readonly debugPortId: string;
}

/** A board around an AVR that programs itself through its boot loader. */
export interface AvrProfile extends BoardProfile {
  readonly kind: 'avr';
  readonly hardwareIdScheme: 'stored-id';
  readonly hardwareIdSource: Extract<HardwareIdSource, { readonly kind: 'eeprom' }>;
  readonly lockRecipe: NoLock;
  /** The part's name for avrdude (`-p`), the programmer's (`-c`), and the speed of the line. */
  readonly avrdudePart: string;
  readonly avrdudeProgrammer: string;
  readonly baudRate: number;
  /** All flash there is, the boot loader's section included. */
  readonly flashBytes: number;
  readonly eepromBytes: number;
  /** The section behind the application, as it reads on every good board. */
  readonly bootLoader: { readonly sha256: string } | null;
}

export type AnyProfile = DeviceProfile | McuProfile | AvrProfile;

/** Whether a lock can be set, and read after a reset. */
export function canLock({ lockRecipe }: Pick<BoardProfile, 'lockRecipe'>): boolean {
  return lockRecipe.kind !== 'none';
}

/** Whether a locked part can still be read back; where it cannot, it has to be measured before. */
export function isReadableWhenLocked({ lockRecipe }: Pick<BoardProfile, 'lockRecipe'>): boolean {
  return lockRecipe.kind !== 'stm32-readout-protection';
}

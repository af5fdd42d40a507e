// SPDX-License-Identifier: Apache-2.0
/** The profiles that come with the program; each is a file in `profiles/`. */
import atmega328pBoard from './profiles/atmega328p-board.json' with { type: 'json' };
import stm32f103c4Board from './profiles/stm32f103c4-board.json' with { type: 'json' };
import stm32f103c8Board from './profiles/stm32f103c8-board.json' with { type: 'json' };
import w25q128Board from './profiles/w25q128-board.json' with { type: 'json' };
import w25q32Board from './profiles/w25q32-board.json' with { type: 'json' };
import w25q80Board from './profiles/w25q80-board.json' with { type: 'json' };
import type { AnyProfile, AvrProfile, DeviceProfile, McuProfile } from './profile.ts';
import { toProfile } from './profile-file.ts';

/** A board with a 1 MiB W25Q80-class flash, WP# tied low on the board. */
export const W25Q80_BOARD: DeviceProfile = builtIn('spi-nor', w25q80Board);
/** A board with a 4 MiB W25Q32-class flash, WP# tied low on the board. */
export const W25Q32_BOARD: DeviceProfile = builtIn('spi-nor', w25q32Board);
/** A board with a 16 MiB W25Q128-class flash, WP# tied low on the board. */
export const W25Q128_BOARD: DeviceProfile = builtIn('spi-nor', w25q128Board);
/** A board with a 16 KiB STM32F103C4. OpenOCD writes two to three KiB in a second. */
export const STM32F103C4_BOARD: McuProfile = builtIn('stm32f1', stm32f103c4Board);
/** A board with a 64 KiB STM32F103C8. */
export const STM32F103C8_BOARD: McuProfile = builtIn('stm32f1', stm32f103c8Board);
/** A board with an ATmega328P and the boot loader ATmegaBOOT, which keeps the upper 2 KiB. */
export const ATMEGA328P_BOARD: AvrProfile = builtIn('avr', atmega328pBoard);

export const DEVICE_PROFILES: readonly DeviceProfile[] = [W25Q80_BOARD, W25Q32_BOARD, W25Q128_BOARD];
export const MCU_PROFILES: readonly McuProfile[] = [STM32F103C4_BOARD, STM32F103C8_BOARD];
export const AVR_PROFILES: readonly AvrProfile[] = [ATMEGA328P_BOARD];

/** Returns the serial flash profile of that id, or undefined. */
export function findDeviceProfile(id: string): DeviceProfile | undefined {
  return DEVICE_PROFILES.find((profile) => profile.id === id);
}

/** Returns the microcontroller profile of that id, or undefined. */
export function findMcuProfile(id: string): McuProfile | undefined {
  return MCU_PROFILES.find((profile) => profile.id === id);
}

/** Returns the AVR profile of that id, or undefined. */
export function findAvrProfile(id: string): AvrProfile | undefined {
  return AVR_PROFILES.find((profile) => profile.id === id);
}

function builtIn<Kind extends AnyProfile['kind']>(kind: Kind, value: unknown): Extract<AnyProfile, { kind: Kind }> {
  const profile = toProfile(value);
  if (profile.kind !== kind) throw new TypeError(`a profile of kind ${kind} was expected`);
  return profile as Extract<AnyProfile, { kind: Kind }>;
}

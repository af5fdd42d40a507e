// SPDX-License-Identifier: Apache-2.0
/** Addresses and bits of an STM32F103, named as RM0008 and PM0075 (flash) and the ARMv7-M manual (debug) name them. */

export const FLASH_BASE = 0x0800_0000;
export const FLASH_PAGE_BYTES = 1024;
export const SRAM_BASE = 0x2000_0000;
export const FLASH_SIZE_REGISTER = 0x1fff_f7e0;
export const UNIQUE_ID_BASE = 0x1fff_f7e8;
export const UNIQUE_ID_BYTES = 12;
export const OPTION_BYTES_BASE = 0x1fff_f800;
export const OPTION_BYTES_LENGTH = 16;

export const FLASH_REGISTERS = {
  KEYR: 0x4002_2004,
  OPTKEYR: 0x4002_2008,
  SR: 0x4002_200c,
  CR: 0x4002_2010,
  AR: 0x4002_2014,
  OBR: 0x4002_201c,
  WRPR: 0x4002_2020,
} as const;

export const FLASH_KEY1 = 0x4567_0123;
export const FLASH_KEY2 = 0xcdef_89ab;

export const FLASH_SR = { BSY: 0x01, PGERR: 0x04, WRPRTERR: 0x10, EOP: 0x20 } as const;

export const FLASH_CR = {
  PG: 0x001,
  PER: 0x002,
  MER: 0x004,
  OPTPG: 0x010,
  OPTER: 0x020,
  STRT: 0x040,
  LOCK: 0x080,
  OPTWRE: 0x200,
} as const;

export const FLASH_OBR_RDPRT = 0x02;

/** The one value of the RDP option byte that leaves the part readable; every other one protects it (level 1). */
export const RDP_OPEN = 0xa5;

/** The IDCODE of the Cortex-M3's JTAG-DP. */
export const DEBUG_PORT_ID = 0x3ba0_0477;

export const DBGMCU_IDCODE = 0xe004_2000;

export const DEBUG_REGISTERS = {
  CPUID: 0xe000_ed00,
  AIRCR: 0xe000_ed0c,
  DHCSR: 0xe000_edf0,
  DCRSR: 0xe000_edf4,
  DCRDR: 0xe000_edf8,
  DEMCR: 0xe000_edfc,
} as const;

/** Private peripheral bus: registers of the core and its debug units. */
export const PPB_BASE = 0xe000_0000;

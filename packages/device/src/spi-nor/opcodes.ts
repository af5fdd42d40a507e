// SPDX-License-Identifier: Apache-2.0
/** Instructions of W25Q-class SPI-NOR flash, named as the datasheets name them. */
export const OPCODE = {
  writeStatusRegister1: 0x01,
  pageProgram: 0x02,
  readData: 0x03,
  writeDisable: 0x04,
  readStatusRegister1: 0x05,
  writeEnable: 0x06,
  fastRead: 0x0b,
  readStatusRegister3: 0x15,
  sectorErase4k: 0x20,
  writeStatusRegister2: 0x31,
  readStatusRegister2: 0x35,
  programSecurityRegister: 0x42,
  eraseSecurityRegister: 0x44,
  readSecurityRegister: 0x48,
  readUniqueId: 0x4b,
  volatileStatusWriteEnable: 0x50,
  blockErase32k: 0x52,
  chipErase60: 0x60,
  enableReset: 0x66,
  manufacturerDeviceId: 0x90,
  resetDevice: 0x99,
  readJedecId: 0x9f,
  releasePowerDown: 0xab,
  chipEraseC7: 0xc7,
  blockErase64k: 0xd8,
} as const;

export const PAGE_BYTES = 256;
export const SECTOR_BYTES = 4 * 1024;
export const HALF_BLOCK_BYTES = 32 * 1024;
export const BLOCK_BYTES = 64 * 1024;

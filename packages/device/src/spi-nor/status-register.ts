// SPDX-License-Identifier: Apache-2.0
/** Status registers of W25Q-class flash: their bits, and the range the block-protect bits cover. */
import type { FlashRange } from '../contract.ts';
import { BLOCK_BYTES, HALF_BLOCK_BYTES, SECTOR_BYTES } from './opcodes.ts';

export const STATUS_1 = {
  busy: 0x01,
  writeEnableLatch: 0x02,
  blockProtect: 0x1c,
  topBottom: 0x20,
  sectorProtect: 0x40,
  registerProtect0: 0x80,
  /** Everything a write may change. */
  writable: 0xfc,
} as const;

export const STATUS_2 = {
  registerProtect1: 0x01,
  quadEnable: 0x02,
  /** LB3..LB1: one-time programmable. */
  securityRegisterLock: 0x38,
  complementProtect: 0x40,
  writable: 0x7b,
} as const;

export interface StatusRegisters {
  readonly statusRegister1: number;
  readonly statusRegister2: number;
}

/**
 * The range that BP, TB, SEC and CMP protect. A block is 64 KiB, or 1/64 of a part that is larger than 4 MiB; with SEC
 * it is 4 KiB and the range ends at 32 KiB; all BP bits set protect everything.
 */
export function protectedRange(registers: StatusRegisters, sizeBytes: number): FlashRange {
  const { statusRegister1, statusRegister2 } = registers;
  const level = (statusRegister1 & STATUS_1.blockProtect) >> 2;
  const length = protectedLength(level, (statusRegister1 & STATUS_1.sectorProtect) !== 0, sizeBytes);
  const complement = (statusRegister2 & STATUS_2.complementProtect) !== 0;
  const covered = complement ? sizeBytes - length : length;
  const atBottom = (statusRegister1 & STATUS_1.topBottom) !== 0;
  return { address: atBottom !== complement || covered === 0 ? 0 : sizeBytes - covered, length: covered };
}

/** Whether two ranges share a byte. */
export function overlaps(left: FlashRange, right: FlashRange): boolean {
  return left.address < right.address + right.length && right.address < left.address + left.length;
}

/** Both registers as people read them in datasheets, for example `9c 00`. */
export function formatStatusRegisters(registers: StatusRegisters): string {
  return [registers.statusRegister1, registers.statusRegister2]
    .map((value) => value.toString(16).padStart(2, '0'))
    .join(' ');
}

function protectedLength(level: number, bySector: boolean, sizeBytes: number): number {
  if (level === 0) return 0;
  if (level === 7) return sizeBytes;
  if (bySector) return Math.min(SECTOR_BYTES << (level - 1), HALF_BLOCK_BYTES);
  return Math.min(Math.max(BLOCK_BYTES, sizeBytes / 64) << (level - 1), sizeBytes);
}

// SPDX-License-Identifier: Apache-2.0
/** The state of a simulated chip, and as bytes: one line of JSON, then the flash as it is (spec/device-driver.md). */
import { encodeHex, type Bytes, type JsonValue } from '@witnessmark/core';
import { formatPartState, hexField, parsePartState, partFileError } from '../part-state.ts';
import { BLOCK_BYTES } from './opcodes.ts';
import { blankSecurityRegisters, SECURITY_REGISTER_BYTES, SECURITY_REGISTERS } from './security-registers.ts';
import type { StatusRegisters } from './status-register.ts';

/** A header holds three security registers of 512 digits and little else. */
export const CHIP_HEADER = {
  mediaType: 'application/vnd.witnessmark.simulated-chip.v1',
  maxBytes: 4096,
  maxValues: 16,
} as const;
const MAX_UNIQUE_ID_BYTES = 16;

/** Everything about a chip that survives losing power. */
export interface ChipState extends StatusRegisters {
  readonly jedecId: string;
  readonly uniqueId: Bytes;
  readonly memory: Bytes;
  /** The three one-time lockable registers of 256 bytes. */
  readonly securityRegisters: readonly Bytes[];
}

/** The state of a part as it comes from its maker: erased, unprotected. */
export function blankChip(part: {
  readonly jedecId: string;
  readonly sizeBytes: number;
  readonly uniqueId: Bytes;
}): ChipState {
  return {
    jedecId: part.jedecId,
    uniqueId: part.uniqueId.slice(),
    memory: new Uint8Array(part.sizeBytes).fill(0xff),
    statusRegister1: 0,
    statusRegister2: 0,
    securityRegisters: blankSecurityRegisters(),
  };
}

/** Whether 24 address bits reach it and masking an address wraps it. */
export function isChipSize(bytes: number): boolean {
  return bytes >= BLOCK_BYTES && bytes <= 1 << 24 && (bytes & (bytes - 1)) === 0;
}

export function formatChipState(state: ChipState): Bytes {
  const header = {
    mediaType: CHIP_HEADER.mediaType,
    jedecId: state.jedecId,
    uniqueId: encodeHex(state.uniqueId),
    sizeBytes: state.memory.length,
    statusRegister1: state.statusRegister1,
    statusRegister2: state.statusRegister2,
    securityRegisters: state.securityRegisters.map(encodeHex),
  };
  return formatPartState(header, state.memory);
}

/** Reads a chip's state; throws `ERR_DEVICE_CHIP_FILE` for anything `formatChipState` does not write. */
export function parseChipState(bytes: Bytes): ChipState {
  const { header, memory } = parsePartState(bytes, CHIP_HEADER);
  if (memory.length !== header['sizeBytes']) {
    throw partFileError(`${memory.length} bytes follow the header, and it announces another number`);
  }
  if (!isChipSize(memory.length)) throw partFileError(`no chip has ${memory.length} bytes`);
  return {
    jedecId: encodeHex(hexField(header['jedecId'], 3)),
    uniqueId: hexField(header['uniqueId'], 1, MAX_UNIQUE_ID_BYTES),
    memory,
    statusRegister1: byteField(header['statusRegister1']),
    statusRegister2: byteField(header['statusRegister2']),
    securityRegisters: listField(header['securityRegisters']).map((register) =>
      hexField(register, SECURITY_REGISTER_BYTES),
    ),
  };
}

function listField(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value) && value.length === SECURITY_REGISTERS) return value as readonly JsonValue[];
  throw partFileError('the security registers are missing');
}

function byteField(value: JsonValue | undefined): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff) return value;
  throw partFileError('a register is not a byte');
}

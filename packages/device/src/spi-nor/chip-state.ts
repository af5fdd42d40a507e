// SPDX-License-Identifier: Apache-2.0
/** The state of a simulated chip as bytes: one line of JSON, then the flash as it is (spec/device-driver.md). */
import {
  concatBytes,
  decodeHex,
  encodeHex,
  encodeUtf8,
  formatJson,
  parseStrictJson,
  WitnessmarkError,
  type Bytes,
  type JsonValue,
} from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { isChipSize, type ChipState } from './chip.ts';
import { SECURITY_REGISTER_BYTES, SECURITY_REGISTERS } from './security-registers.ts';

const MEDIA_TYPE = 'application/vnd.witnessmark.simulated-chip.v1';
const NEWLINE = 0x0a;

/** A header holds three security registers of 512 digits and little else. */
export const CHIP_STATE_LIMITS = {
  headerBytes: 4096,
  uniqueIdBytes: 16,
} as const;

export function formatChipState(state: ChipState): Bytes {
  const header = formatJson({
    mediaType: MEDIA_TYPE,
    jedecId: state.jedecId,
    uniqueId: encodeHex(state.uniqueId),
    sizeBytes: state.memory.length,
    statusRegister1: state.statusRegister1,
    statusRegister2: state.statusRegister2,
    securityRegisters: state.securityRegisters.map(encodeHex),
  });
  return concatBytes(header, encodeUtf8('\n'), state.memory);
}

/** Reads a chip's state; throws `ERR_DEVICE_CHIP_FILE` for anything `formatChipState` does not write. */
export function parseChipState(bytes: Bytes): ChipState {
  const end = bytes.subarray(0, CHIP_STATE_LIMITS.headerBytes + 1).indexOf(NEWLINE);
  if (end === -1) throw chipFileError('it has no header line');
  const header = parseHeader(bytes.subarray(0, end));
  const memory = bytes.slice(end + 1);
  if (memory.length !== header['sizeBytes']) {
    throw chipFileError(`${memory.length} bytes follow the header, and it announces another number`);
  }
  if (!isChipSize(memory.length)) throw chipFileError(`no chip has ${memory.length} bytes`);
  return {
    jedecId: encodeHex(hexField(header['jedecId'], 3, 3)),
    uniqueId: hexField(header['uniqueId'], 1, CHIP_STATE_LIMITS.uniqueIdBytes),
    memory,
    statusRegister1: byteField(header['statusRegister1']),
    statusRegister2: byteField(header['statusRegister2']),
    securityRegisters: listField(header['securityRegisters']).map((register) =>
      hexField(register, SECURITY_REGISTER_BYTES, SECURITY_REGISTER_BYTES),
    ),
  };
}

function parseHeader(line: Bytes): Readonly<Record<string, JsonValue>> {
  let header: JsonValue;
  try {
    header = parseStrictJson(line, { maxBytes: CHIP_STATE_LIMITS.headerBytes, maxDepth: 2, maxValues: 16 });
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', 'not a chip file: the header is not strict JSON', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw chipFileError('no header object');
  const fields = header as Readonly<Record<string, JsonValue>>;
  if (fields['mediaType'] !== MEDIA_TYPE) throw chipFileError(`the media type is not ${MEDIA_TYPE}`);
  return fields;
}

function hexField(value: JsonValue | undefined, minBytes: number, maxBytes: number): Bytes {
  if (typeof value === 'string' && /^(?:[0-9a-f]{2})*$/.test(value)) {
    const bytes = decodeHex(value);
    if (bytes.length >= minBytes && bytes.length <= maxBytes) return bytes;
  }
  throw chipFileError('a field is not hexadecimal of its length');
}

function listField(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value) && value.length === SECURITY_REGISTERS) return value as readonly JsonValue[];
  throw chipFileError('the security registers are missing');
}

function byteField(value: JsonValue | undefined): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff) return value;
  throw chipFileError('a register is not a byte');
}

function chipFileError(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_CHIP_FILE', `not a chip file: ${what}`);
}

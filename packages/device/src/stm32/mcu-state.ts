// SPDX-License-Identifier: Apache-2.0
/** The state of a simulated microcontroller as bytes: one line of JSON, then the flash as it is (spec/device-driver.md). */
import {
  concatBytes,
  decodeHex,
  encodeHex,
  encodeUtf8,
  equalBytes,
  formatJson,
  parseStrictJson,
  WitnessmarkError,
  type Bytes,
  type JsonValue,
} from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { isMcuSize, type McuState } from './mcu.ts';
import { OPTION_BYTES_LENGTH, UNIQUE_ID_BYTES } from './memory-map.ts';

const MEDIA_TYPE = 'application/vnd.witnessmark.simulated-mcu.v1';
const NEWLINE = 0x0a;

/** A header holds four short fields. */
const MCU_STATE_LIMITS = { headerBytes: 512 } as const;

export function formatMcuState(state: McuState): Bytes {
  const header = formatJson({
    mediaType: MEDIA_TYPE,
    jedecId: state.jedecId,
    uniqueId: encodeHex(state.uniqueId),
    optionBytes: encodeHex(state.optionBytes),
  });
  return concatBytes(header, encodeUtf8('\n'), state.memory);
}

/** Reads a part's state; throws `ERR_DEVICE_CHIP_FILE` for anything `formatMcuState` does not write. */
export function parseMcuState(bytes: Bytes): McuState {
  const end = bytes.subarray(0, MCU_STATE_LIMITS.headerBytes + 1).indexOf(NEWLINE);
  if (end === -1) throw partFileError('it has no header line');
  const header = parseHeader(bytes.subarray(0, end));
  const memory = bytes.slice(end + 1);
  if (!isMcuSize(memory.length)) throw partFileError(`no part has ${memory.length} bytes`);
  const state = {
    jedecId: encodeHex(hexField(header['jedecId'], 4)),
    uniqueId: hexField(header['uniqueId'], UNIQUE_ID_BYTES),
    memory,
    optionBytes: hexField(header['optionBytes'], OPTION_BYTES_LENGTH),
  };
  // There is one way of writing a state: no further members, no other order, no other media type.
  if (!equalBytes(formatMcuState(state), bytes)) throw partFileError('the header is not the one of this state');
  return state;
}

function parseHeader(line: Bytes): Readonly<Record<string, JsonValue>> {
  let header: JsonValue;
  try {
    header = parseStrictJson(line, { maxBytes: MCU_STATE_LIMITS.headerBytes, maxDepth: 2, maxValues: 8 });
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', 'not a part file: the header is not strict JSON', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw partFileError('no header object');
  return header as Readonly<Record<string, JsonValue>>;
}

function hexField(value: JsonValue | undefined, bytes: number): Bytes {
  if (typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value)) return decodeHex(value);
  throw partFileError('a field is not hexadecimal of its length');
}

function partFileError(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_CHIP_FILE', `not a part file: ${what}`);
}

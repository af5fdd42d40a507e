// SPDX-License-Identifier: Apache-2.0
/** The state of a simulated microcontroller, and as bytes: one line of JSON, then the flash as it is (spec/device-driver.md). */
import { encodeHex, equalBytes, type Bytes } from '@witnessmark/core';
import { formatPartState, hexField, parsePartState, partFileError } from '../part-state.ts';
import { OPTION_BYTES_LENGTH, UNIQUE_ID_BYTES } from './memory-map.ts';
import { factoryOptionBytes } from './option-bytes.ts';

/** A header holds four short fields. */
const HEADER = {
  mediaType: 'application/vnd.witnessmark.simulated-mcu.v1',
  maxBytes: 512,
  maxValues: 8,
} as const;

/** Everything about a part that survives losing power. */
export interface McuState {
  /** JTAG IDCODE of the boundary scan TAP, 8 hexadecimal digits: maker and kind of part. */
  readonly jedecId: string;
  readonly uniqueId: Bytes;
  readonly memory: Bytes;
  readonly optionBytes: Bytes;
}

/** The state of a part as it comes from its maker: erased, readable. */
export function blankMcu(part: {
  readonly jedecId: string;
  readonly sizeBytes: number;
  readonly uniqueId: Bytes;
}): McuState {
  const { jedecId, sizeBytes, uniqueId } = part;
  const memory = new Uint8Array(sizeBytes).fill(0xff);
  return { jedecId, uniqueId: uniqueId.slice(), memory, optionBytes: factoryOptionBytes() };
}

/** Whether the family has parts of that flash size. */
export function isMcuSize(bytes: number): boolean {
  return [16, 32, 64, 128].some((kibibytes) => bytes === kibibytes * 1024);
}

export function formatMcuState(state: McuState): Bytes {
  const header = {
    mediaType: HEADER.mediaType,
    jedecId: state.jedecId,
    uniqueId: encodeHex(state.uniqueId),
    optionBytes: encodeHex(state.optionBytes),
  };
  return formatPartState(header, state.memory);
}

/** Reads a part's state; throws `ERR_DEVICE_CHIP_FILE` for anything `formatMcuState` does not write. */
export function parseMcuState(bytes: Bytes): McuState {
  const { header, memory } = parsePartState(bytes, HEADER);
  if (!isMcuSize(memory.length)) throw partFileError(`no part has ${memory.length} bytes`);
  const state = {
    jedecId: encodeHex(hexField(header['jedecId'], 4)),
    uniqueId: hexField(header['uniqueId'], UNIQUE_ID_BYTES),
    memory,
    optionBytes: hexField(header['optionBytes'], OPTION_BYTES_LENGTH),
  };
  // There is one way of writing a state: no further members and no other order.
  if (!equalBytes(formatMcuState(state), bytes)) throw partFileError('the header is not the one of this state');
  return state;
}

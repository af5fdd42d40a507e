// SPDX-License-Identifier: Apache-2.0
/** What the files of simulated parts have in common as bytes: one line of JSON, then the flash as it is. */
import {
  concatBytes,
  decodeHex,
  encodeUtf8,
  formatJson,
  parseStrictJson,
  WitnessmarkError,
  type Bytes,
  type JsonValue,
} from '@witnessmark/core';
import { DeviceError } from './error.ts';

const NEWLINE = 0x0a;

export interface PartHeaderFormat {
  readonly mediaType: string;
  readonly maxBytes: number;
  readonly maxValues: number;
}

interface PartState {
  readonly header: Readonly<Record<string, JsonValue>>;
  readonly memory: Bytes;
}

export function formatPartState(header: Readonly<Record<string, JsonValue>>, memory: Bytes): Bytes {
  return concatBytes(formatJson(header), encodeUtf8('\n'), memory);
}

/** Throws `ERR_DEVICE_CHIP_FILE` for a file without such a header; its other fields are as hostile as before. */
export function parsePartState(bytes: Bytes, { mediaType, maxBytes, maxValues }: PartHeaderFormat): PartState {
  const end = bytes.subarray(0, maxBytes + 1).indexOf(NEWLINE);
  if (end === -1) throw partFileError('it has no header line');
  let header: JsonValue;
  try {
    header = parseStrictJson(bytes.subarray(0, end), { maxBytes, maxDepth: 2, maxValues });
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', 'not a part file: the header is not strict JSON', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw partFileError('no header object');
  const fields = header as Readonly<Record<string, JsonValue>>;
  if (fields['mediaType'] !== mediaType) throw partFileError(`the media type is not ${mediaType}`);
  return { header: fields, memory: bytes.slice(end + 1) };
}

/** A field of lower-case hexadecimal digits, for so many bytes. */
export function hexField(value: JsonValue | undefined, minBytes: number, maxBytes: number = minBytes): Bytes {
  if (typeof value === 'string' && /^(?:[0-9a-f]{2})*$/.test(value)) {
    const bytes = decodeHex(value);
    if (bytes.length >= minBytes && bytes.length <= maxBytes) return bytes;
  }
  throw partFileError('a field is not hexadecimal of its length');
}

export function partFileError(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_CHIP_FILE', `not a part file: ${what}`);
}

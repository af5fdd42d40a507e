// SPDX-License-Identifier: Apache-2.0
/** Writes the tar archives that are sealed in debug bundles: plain files, ustar, nothing about the machine that wrote them. */
import { concatBytes, encodeUtf8, type Bytes } from '@witnessmark/core';

const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;
const FILE_MODE = '0000644';

export interface TarFile {
  readonly path: string;
  readonly content: Bytes;
  /** Seconds since 1970. */
  readonly modifiedAt: number;
}

/** A complete archive, entries in the order given. */
export function writeTar(files: readonly TarFile[]): Bytes {
  const blocks = files.flatMap((file) => [...longName(file), header(file, '0'), padded(file.content)]);
  return concatBytes(...blocks, new Uint8Array(2 * BLOCK_BYTES));
}

/** Names beyond the header's field go into a pax record before it. */
function longName({ path, modifiedAt }: TarFile): readonly Bytes[] {
  if (encodeUtf8(path).length <= MAX_NAME_BYTES) return [];
  const content = paxRecord('path', path);
  return [header({ path: 'pax', content, modifiedAt }, 'x'), padded(content)];
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Bytes {
  const rest = ` ${key}=${value}\n`;
  const length = encodeUtf8(rest).length;
  const total = [1, 2, 3, 4].map((digits) => length + digits).find((sum, index) => String(sum).length === index + 1);
  return encodeUtf8(`${total ?? 0}${rest}`);
}

function header({ path, content, modifiedAt }: TarFile, type: '0' | 'x'): Bytes {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (offset: number, text: string): void => block.set(encodeUtf8(text), offset);
  block.set(encodeUtf8(path).subarray(0, MAX_NAME_BYTES), 0);
  put(100, FILE_MODE);
  put(108, '0000000');
  put(116, '0000000');
  put(124, octal(content.length, 11));
  put(136, octal(modifiedAt, 11));
  put(148, ' '.repeat(8));
  put(156, type);
  put(257, 'ustar\x0000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

function padded(content: Bytes): Bytes {
  return concatBytes(content, new Uint8Array((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES));
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

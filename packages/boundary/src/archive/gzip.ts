// SPDX-License-Identifier: Apache-2.0
/** A gzip file of one member (RFC 1952) with nothing around it; gunzip itself would skip what follows. */
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import type { Bytes } from '@witnessmark/core';
import { RefusedFile } from '../refused-file.ts';
import { readRange, type ByteSource } from './byte-source.ts';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const MAX_NAME_BYTES = 256;
const FLAG_NAME = 0x08;
/** Text and name; a checksum of the header, extra fields, comments and reserved bits are for other uses. */
const ACCEPTED_FLAGS = 0x01 | FLAG_NAME;

export function isGzip(bytes: Bytes): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The unpacked bytes; at most `maxBytes`. Throws BX-104, BX-105, BX-106 or BX-107, possibly after the last byte. */
export async function* gunzip(source: ByteSource, maxBytes: number): AsyncGenerator<Bytes> {
  const start = await readHeader(source);
  const inflate = createInflateRaw();
  const input = Readable.from(readRange(source, start, source.size));
  input.on('error', (error) => inflate.destroy(error));
  input.pipe(inflate);
  let length = 0;
  let sum = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Bytes>) {
      length += chunk.length;
      if (length > maxBytes) throw new RefusedFile('BX-104', '.', `it unpacks to more than ${maxBytes} bytes`);
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof RefusedFile) throw cause;
    throw new RefusedFile('BX-105', '.', 'the compressed data is damaged or cut off', cause);
  } finally {
    input.destroy();
    inflate.destroy();
  }
  await checkTrailer(source, start + inflate.bytesWritten, sum, length);
}

/** The offset of the compressed data. */
async function readHeader(source: ByteSource): Promise<number> {
  if (source.size < HEADER_BYTES + TRAILER_BYTES) throw new RefusedFile('BX-105', '.', 'the archive is cut off');
  const header = await source.read(0, Math.min(source.size, HEADER_BYTES + MAX_NAME_BYTES));
  const flags = header[3] ?? 0;
  if (header[2] !== 8 || (flags & ~ACCEPTED_FLAGS) !== 0) {
    throw new RefusedFile('BX-107', '.', 'a gzip header with other fields than a name');
  }
  if ((flags & FLAG_NAME) === 0) return HEADER_BYTES;
  const end = header.indexOf(0, HEADER_BYTES);
  if (end < 0) throw new RefusedFile('BX-107', '.', 'the name in the gzip header is too long');
  return end + 1;
}

async function checkTrailer(source: ByteSource, at: number, sum: number, length: number): Promise<void> {
  const end = at + TRAILER_BYTES;
  if (end > source.size) throw new RefusedFile('BX-105', '.', 'the archive is cut off');
  if (end < source.size) throw new RefusedFile('BX-106', '.', `${source.size - end} bytes follow the archive`);
  const trailer = await source.read(at, TRAILER_BYTES);
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.length);
  if (view.getUint32(0, true) !== sum || view.getUint32(4, true) !== length % 2 ** 32) {
    throw new RefusedFile('BX-105', '.', 'the checksum of the content is wrong');
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Deflate and gzip from stored blocks only: the same bytes with every version of zlib. */
import { crc32 } from 'node:zlib';

const MAX_STORED = 0xffff;

export function storedDeflate(content: Uint8Array): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at === 0 || at < content.length; at += MAX_STORED) {
    const part = content.subarray(at, at + MAX_STORED);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + MAX_STORED >= content.length ? 1 : 0, 0);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(part.length ^ 0xffff, 3);
    blocks.push(head, Buffer.from(part));
  }
  return Buffer.concat(blocks);
}

export interface RawGzip {
  readonly flags?: number;
  readonly afterHeader?: Uint8Array;
  readonly crc?: number;
  readonly length?: number;
  readonly trailing?: Uint8Array;
}

export function rawGzip(content: Uint8Array, options: RawGzip = {}): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(options.crc ?? crc32(content), 0);
  trailer.writeUInt32LE(options.length ?? content.length, 4);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, options.flags ?? 0, 0, 0, 0, 0, 0, 3]),
    options.afterHeader ?? Buffer.alloc(0),
    storedDeflate(content),
    trailer,
    options.trailing ?? Buffer.alloc(0),
  ]);
}

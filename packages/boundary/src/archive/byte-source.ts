// SPDX-License-Identifier: Apache-2.0
/** Bytes that can be read at any place, as often as needed: an opened file, or bytes in memory. */
import type { Bytes } from '@witnessmark/core';

const CHUNK_BYTES = 256 * 1024;

export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes from `offset`; rejects when there are fewer. */
  read(offset: number, length: number): Promise<Bytes>;
}

export class BytesSource implements ByteSource {
  readonly #bytes: Bytes;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Promise<Bytes> {
    return Promise.resolve(this.#bytes.subarray(offset, offset + length));
  }
}

/** The bytes from `start` to `end` in pieces. */
export async function* readRange(source: ByteSource, start: number, end: number): AsyncGenerator<Bytes> {
  for (let at = start; at < end; at += CHUNK_BYTES) yield source.read(at, Math.min(CHUNK_BYTES, end - at));
}

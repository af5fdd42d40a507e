// SPDX-License-Identifier: Apache-2.0
/** Takes exact numbers of bytes from a stream of chunks. */
import { concatBytes, type Bytes } from '@witnessmark/core';

export class ByteReader {
  readonly #chunks: AsyncIterator<Bytes>;
  #rest: Bytes = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Bytes>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes; null when the stream ends before the first or in their midst. */
  async take(length: number): Promise<Bytes | null> {
    const parts: Bytes[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) return null;
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Bytes) : concatBytes(...parts);
  }

  /** Whatever comes next; null at the end. */
  async takeAny(): Promise<Bytes | null> {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = new Uint8Array(0);
      return rest;
    }
    const next = await this.#chunks.next();
    return next.done === true ? null : next.value;
  }

  /** Ends the stream early, so that whoever feeds it lets go of what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Tree hashes with consecutive indexes, side by side in a few buffers. As objects, the hashes of a second would be moved by
 * the garbage collector, and appends would wait for milliseconds.
 */
import type { Bytes } from '@witnessmark/core';
import { HASH_BYTES } from '@witnessmark/tlog';

const HASHES_PER_BLOCK = 1_024;

export class HashRow {
  /** Index of the first hash in the first block. */
  #start: number;
  #blocks: Uint8Array[] = [];
  /** Hashes before are forgotten. */
  #base: number;
  #end: number;

  /** Begins empty; the first hash gets the index `base`. */
  constructor(base: number) {
    this.#start = base;
    this.#base = base;
    this.#end = base;
  }

  /** Returns the index the hash got. */
  push(hash: Bytes): number {
    const index = this.#end;
    const at = index - this.#start;
    const block = (this.#blocks[Math.floor(at / HASHES_PER_BLOCK)] ??= new Uint8Array(HASHES_PER_BLOCK * HASH_BYTES));
    block.set(hash, (at % HASHES_PER_BLOCK) * HASH_BYTES);
    this.#end += 1;
    return index;
  }

  /** A view into memory that is written anew only after `truncate`: keep it for committed hashes alone. */
  get(index: number): Bytes | undefined {
    if (index < this.#base || index >= this.#end) return undefined;
    const at = index - this.#start;
    const offset = (at % HASHES_PER_BLOCK) * HASH_BYTES;
    return this.#blocks[Math.floor(at / HASHES_PER_BLOCK)]?.subarray(offset, offset + HASH_BYTES);
  }

  /** Takes back every hash from `end` on. */
  truncate(end: number): void {
    this.#end = Math.min(this.#end, Math.max(end, this.#base));
  }

  /** Forgets the hashes before `base`. */
  prune(base: number): void {
    if (base <= this.#base) return;
    this.#base = base;
    const blocks = Math.floor((Math.min(base, this.#end) - this.#start) / HASHES_PER_BLOCK);
    this.#blocks.splice(0, blocks);
    this.#start += blocks * HASHES_PER_BLOCK;
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The right edge of a growing tree: the hashes of its maximal complete subtrees, largest first. That is all it takes to
 * append and to know the root, however many entries there are.
 */
import type { Bytes } from '@witnessmark/core';
import { TlogError } from './error.ts';
import { EMPTY_ROOT, HASH_BYTES, hashChildren } from './hashing.ts';
import { isTreeSize } from './tree-size.ts';

/** Called for each complete subtree, leaves included, as soon as it exists; see `HashReader` for level and index. */
export type SubtreeSink = (level: number, index: number, hash: Bytes) => void;

export class Frontier {
  #size: number;
  readonly #levels: number[];
  readonly #hashes: Bytes[];

  private constructor(size: number, levels: number[], hashes: Bytes[]) {
    this.#size = size;
    this.#levels = levels;
    this.#hashes = hashes;
  }

  static empty(): Frontier {
    return new Frontier(0, [], []);
  }

  /** Takes up where {@link hashes} was read. Throws `ERR_TLOG_FRONTIER` when the hashes cannot belong to the size. */
  static fromHashes(size: number, hashes: readonly Bytes[]): Frontier {
    if (!isTreeSize(size)) throw new TlogError('ERR_TLOG_FRONTIER', 'a tree size is a whole number');
    const levels = subtreeLevels(size);
    if (hashes.length !== levels.length || !hashes.every((hash) => hash.length === HASH_BYTES)) {
      throw new TlogError('ERR_TLOG_FRONTIER', `a tree of ${size} has ${levels.length} subtree hashes of 32 bytes`);
    }
    return new Frontier(size, levels, [...hashes]);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one entry; hashes once on average. Keeps `leafHash` itself: the caller must not write to it any more. */
  append(leafHash: Bytes, onSubtree?: SubtreeSink): void {
    let hash = leafHash;
    let level = 0;
    let index = this.#size;
    onSubtree?.(level, index, hash);
    while (this.#levels.at(-1) === level) {
      this.#levels.pop();
      hash = hashChildren(this.#hashes.pop() as Bytes, hash);
      level += 1;
      index = Math.floor(index / 2);
      onSubtree?.(level, index, hash);
    }
    this.#levels.push(level);
    this.#hashes.push(hash);
    this.#size += 1;
  }

  root(): Bytes {
    return this.#hashes.length === 0
      ? EMPTY_ROOT
      : this.#hashes.reduceRight((right, left) => hashChildren(left, right));
  }

  /** The hashes of the maximal complete subtrees, largest first. */
  hashes(): Bytes[] {
    return [...this.#hashes];
  }
}

/** The levels of the maximal complete subtrees of a tree, highest first: the binary digits of its size. */
function subtreeLevels(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) levels.unshift(level);
  }
  return levels;
}

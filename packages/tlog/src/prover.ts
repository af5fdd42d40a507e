// SPDX-License-Identifier: Apache-2.0
/** Making inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2) from the hashes of complete subtrees. */
import type { Bytes } from '@witnessmark/core';
import { EMPTY_ROOT, hashChildren } from './hashing.ts';
import { assertTreeSize } from './tree-size.ts';

/** Reads the hash of the complete subtree of 2^`level` entries that begins at entry `index` · 2^`level`. */
export interface HashReader {
  readHash(level: number, index: number): Bytes;
}

/** A range of entries whose length is at most 2^`level`, and more than half of it. */
interface Range {
  start: number;
  end: number;
  level: number;
}

/**
 * Makes proofs about one size of a tree. The subtrees cut off by the right edge are hashed once, so a proof reads one
 * hash for each level; make a new prover for each new size.
 */
export class Prover {
  readonly treeSize: number;
  readonly #reader: HashReader;
  readonly #edge = new Map<number, Bytes>();

  /** Reads from `reader` only what a tree of `treeSize` entries holds. */
  constructor(treeSize: number, reader: HashReader) {
    assertTreeSize(treeSize);
    this.treeSize = treeSize;
    this.#reader = reader;
  }

  rootHash(): Bytes {
    return this.treeSize === 0 ? EMPTY_ROOT : this.#hashRange(this.#wholeTree());
  }

  /** PATH(index, D[treeSize]), from the sibling of the leaf upwards. */
  inclusionProof(index: number): Bytes[] {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.treeSize) {
      throw new TypeError(`no entry ${index} in a tree of ${this.treeSize}`);
    }
    const proof: Bytes[] = [];
    const range = this.#wholeTree();
    while (range.end - range.start > 1) proof.push(this.#hashRange(narrow(range, index)));
    return proof.reverse();
  }

  /** PROOF(fromSize, D[treeSize]); empty from size 0 and from the same size. */
  consistencyProof(fromSize: number): Bytes[] {
    assertTreeSize(fromSize);
    if (fromSize > this.treeSize) throw new TypeError(`a tree of ${this.treeSize} does not extend one of ${fromSize}`);
    if (fromSize === 0) return [];
    const proof: Bytes[] = [];
    const range = this.#wholeTree();
    while (range.end !== fromSize) proof.push(this.#hashRange(narrow(range, fromSize - 1)));
    // SUBPROOF's flag: only a subtree that does not begin at entry 0 is news to the verifier.
    if (range.start > 0) proof.push(this.#hashRange(range));
    return proof.reverse();
  }

  #wholeTree(): Range {
    let level = 0;
    while (2 ** level < this.treeSize) level += 1;
    return { start: 0, end: this.treeSize, level };
  }

  #hashRange({ start, end, level }: Range): Bytes {
    const width = 2 ** level;
    if (end - start === width) return this.#reader.readHash(level, start / width);
    const known = this.#edge.get(start);
    if (known !== undefined) return known;
    const right = { start, end, level };
    const left = narrow(right, end - 1);
    const hash = hashChildren(this.#hashRange(left), this.#hashRange(right));
    this.#edge.set(start, hash);
    return hash;
  }
}

/** PATH(index, D[treeSize]); a {@link Prover} is cheaper for several proofs of one size. */
export function inclusionProof(index: number, treeSize: number, reader: HashReader): Bytes[] {
  return new Prover(treeSize, reader).inclusionProof(index);
}

/** PROOF(fromSize, D[toSize]). */
export function consistencyProof(fromSize: number, toSize: number, reader: HashReader): Bytes[] {
  return new Prover(toSize, reader).consistencyProof(fromSize);
}

/** Splits `range` at the largest power of two below its length, keeps the half that holds `index`, returns the other. */
function narrow(range: Range, index: number): Range {
  const { start, end, level } = range;
  const middle = start + 2 ** (level - 1);
  if (index < middle) {
    range.end = middle;
    range.level = level - 1;
    return { start: middle, end, level: fittingLevel(end - middle, level - 1) };
  }
  range.start = middle;
  range.level = fittingLevel(end - middle, level - 1);
  return { start, end: middle, level: level - 1 };
}

/** The level of a range of `length` entries, known to be at most `level`. */
function fittingLevel(length: number, level: number): number {
  let fitting = level;
  while (fitting > 0 && 2 ** (fitting - 1) >= length) fitting -= 1;
  return fitting;
}

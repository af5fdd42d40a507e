// SPDX-License-Identifier: Apache-2.0
/** RFC 6962 section 2.1, transcribed as it is written: slow, recursive, and independent of the code under test. */
import { createHash } from 'node:crypto';
import type { HashReader } from '@witnessmark/tlog';

const hash = (...parts: readonly Uint8Array[]): Uint8Array => {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
};

export const naiveLeaf = (entry: Uint8Array): Uint8Array => hash(Uint8Array.of(0), entry);

const split = (size: number): number => {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
};

/** MTH, over leaf hashes. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return hash(Uint8Array.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** PATH. */
export function naiveInclusionProof(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...naiveInclusionProof(index, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naiveInclusionProof(index - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}

/** PROOF. */
export function naiveConsistencyProof(from: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  return from === 0 ? [] : subproof(from, leaves, true);
}

function subproof(from: number, leaves: readonly Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (from === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  return from <= k
    ? [...subproof(from, leaves.slice(0, k), isWhole), naiveRoot(leaves.slice(k))]
    : [...subproof(from - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

/** Leaf hashes that differ by index. */
export function makeLeaves(size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, index) => naiveLeaf(new TextEncoder().encode(`entry ${index}`)));
}

/** Reads complete subtrees of a list of leaves. */
export class NaiveReader implements HashReader {
  readonly #leaves: readonly Uint8Array[];

  constructor(leaves: readonly Uint8Array[]) {
    this.#leaves = leaves;
  }

  readHash(level: number, index: number): Uint8Array {
    const width = 2 ** level;
    const below = this.#leaves.slice(index * width, (index + 1) * width);
    if (below.length !== width) throw new Error(`subtree ${index} of level ${level} is not complete`);
    return naiveRoot(below);
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A tree whose entries are all alike: every complete subtree of a level has one hash, so trees of any size cost nothing. */
import { hashChildren, hashLeaf, type HashReader } from '@witnessmark/tlog';

const MAX_LEVEL = 53;

export const UNIFORM_LEAF = hashLeaf(new TextEncoder().encode('the same entry, again and again'));
const byLevel = [UNIFORM_LEAF];
for (let level = 1; level <= MAX_LEVEL; level += 1) byLevel.push(hashChildren(byLevel.at(-1)!, byLevel.at(-1)!));

export class UniformReader implements HashReader {
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  readHash(level: number, index: number): Uint8Array {
    if ((index + 1) * 2 ** level > this.#size) throw new Error(`subtree ${index} of level ${level} is not complete`);
    return byLevel[level]!;
  }

  /** Without a prover: the complete subtrees, folded from the right. */
  static root(size: number): Uint8Array {
    let root: Uint8Array | undefined;
    for (let level = 0; level <= MAX_LEVEL; level += 1) {
      if (Math.floor(size / 2 ** level) % 2 === 0) continue;
      root = root === undefined ? byLevel[level]! : hashChildren(byLevel[level]!, root);
    }
    return root ?? new Uint8Array(0);
  }

  static subtreeHash(level: number): Uint8Array {
    return byLevel[level]!;
  }
}

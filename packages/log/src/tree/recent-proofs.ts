// SPDX-License-Identifier: Apache-2.0
/**
 * Inclusion proofs (RFC 6962, section 2.1.1) of the entries of a group, all to one tree size. A tree is a row of complete
 * subtrees, largest first; what a proof needs beside its own subtree is the same for all its entries. Proofs are views of
 * the tree's hashes, so that none is copied: tens of thousands are made in a second.
 */
import type { Bytes } from '@witnessmark/core';
import { hashChildren, type HashReader } from '@witnessmark/tlog';

/** A complete subtree of the row. */
interface Subtree {
  readonly level: number;
  readonly firstLeaf: number;
  readonly hash: Bytes;
}

export class RecentProofs {
  readonly #tree: HashReader;
  /** Largest first. */
  readonly #row: readonly Subtree[];
  /** For each subtree the hash over it and all to its right. */
  readonly #tails: readonly Bytes[];

  constructor(treeSize: number, tree: HashReader) {
    this.#tree = tree;
    const row: Subtree[] = [];
    for (let level = Math.floor(Math.log2(treeSize)), firstLeaf = 0; level >= 0; level -= 1) {
      const width = 2 ** level;
      if (treeSize - firstLeaf < width) continue;
      row.push({ level, firstLeaf, hash: tree.readHash(level, firstLeaf / width) });
      firstLeaf += width;
    }
    const tails: Bytes[] = [];
    for (const { hash } of row.toReversed()) {
      const right = tails[0];
      tails.unshift(right === undefined ? hash : hashChildren(hash, right));
    }
    this.#row = row;
    this.#tails = tails;
  }

  get rootHash(): Bytes {
    return this.#tails[0] as Bytes;
  }

  inclusionProof(index: number): readonly Bytes[] {
    let own = this.#row.length - 1;
    while (index < (this.#row[own] as Subtree).firstLeaf) own -= 1;
    const proof: Bytes[] = [];
    const { level: height } = this.#row[own] as Subtree;
    for (let level = 0, node = index; level < height; level += 1, node = Math.floor(node / 2)) {
      proof.push(this.#tree.readHash(level, node % 2 === 0 ? node + 1 : node - 1));
    }
    const tail = this.#tails[own + 1];
    if (tail !== undefined) proof.push(tail);
    for (let left = own - 1; left >= 0; left -= 1) proof.push((this.#row[left] as Subtree).hash);
    return proof;
  }
}

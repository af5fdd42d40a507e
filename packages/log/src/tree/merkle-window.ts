// SPDX-License-Identifier: Apache-2.0
/**
 * The growing edge of the Merkle tree (RFC 6962, section 2.1) in memory: every complete subtree's hash from the first
 * tile that is not yet durable onwards, and of each higher tile level the tile that is being filled. From it follow the
 * root, the tiles to write and the inclusion proof of any recent entry, with no hash computed twice.
 */
import type { Bytes } from '@witnessmark/core';
import { hashChildren, TILE_HEIGHT, TILE_WIDTH, type HashReader } from '@witnessmark/tlog';
import { HashRow } from './hash-row.ts';

export class MerkleWindow implements HashReader {
  readonly #levels: HashRow[] = [];
  #size = 0;

  /** Begins with a tree of `size` entries whose tiles are durable: for each tile level the hashes of its last tile. */
  static fromTiles(size: number, edges: readonly (readonly Bytes[])[]): MerkleWindow {
    const window = new MerkleWindow();
    for (const [tileLevel, hashes] of edges.entries()) {
      window.#startTileLevel(tileLevel, size);
      for (const hash of hashes) window.#push(tileLevel * TILE_HEIGHT, hash);
    }
    window.#size = size;
    return window;
  }

  get size(): number {
    return this.#size;
  }

  append(leafHash: Bytes): void {
    this.#push(0, leafHash);
    this.#size += 1;
  }

  /** Takes back every entry from `size` on. */
  truncate(size: number): void {
    for (const [height, level] of this.#levels.entries()) {
      level.truncate(Math.floor(size / 2 ** height));
    }
    this.#size = size;
  }

  /** Forgets what only tiles before the one of leaf `index` need. */
  prune(index: number): void {
    for (const [height, level] of this.#levels.entries()) level.prune(firstRetained(height, index));
  }

  holds(level: number, index: number): boolean {
    return this.#levels[level]?.get(index) !== undefined;
  }

  /** Throws `RangeError` when the window does not hold the hash. */
  readHash(level: number, index: number): Bytes {
    const hash = this.#levels[level]?.get(index);
    if (hash === undefined) throw new RangeError(`the window holds no hash ${index} of level ${level}`);
    return hash;
  }

  #push(height: number, hash: Bytes): void {
    const level = (this.#levels[height] ??= new HashRow(0));
    const index = level.push(hash);
    // A tile begins at an even index on each of its levels, so the left sibling is here.
    if (index % 2 === 1) this.#push(height + 1, hashChildren(level.get(index - 1) as Bytes, hash));
  }

  #startTileLevel(tileLevel: number, size: number): void {
    for (let height = tileLevel * TILE_HEIGHT; height < (tileLevel + 1) * TILE_HEIGHT; height += 1) {
      this.#levels[height] = new HashRow(firstRetained(height, size));
    }
  }
}

/** The first node of a tree level that lies in the tile which leaf `index` falls into, on that level's tile level. */
function firstRetained(height: number, index: number): number {
  const tileLevel = Math.floor(height / TILE_HEIGHT);
  const tile = Math.floor(index / TILE_WIDTH ** (tileLevel + 1));
  return (tile * TILE_WIDTH) / 2 ** (height % TILE_HEIGHT);
}

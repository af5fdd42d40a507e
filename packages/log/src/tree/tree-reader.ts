// SPDX-License-Identifier: Apache-2.0
/**
 * Entries and proofs of any index: from the window in memory where it reaches, from tiles before. Tiles are read anew
 * each time and trusted for nothing: a proof is returned only when it leads to the root hash it was asked for.
 */
import { equalBytes, RefusedError, type Bytes } from '@witnessmark/core';
import {
  hashLeaf,
  hashSubtree,
  Prover,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
  type HashReader,
  type Tile,
} from '@witnessmark/tlog';
import { LogError } from '../error.ts';
import type { TileStorage } from '../tiles/tile-storage.ts';
import type { MerkleWindow } from './merkle-window.ts';

const NO_HASH: Bytes = new Uint8Array(32);

/** A tree size whose root hash is known from a signed checkpoint. */
export interface TreeHead {
  readonly treeSize: number;
  readonly rootHash: Bytes;
}

export class TreeReader {
  readonly #tiles: TileStorage;
  readonly #window: MerkleWindow | undefined;

  constructor(tiles: TileStorage, window?: MerkleWindow) {
    this.#tiles = tiles;
    this.#window = window;
  }

  /**
   * An entry from its bundle, compared with its leaf hash in the tile; `publishedSize` tells how wide the last bundle is.
   * Throws `LG-101`, `LG-102` or `LG-103` naming the damaged file.
   */
  async readEntry(index: number, publishedSize: number): Promise<Bytes> {
    const bundle = Math.floor(index / TILE_WIDTH);
    const width = tileWidth(0, bundle, publishedSize);
    if (!Number.isSafeInteger(index) || index < 0 || index >= publishedSize) {
      throw new LogError('ERR_LOG_INDEX', `there is no entry ${index} in a log of ${publishedSize}`);
    }
    const entries = await this.#tiles.readEntries(bundle, width);
    const hashes = await this.#tiles.readTile({ level: 0, index: bundle, width });
    const entry = entries[index % TILE_WIDTH] as Bytes;
    if (!equalBytes(hashLeaf(entry), hashes[index % TILE_WIDTH] as Bytes)) {
      throw new RefusedError('LG-102', `entry ${index} is not the one whose hash is in ${tilePath(0, bundle, width)}`);
    }
    return entry;
  }

  /** The root hash of the first `treeSize` entries. */
  async rootHash(treeSize: number, publishedSize: number): Promise<Bytes> {
    return this.#withProver(treeSize, publishedSize, (prover) => prover.rootHash());
  }

  /** Throws `LG-104` when the stored hashes do not lead to the head. */
  async inclusionProof(
    leafHash: Bytes,
    index: number,
    head: TreeHead,
    publishedSize: number,
  ): Promise<readonly Bytes[]> {
    const proof = await this.#withProver(head.treeSize, publishedSize, (prover) => prover.inclusionProof(index));
    try {
      verifyInclusion({ leafHash, index, treeSize: head.treeSize, proof, rootHash: head.rootHash });
    } catch (cause) {
      throw new RefusedError('LG-104', `the tiles do not prove entry ${index} in the tree of ${head.treeSize}`, {
        cause,
      });
    }
    return proof;
  }

  /** Throws `LG-104` when the stored hashes do not lead from one head to the other. */
  async consistencyProof(from: TreeHead, to: TreeHead, publishedSize: number): Promise<readonly Bytes[]> {
    const proof = await this.#withProver(to.treeSize, publishedSize, (prover) =>
      prover.consistencyProof(from.treeSize),
    );
    try {
      verifyConsistency({
        fromSize: from.treeSize,
        fromRoot: from.rootHash,
        toSize: to.treeSize,
        toRoot: to.rootHash,
        proof,
      });
    } catch (cause) {
      throw new RefusedError('LG-104', `the tree of ${to.treeSize} does not extend the one of ${from.treeSize}`, {
        cause,
      });
    }
    return proof;
  }

  /** The leaf hash in the tree; that it leads to the root hash is not checked. */
  async leafHash(index: number, publishedSize: number): Promise<Bytes> {
    const hashes = await this.#readHashes([[0, index]], publishedSize);
    return hashes.get(keyOf(0, index)) ?? NO_HASH;
  }

  /** The hashes of the maximal complete subtrees of the first `treeSize` entries, largest first. */
  async frontier(treeSize: number, publishedSize: number): Promise<readonly Bytes[]> {
    const subtrees: (readonly [level: number, index: number])[] = [];
    for (let level = 0; 2 ** level <= treeSize; level += 1) {
      const count = Math.floor(treeSize / 2 ** level);
      if (count % 2 === 1) subtrees.unshift([level, count - 1]);
    }
    const hashes = await this.#readHashes(subtrees, publishedSize);
    return subtrees.map(([level, index]) => hashes.get(keyOf(level, index)) ?? NO_HASH);
  }

  /** Which hashes a proof needs does not depend on their values: a first pass asks for them, the second has them. */
  async #withProver<T>(treeSize: number, publishedSize: number, use: (prover: Prover) => T): Promise<T> {
    const asked: (readonly [level: number, index: number])[] = [];
    const asking: HashReader = {
      readHash: (level, index) => {
        asked.push([level, index]);
        return NO_HASH;
      },
    };
    use(new Prover(treeSize, asking));
    const hashes = await this.#readHashes(asked, publishedSize);
    return use(new Prover(treeSize, { readHash: (level, index) => hashes.get(keyOf(level, index)) ?? NO_HASH }));
  }

  async #readHashes(
    asked: readonly (readonly [level: number, index: number])[],
    publishedSize: number,
  ): Promise<ReadonlyMap<string, Bytes>> {
    const hashes = new Map<string, Bytes>();
    // Taken first and at once: while tiles are read, the window may let go of what becomes durable.
    const inTiles = asked.filter(([level, index]) => {
      if (this.#window?.holds(level, index) !== true) return true;
      hashes.set(keyOf(level, index), this.#window.readHash(level, index));
      return false;
    });
    const tiles = new Map<string, readonly Bytes[]>();
    for (const [level, index] of inTiles) {
      const tile = tileOf(level, index, publishedSize);
      const stored = tiles.get(keyOf(tile.level, tile.index)) ?? (await this.#tiles.readTile(tile));
      tiles.set(keyOf(tile.level, tile.index), stored);
      const count = 2 ** (level % TILE_HEIGHT);
      const first = (index * count) % TILE_WIDTH;
      hashes.set(keyOf(level, index), hashSubtree(stored.slice(first, first + count)));
    }
    return hashes;
  }
}

/** The tile whose hashes lie below a subtree. */
function tileOf(level: number, index: number, publishedSize: number): Tile {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const tileIndex = Math.floor((index * 2 ** (level % TILE_HEIGHT)) / TILE_WIDTH);
  return { level: tileLevel, index: tileIndex, width: tileWidth(tileLevel, tileIndex, publishedSize) };
}

function keyOf(level: number, index: number): string {
  return `${level}/${index}`;
}

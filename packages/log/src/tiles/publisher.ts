// SPDX-License-Identifier: Apache-2.0
/**
 * Makes the committed log public: the tiles and entry bundles that a head covers, then its checkpoint. They are derived
 * from what the journal holds, so an interrupted publication is simply done again; the checkpoint never runs ahead.
 */
import { entryBundlePath, TILE_HEIGHT, TILE_WIDTH, tilePath, tilesBetween, type Tile } from '@witnessmark/tlog';
import type { StoredHead } from '@witnessmark/store';
import type { EntryWindow } from '../tree/entry-window.ts';
import type { MerkleWindow } from '../tree/merkle-window.ts';
import type { TileFile } from './tile-placer.ts';
import type { TileStorage } from './tile-storage.ts';

/** From here on another thread does the writing. */
const BULK_ENTRIES = 8 * TILE_WIDTH;
/** Handed over at one time: few milliseconds of copying. */
const BATCH_BYTES = 2 * 1024 * 1024;

export interface PublisherOptions {
  readonly tiles: TileStorage;
  readonly tree: MerkleWindow;
  readonly entries: EntryWindow;
  /** What the public checkpoint covers now. */
  readonly publishedSize: number;
}

export class Publisher {
  readonly #tiles: TileStorage;
  readonly #tree: MerkleWindow;
  readonly #entries: EntryWindow;
  #publishedSize: number;

  constructor(options: PublisherOptions) {
    this.#tiles = options.tiles;
    this.#tree = options.tree;
    this.#entries = options.entries;
    this.#publishedSize = options.publishedSize;
  }

  get publishedSize(): number {
    return this.#publishedSize;
  }

  /** Entries below are in full, durable bundles: neither journal nor memory need them any more. */
  get durableBelow(): number {
    return Math.floor(this.#publishedSize / TILE_WIDTH) * TILE_WIDTH;
  }

  /** Publishes a head that is durable in the store; calls must not overlap. */
  async publish(head: StoredHead): Promise<void> {
    const from = this.#publishedSize;
    if (head.treeSize === from) return;
    await this.#placeFiles(from, head.treeSize);
    await this.#tiles.replaceCheckpoint(head.checkpoint);
    this.#publishedSize = head.treeSize;
    this.#tree.prune(this.durableBelow);
    this.#entries.prune(this.durableBelow);
    await this.#removePartials(from, head.treeSize);
  }

  async #placeFiles(from: number, to: number): Promise<void> {
    const placer = to - from >= BULK_ENTRIES ? this.#tiles.bulk : this.#tiles;
    let files: TileFile[] = [];
    let bytes = 0;
    for (const file of this.#files(from, to)) {
      files.push(file);
      bytes += file.parts.reduce((sum, part) => sum + part.length, 0);
      if (bytes < BATCH_BYTES) continue;
      await placer.place(files);
      files = [];
      bytes = 0;
    }
    await placer.place(files);
    await placer.syncNames();
  }

  *#files(from: number, to: number): Generator<TileFile> {
    for (const tile of tilesBetween(from, to)) {
      if (tile.level === 0) yield this.#bundleFile(tile);
      yield this.#tileFile(tile);
    }
  }

  #bundleFile({ index, width }: Tile): TileFile {
    const first = index * TILE_WIDTH;
    return { path: entryBundlePath(index, width), parts: this.#entries.slice(first, first + width) };
  }

  #tileFile({ level, index, width }: Tile): TileFile {
    const first = index * TILE_WIDTH;
    const parts = Array.from({ length: width }, (_, at) => this.#tree.readHash(level * TILE_HEIGHT, first + at));
    return { path: tilePath(level, index, width), parts };
  }

  /** The tiles that were partial before and are full now; their partial files are no longer needed (tlog-tiles). */
  async #removePartials(from: number, to: number): Promise<void> {
    for (const { level, index, width } of tilesBetween(from, to)) {
      const wasPartial = from > 0 && index === Math.floor(from / TILE_WIDTH ** (level + 1));
      if (width < TILE_WIDTH || !wasPartial) continue;
      await this.#tiles.removePartials(tilePath(level, index));
      if (level === 0) await this.#tiles.removePartials(entryBundlePath(index));
    }
  }
}

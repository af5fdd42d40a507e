// SPDX-License-Identifier: Apache-2.0
/**
 * The public log as a directory (https://c2sp.org/tlog-tiles): immutable tiles and entry bundles, and one mutable file,
 * `checkpoint`. Files are written under another name, synced, renamed, and their names synced; the checkpoint comes last.
 * The directory is not trusted: what is read from it is proven against a signed checkpoint.
 */
import { dirname, join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import {
  entryBundlePath,
  HASH_BYTES,
  parseEntryBundle,
  parseTile,
  TILE_WIDTH,
  tilePath,
  TlogError,
  type Tile,
} from '@witnessmark/tlog';
import type { FilePort } from './file-port.ts';
import { nodeFiles } from './node-files.ts';
import type { TileFile, TilePlacer } from './tile-placer.ts';
import { TileThread } from './tile-thread.ts';

const CHECKPOINT = 'checkpoint';
/** Files that have no name yet; what a crash leaves here is of no use to anybody. */
const STAGING = '.staging';
/** Half of the threads that libuv has for files: the others are left to the syncs that appends wait for. */
const CONCURRENT_WRITES = 2;

/** The first `width` entries of a stored bundle that is `width` wide or full; undefined when it is neither. */
export function splitBundle(bytes: Bytes, width: number): readonly Bytes[] | undefined {
  for (const count of width === TILE_WIDTH ? [TILE_WIDTH] : [width, TILE_WIDTH]) {
    try {
      return parseEntryBundle(bytes, count).slice(0, width);
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
    }
  }
  return undefined;
}

export class TileStorage implements TilePlacer {
  readonly directory: string;
  /** Where many files are to be placed at once. */
  readonly bulk: TilePlacer;
  readonly #files: FilePort;
  readonly #stagingPrefix: string;
  /** Directories that exist and whose names are durable. */
  readonly #directories = new Set<string>();
  /** Directories in which names are not durable yet. */
  readonly #unsynced = new Set<string>();
  #staged = 0;

  /** `stagingPrefix` keeps apart what two objects stage in one directory. */
  constructor(directory: string, files: FilePort = nodeFiles, stagingPrefix = '') {
    this.directory = directory;
    this.#files = files;
    this.#stagingPrefix = stagingPrefix;
    this.bulk = files === nodeFiles ? new TileThread(directory) : this;
  }

  /** The public checkpoint, or undefined before the first was published. */
  async readCheckpoint(): Promise<Bytes | undefined> {
    return this.#read(CHECKPOINT);
  }

  /** The hashes of a tile; throws `LG-101` when there is none, `LG-103` when it has another length. */
  async readTile({ level, index, width }: Tile): Promise<readonly Bytes[]> {
    const path = tilePath(level, index, width);
    const bytes = await this.readTileFile(level, index, width);
    if (bytes === undefined) throw new RefusedError('LG-101', `${path} does not exist`);
    if (bytes.length !== width * HASH_BYTES && bytes.length !== TILE_WIDTH * HASH_BYTES) {
      throw new RefusedError('LG-103', `${path} has ${bytes.length} bytes, expected ${width * HASH_BYTES}`);
    }
    return parseTile(bytes.subarray(0, width * HASH_BYTES), width);
  }

  /** The first `width` entries of a bundle; throws `LG-101` when there is none, `LG-102` when it cannot be split. */
  async readEntries(index: number, width: number): Promise<readonly Bytes[]> {
    const path = entryBundlePath(index, width);
    const bytes = await this.readBundleFile(index, width);
    if (bytes === undefined) throw new RefusedError('LG-101', `${path} does not exist`);
    const entries = splitBundle(bytes, width);
    if (entries === undefined) throw new RefusedError('LG-102', `${path} does not hold ${width} entries`);
    return entries;
  }

  /** A tile as it is stored: at this width, or the full one that takes its place; undefined when neither exists. */
  async readTileFile(level: number, index: number, width: number): Promise<Bytes | undefined> {
    return (await this.#read(tilePath(level, index, width))) ?? this.#read(tilePath(level, index));
  }

  /** An entry bundle as it is stored: at this width, or the full one that takes its place; undefined when neither exists. */
  async readBundleFile(index: number, width: number): Promise<Bytes | undefined> {
    return (await this.#read(entryBundlePath(index, width))) ?? this.#read(entryBundlePath(index));
  }

  async place(files: readonly TileFile[]): Promise<void> {
    await this.#ensureDirectory(join(this.directory, STAGING));
    const remaining = files.values();
    const place = async (): Promise<void> => {
      for (const file of remaining) await this.#placeOne(file);
    };
    // Waits for every writer, so that nothing is still being written when the first error is thrown.
    const results = await Promise.allSettled(Array.from({ length: CONCURRENT_WRITES }, place));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async syncNames(): Promise<void> {
    for (const directory of this.#unsynced) {
      await this.#files.syncDirectory(directory);
      this.#unsynced.delete(directory);
    }
  }

  /** Makes `note` the public checkpoint. Everything it covers must be durable. */
  async replaceCheckpoint(note: Bytes): Promise<void> {
    await this.place([{ path: CHECKPOINT, parts: [note] }]);
    await this.syncNames();
  }

  /** Removes the partial widths of a tile or bundle whose full width is durable. */
  async removePartials(fullPath: string): Promise<void> {
    await this.#files.remove(join(this.directory, `${fullPath}.p`));
    this.#directories.delete(join(this.directory, `${fullPath}.p`));
  }

  /** Removes what an interrupted write left behind. */
  async sweep(): Promise<void> {
    const staging = join(this.directory, STAGING);
    for (const name of await this.#files.list(staging)) await this.#files.remove(join(staging, name));
  }

  #read(path: string): Promise<Bytes | undefined> {
    return this.#files.read(join(this.directory, path));
  }

  async #placeOne({ path, parts }: TileFile): Promise<void> {
    this.#staged += 1;
    const staged = join(this.directory, STAGING, `${this.#stagingPrefix}${this.#staged}`);
    const target = join(this.directory, path);
    const parent = dirname(target);
    await this.#ensureDirectory(parent);
    await this.#files.writeSynced(staged, parts);
    await this.#files.rename(staged, target);
    this.#unsynced.add(parent);
  }

  async #ensureDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    const parent = dirname(path);
    if (path !== this.directory) await this.#ensureDirectory(parent);
    await this.#files.makeDirectory(path);
    await this.#files.syncDirectory(parent);
    this.#directories.add(path);
  }
}

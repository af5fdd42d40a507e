// SPDX-License-Identifier: Apache-2.0
/** Hash tiles and their paths, as defined by https://c2sp.org/tlog-tiles. */
import type { Bytes } from '@witnessmark/core';
import { TlogError } from './error.ts';
import { HASH_BYTES, hashChildren } from './hashing.ts';
import type { HashReader } from './prover.ts';
import { assertTreeSize, parseDecimal } from './tree-size.ts';

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;

const MAX_TILE_LEVEL = 63;
const TILE_PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** A hash tile: `width` consecutive hashes of complete subtrees of 256^`level` entries. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 256 when the tile is full. */
  readonly width: number;
}

/** What a path names: a hash tile, or with level `entries` the bundle of the entries below a tile of level 0. */
export interface TilePath {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** The path of a hash tile below the log's prefix, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`. */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > MAX_TILE_LEVEL) throw new TypeError('no such tile level');
  return formatPath(`${level}`, index, width);
}

/** The path of an entry bundle below the log's prefix, such as `tile/entries/x001/x234/067`. */
export function entryBundlePath(index: number, width: number = TILE_WIDTH): string {
  return formatPath('entries', index, width);
}

/** Reads a path as {@link tilePath} or {@link entryBundlePath} writes it; throws `ERR_TLOG_TILE_PATH` for any other. */
export function parseTilePath(path: string): TilePath {
  const [, levelText = '', indexText = '', widthText] = TILE_PATH.exec(path) ?? [];
  const level = levelText === 'entries' ? levelText : Number(levelText);
  const index = Number(indexText.replaceAll(/x|\//g, ''));
  const width = widthText === undefined ? TILE_WIDTH : (parseDecimal(widthText) ?? 0);
  const isTile = levelText !== '' && (level === 'entries' || level <= MAX_TILE_LEVEL) && Number.isSafeInteger(index);
  const isPartial = widthText === undefined || (width >= 1 && width < TILE_WIDTH);
  if (!isTile || !isPartial || formatPath(`${level}`, index, width) !== path) {
    throw new TlogError('ERR_TLOG_TILE_PATH', 'the path does not name a tile');
  }
  return { level, index, width };
}

/** How many hashes of a tile exist in a tree of `treeSize` entries, 0 to 256. */
export function tileWidth(level: number, index: number, treeSize: number): number {
  const hashes = Math.floor(treeSize / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.min(TILE_WIDTH, Math.max(0, hashes));
}

/**
 * The hash tiles to publish when a tree grows, at their widths in the grown tree, lowest level first. Level 0 tells the
 * entry bundles too: they have the same indexes and widths.
 */
export function* tilesBetween(fromSize: number, toSize: number): Generator<Tile, void, undefined> {
  assertTreeSize(fromSize);
  assertTreeSize(toSize);
  for (let level = 0, from = fromSize, to = toSize; to > from; level += 1) {
    for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1) {
      yield { level, index, width: tileWidth(level, index, toSize) };
    }
    from = Math.floor(from / TILE_WIDTH);
    to = Math.floor(to / TILE_WIDTH);
  }
}

/** Splits a tile into hashes, as views of `bytes`; throws `ERR_TLOG_TILE` unless it holds exactly `width` of them. */
export function parseTile(bytes: Bytes, width: number): Bytes[] {
  if (bytes.length !== width * HASH_BYTES) {
    throw new TlogError(
      'ERR_TLOG_TILE',
      `a tile of ${width} hashes has ${width * HASH_BYTES} bytes, not ${bytes.length}`,
    );
  }
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** The hash of the complete subtree above a power of two of consecutive hashes; of a full tile, its hash one level up. */
export function hashSubtree(hashes: readonly Bytes[]): Bytes {
  if (hashes.length === 0 || (hashes.length & (hashes.length - 1)) !== 0) {
    throw new TypeError('a complete subtree has a power of two of hashes');
  }
  let row = hashes;
  while (row.length > 1) {
    const below = row;
    row = Array.from({ length: below.length / 2 }, (_, at) =>
      hashChildren(below[2 * at] as Bytes, below[2 * at + 1] as Bytes),
    );
  }
  return row[0] as Bytes;
}

export interface TileHashReaderOptions {
  readonly treeSize: number;
  /** Returns the bytes of a tile of the tree; may throw when it has none. */
  readonly readTile: (tile: Tile) => Bytes;
}

/**
 * Reads subtree hashes from tiles, each time anew. It does not judge them: what is computed from damaged tiles fails
 * against the checkpoint.
 */
export class TileHashReader implements HashReader {
  readonly #treeSize: number;
  readonly #readTile: (tile: Tile) => Bytes;

  constructor({ treeSize, readTile }: TileHashReaderOptions) {
    assertTreeSize(treeSize);
    this.#treeSize = treeSize;
    this.#readTile = readTile;
  }

  /** Throws `ERR_TLOG_TILE` for a tile of another length, and `TypeError` for a subtree that is not in the tree. */
  readHash(level: number, index: number): Bytes {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const first = index * count;
    const tileIndex = Math.floor(first / TILE_WIDTH);
    const at = first % TILE_WIDTH;
    const width = tileWidth(tileLevel, tileIndex, this.#treeSize);
    if (at + count > width) throw new TypeError(`no subtree ${index} of level ${level} in a tree of ${this.#treeSize}`);
    const hashes = parseTile(this.#readTile({ level: tileLevel, index: tileIndex, width }), width);
    return hashSubtree(hashes.slice(at, at + count));
  }
}

function formatPath(level: string, index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new TypeError('no such tile index');
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) throw new TypeError('a tile is 1 to 256 wide');
  const digits = `${index}`;
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) as string[];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

// SPDX-License-Identifier: Apache-2.0
import {
  entryBundlePath,
  Frontier,
  hashSubtree,
  parseTile,
  parseTilePath,
  Prover,
  TileHashReader,
  tilePath,
  tilesBetween,
  tileWidth,
  verifyInclusion,
  type Tile,
} from '@witnessmark/tlog';
import { concatBytes } from '@witnessmark/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectCode } from '../../core/test/expect-code.ts';
import { makeLeaves, naiveRoot } from './naive-tree.ts';
import { UNIFORM_LEAF, UniformReader } from './uniform-tree.ts';

/** The tiles of a tree by the definition of the specification: hash i of tile n at level l covers 256^l entries. */
function* tilesByDefinition(treeSize: number): Generator<Tile> {
  for (let level = 0; 256 ** level <= treeSize; level += 1) {
    const hashes = Math.floor(treeSize / 256 ** level);
    for (let index = 0; index * 256 < hashes; index += 1) {
      yield { level, index, width: Math.min(256, hashes - index * 256) };
    }
  }
}

const key = ({ level, index, width }: Tile): string => tilePath(level, index, width);

describe('tile paths', () => {
  it.each([
    ['tile/0/000', 0, 0, 256],
    ['tile/0/999', 0, 999, 256],
    ['tile/0/x001/000', 0, 1_000, 256],
    ['tile/0/x001/x234/067', 0, 1_234_067, 256],
    ['tile/1/x001/x234/067.p/8', 1, 1_234_067, 8],
    ['tile/63/000.p/255', 63, 0, 255],
    ['tile/2/000.p/1', 2, 0, 1],
    ['tile/0/x009/x007/x199/x254/x740/991', 0, Number.MAX_SAFE_INTEGER, 256],
  ])('write and read %s', (path, level, index, width) => {
    expect(tilePath(level, index, width)).toBe(path);
    expect(parseTilePath(path)).toEqual({ level, index, width });
  });

  it('name entry bundles beside them', () => {
    expect(entryBundlePath(1_234_067)).toBe('tile/entries/x001/x234/067');
    expect(entryBundlePath(0, 17)).toBe('tile/entries/000.p/17');
    expect(parseTilePath('tile/entries/x001/x234/067.p/17')).toEqual({ level: 'entries', index: 1_234_067, width: 17 });
  });

  it('round-trip', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath(level, index, width))).toEqual({ level, index, width });
        expect(parseTilePath(entryBundlePath(index, width))).toEqual({ level: 'entries', index, width });
      }),
    );
  });

  it.each([
    '',
    'checkpoint',
    'tile/0/',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/data/000',
    'tile/0/x000/000',
    'tile/0/001/000',
    'tile/0/x001',
    'tile/0/x01/000',
    'tile/0/X001/000',
    'tile/0/x001//000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000.p/1.p/1',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/../0/000',
    'tile/0/000\n',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x000/x000/x000/x000/x000/000',
    'tile/0/٠٠٠',
  ])('refuse %j', (path) => {
    expectCode('ERR_TLOG_TILE_PATH', () => parseTilePath(path));
  });

  it.each([
    [-1, 0, 256],
    [64, 0, 256],
    [0.5, 0, 256],
    [0, -1, 256],
    [0, 0.5, 256],
    [0, 2 ** 53, 256],
    [0, 0, 0],
    [0, 0, 257],
    [0, 0, 1.5],
  ])('are not written for level %d, index %d, width %d', (level, index, width) => {
    expect(() => tilePath(level, index, width)).toThrow(TypeError);
  });
});

describe('tile geometry', () => {
  it('is that of the example in the specification', () => {
    const tiles = [...tilesBetween(0, 70_000)];
    const perLevel = (level: number): Tile[] => tiles.filter((tile) => tile.level === level);
    expect(perLevel(0)).toHaveLength(274);
    expect(perLevel(0).at(-1)).toEqual({ level: 0, index: 273, width: 112 });
    expect(perLevel(1).map(({ width }) => width)).toEqual([256, 17]);
    expect(perLevel(2)).toEqual([{ level: 2, index: 0, width: 1 }]);
    expect([...tilesBetween(0, 256)].map(key)).toEqual(['tile/0/000', 'tile/1/000.p/1']);
  });

  it('follows the definition for every size around the boundaries, and for every pair of sizes', () => {
    const around = [0, 256, 512, 65_536, 65_536 + 256, 2 * 65_536].flatMap((size) =>
      [-3, -2, -1, 0, 1, 2, 3].map((step) => size + step),
    );
    const sizes = around.filter((size) => size >= 0);
    const tilesOf = new Map(sizes.map((size) => [size, new Set([...tilesByDefinition(size)].map(key))]));
    for (const to of sizes) {
      const wanted = tilesOf.get(to)!;
      expect(new Set([...tilesBetween(0, to)].map(key))).toEqual(wanted);
      for (const from of sizes.filter((size) => size <= to)) {
        const before = tilesOf.get(from)!;
        const published = [...tilesBetween(from, to)].map(key);
        expect(published).toEqual([...wanted].filter((path) => !before.has(path)));
      }
    }
  });

  it.each([16_777_216, 2 ** 32, 2 ** 40, 2 ** 48])('holds at %i ± 3, without listing what is far away', (boundary) => {
    for (const step of [-3, -2, -1, 0, 1, 2, 3]) {
      const to = boundary + step;
      for (const tile of tilesBetween(to - 1, to)) {
        const end = (tile.index * 256 + tile.width) * 256 ** tile.level;
        expect(end).toBeLessThanOrEqual(to);
        expect(end + 256 ** tile.level > to || tile.width === 256).toBe(true);
        expect(tile.width).toBe(tileWidth(tile.level, tile.index, to));
      }
    }
  });

  it('has no tile outside the tree', () => {
    expect(tileWidth(0, 0, 0)).toBe(0);
    expect(tileWidth(0, 1, 256)).toBe(0);
    expect(tileWidth(1, 0, 255)).toBe(0);
    expect(tileWidth(0, 0, 255)).toBe(255);
    expect(tileWidth(6, 0, 2 ** 53 - 1)).toBe(31);
    expect([...tilesBetween(5, 5)]).toEqual([]);
    expect([...tilesBetween(6, 5)]).toEqual([]);
  });

  it('publishes at most one partial tile a level, and only what a log of that size has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), fc.integer({ min: 1, max: 2_000 }), (from, growth) => {
        const tiles = [...tilesBetween(from, from + growth)];
        const partial = tiles.filter(({ width }) => width < 256).map(({ level }) => level);
        expect(new Set(partial).size).toBe(partial.length);
        for (const { level, index, width } of tiles) expect(width).toBe(tileWidth(level, index, from + growth));
      }),
    );
  });
});

describe('tiles', () => {
  const leaves = makeLeaves(600);
  const tiles = new Map<string, Uint8Array>();
  const hashes: Uint8Array[][] = [[], []];
  const frontier = Frontier.empty();
  for (const leaf of leaves) {
    frontier.append(leaf, (level, _index, hash) => {
      if (level % 8 === 0) hashes[level / 8]!.push(hash);
    });
  }
  for (const tile of tilesBetween(0, leaves.length)) {
    tiles.set(key(tile), concatBytes(...hashes[tile.level]!.slice(tile.index * 256, tile.index * 256 + tile.width)));
  }
  const reader = (treeSize: number): TileHashReader =>
    new TileHashReader({
      treeSize,
      readTile: (tile) => {
        const bytes = tiles.get(key({ ...tile, width: tileWidth(tile.level, tile.index, leaves.length) }));
        return bytes!.subarray(0, tile.width * 32);
      },
    });

  it('split into their hashes', () => {
    const bytes = tiles.get('tile/0/002.p/88')!;
    expect(parseTile(bytes, 88)).toEqual(leaves.slice(512));
    for (const width of [87, 89]) expectCode('ERR_TLOG_TILE', () => parseTile(bytes, width));
    expectCode('ERR_TLOG_TILE', () => parseTile(bytes.subarray(1), 88));
  });

  it('carry, one level up, the hash of the full tile below', () => {
    const [first] = parseTile(tiles.get('tile/1/000.p/2')!, 2);
    expect(hashSubtree(parseTile(tiles.get('tile/0/000')!, 256))).toEqual(first);
    expect(first).toEqual(naiveRoot(leaves.slice(0, 256)));
  });

  it('make the same proofs and roots as the tree they are cut from, at every size they hold', () => {
    for (const size of [1, 2, 255, 256, 257, 300, 511, 512, 513, 600]) {
      const prover = new Prover(size, reader(size));
      const rootHash = naiveRoot(leaves.slice(0, size));
      expect(prover.rootHash()).toEqual(rootHash);
      for (const index of [0, 1, 127, 128, 254, 255, 256, 299, 511, 512, 599]) {
        if (index >= size) continue;
        const proof = prover.inclusionProof(index);
        verifyInclusion({ leafHash: leaves[index]!, index, treeSize: size, proof, rootHash });
      }
    }
  });

  it('give no hash that is not complete, and none outside the tree', () => {
    for (const [level, index] of [
      [0, 600],
      [3, 75],
      [8, 2],
      [9, 1],
      [16, 0],
    ] as const) {
      expect(() => reader(600).readHash(level, index)).toThrow(TypeError);
    }
    expect(reader(600).readHash(9, 0)).toEqual(naiveRoot(leaves.slice(0, 512)));
  });

  it('are refused at another length', () => {
    const short = new TileHashReader({ treeSize: 600, readTile: () => new Uint8Array(31) });
    expectCode('ERR_TLOG_TILE', () => short.readHash(0, 0));
  });

  it('are found in trees of any size', () => {
    const treeSize = 2 ** 40 + 70_000;
    const uniform = new TileHashReader({
      treeSize,
      readTile: ({ level, width }) =>
        concatBytes(...Array.from({ length: width }, () => UniformReader.subtreeHash(8 * level))),
    });
    const prover = new Prover(treeSize, uniform);
    const rootHash = UniformReader.root(treeSize);
    for (const index of [0, 2 ** 40 - 1, 2 ** 40, treeSize - 1]) {
      verifyInclusion({ leafHash: UNIFORM_LEAF, index, treeSize, proof: prover.inclusionProof(index), rootHash });
    }
  });

  it('are hashed up from a power of two only', () => {
    for (const count of [0, 3, 255]) expect(() => hashSubtree(leaves.slice(0, count))).toThrow(TypeError);
    expect(hashSubtree(leaves.slice(0, 1))).toEqual(leaves[0]);
  });
});

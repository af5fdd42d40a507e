// SPDX-License-Identifier: Apache-2.0
import { EMPTY_ROOT, Frontier, hashChildren, tileWidth } from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectCode } from '../../core/test/expect-code.ts';
import { makeLeaves, naiveRoot } from './naive-tree.ts';
import { UNIFORM_LEAF, UniformReader } from './uniform-tree.ts';

const leaves = makeLeaves(300);

function grow(size: number): Frontier {
  const frontier = Frontier.empty();
  for (const leaf of leaves.slice(0, size)) frontier.append(leaf);
  return frontier;
}

function uniformFrontier(size: number): Frontier {
  const hashes: Uint8Array[] = [];
  for (let level = 53; level >= 0; level -= 1) {
    if (Math.floor(size / 2 ** level) % 2 === 1) hashes.push(UniformReader.subtreeHash(level));
  }
  return Frontier.fromHashes(size, hashes);
}

describe('Frontier', () => {
  it('knows the root after each entry', () => {
    const frontier = Frontier.empty();
    for (let size = 0; size <= 130; size += 1) {
      expect(frontier.size).toBe(size);
      expect(frontier.root()).toEqual(naiveRoot(leaves.slice(0, size)));
      frontier.append(leaves[size]!);
    }
  });

  it('goes on from its hashes, at any size, as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.nat(250), fc.nat(40), (size, more) => {
        const before = grow(size);
        const after = Frontier.fromHashes(before.size, before.hashes());
        expect(after.root()).toEqual(before.root());
        for (const leaf of leaves.slice(size, size + more)) after.append(leaf);
        expect(after.hashes()).toEqual(grow(size + more).hashes());
      }),
    );
  });

  it('does not change with what was read from it', () => {
    const frontier = grow(7);
    frontier.hashes().pop();
    expect(frontier.root()).toEqual(naiveRoot(leaves.slice(0, 7)));
    const copy = Frontier.fromHashes(7, frontier.hashes());
    copy.append(leaves[7]!);
    expect(frontier.size).toBe(7);
    expect(frontier.root()).toEqual(naiveRoot(leaves.slice(0, 7)));
  });

  it('tells each complete subtree once, when it is complete', () => {
    const seen = new Map<string, Uint8Array>();
    const frontier = Frontier.empty();
    for (const leaf of leaves) {
      frontier.append(leaf, (level, index, hash) => {
        expect((index + 1) * 2 ** level).toBe(frontier.size + 1);
        expect(seen.has(`${level} ${index}`)).toBe(false);
        seen.set(`${level} ${index}`, hash);
      });
    }
    for (let level = 0; 2 ** level <= leaves.length; level += 1) {
      for (let index = 0; (index + 1) * 2 ** level <= leaves.length; index += 1) {
        const below = leaves.slice(index * 2 ** level, (index + 1) * 2 ** level);
        expect(seen.get(`${level} ${index}`)).toEqual(naiveRoot(below));
        seen.delete(`${level} ${index}`);
      }
    }
    expect(seen.size).toBe(0);
  });

  it('tells the hashes that tiles are made of', () => {
    const perTileLevel = [0, 0];
    const frontier = Frontier.empty();
    for (const leaf of leaves) {
      frontier.append(leaf, (level) => {
        if (level % 8 === 0) perTileLevel[level / 8]! += 1;
      });
    }
    expect(perTileLevel).toEqual([
      tileWidth(0, 0, leaves.length) + tileWidth(0, 1, leaves.length),
      tileWidth(1, 0, leaves.length),
    ]);
  });

  it.each([1, 255, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, 2 ** 53 - 2])(
    'appends to a tree of %i',
    (size) => {
      const frontier = uniformFrontier(size);
      expect(frontier.root()).toEqual(UniformReader.root(size));
      let last = { level: -1, index: -1 };
      frontier.append(UNIFORM_LEAF, (level, index) => (last = { level, index }));
      expect(frontier.root()).toEqual(UniformReader.root(size + 1));
      expect((last.index + 1) * 2 ** last.level).toBe(size + 1);
    },
  );

  it('hashes less than once for each entry', () => {
    let completed = 0;
    const frontier = Frontier.empty();
    for (const leaf of leaves) frontier.append(leaf, (level) => (completed += level > 0 ? 1 : 0));
    expect(completed).toBeLessThan(leaves.length);
  });

  it.each([
    ['too few hashes', 7, 2],
    ['too many hashes', 8, 2],
    ['a hash for nothing', 0, 1],
    ['a negative size', -1, 1],
    ['a size that is not whole', 1.5, 1],
    ['a size beyond 2^53', 2 ** 53, 1],
  ])('refuses %s', (_what, size, count) => {
    expectCode('ERR_TLOG_FRONTIER', () => Frontier.fromHashes(size, leaves.slice(0, count)));
  });

  it('refuses a hash of another length', () => {
    expectCode('ERR_TLOG_FRONTIER', () => Frontier.fromHashes(1, [new Uint8Array(31)]));
  });

  it('is empty at size 0', () => {
    expect(Frontier.fromHashes(0, []).root()).toEqual(EMPTY_ROOT);
    expect(grow(2).root()).toEqual(hashChildren(leaves[0]!, leaves[1]!));
  });
});

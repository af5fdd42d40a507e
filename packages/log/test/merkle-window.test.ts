// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import {
  Frontier,
  hashLeaf,
  Prover,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilesBetween,
  verifyConsistency,
  verifyInclusion,
} from '@witnessmark/tlog';
import { MerkleWindow } from '../src/tree/merkle-window.ts';
import { RecentProofs } from '../src/tree/recent-proofs.ts';

const LEAVES: readonly Bytes[] = Array.from({ length: 66_200 }, (_, index) => hashLeaf(encodeUtf8(`${index}`)));
/** Sizes around which tiles of the first levels fill up. */
const EDGE_SIZES = [1, 2, 3, 253, 254, 255, 256, 257, 258, 259, 511, 512, 513, 65_533, 65_535, 65_536, 65_537, 66_000];

function rootOf(size: number): Bytes {
  const frontier = Frontier.empty();
  for (const leaf of LEAVES.slice(0, size)) frontier.append(leaf);
  return frontier.root();
}

/** Holds every complete subtree of all leaves, and so of every smaller tree. */
const WHOLE = windowOf(LEAVES.length);

function windowOf(size: number): MerkleWindow {
  const window = new MerkleWindow();
  for (const leaf of LEAVES.slice(0, size)) window.append(leaf);
  return window;
}

describe('MerkleWindow and RecentProofs', () => {
  it('has the root hash that appending one by one gives, whatever was pruned', () => {
    const window = new MerkleWindow();
    const frontier = Frontier.empty();
    for (const size of EDGE_SIZES) {
      for (const leaf of LEAVES.slice(window.size, size)) {
        window.append(leaf);
        frontier.append(leaf);
      }
      window.prune(Math.floor(size / 2));
      expect(new Prover(size, window).rootHash()).toEqual(frontier.root());
      window.prune(size);
      expect(new Prover(size, window).rootHash()).toEqual(frontier.root());
    }
  });

  it('goes on from the tiles of any size as if it had never stopped', () => {
    for (const size of EDGE_SIZES) {
      const durable = Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
      const edges: Bytes[][] = [[]];
      for (let level = 1; TILE_WIDTH ** level <= size; level += 1) {
        const count = Math.floor(size / TILE_WIDTH ** level);
        const first = Math.floor(count / TILE_WIDTH) * TILE_WIDTH;
        edges.push(Array.from({ length: count - first }, (_, at) => WHOLE.readHash(level * TILE_HEIGHT, first + at)));
      }
      const resumed = MerkleWindow.fromTiles(durable, edges);
      const grown = Math.min(size + 600, LEAVES.length);
      for (const leaf of LEAVES.slice(durable, grown)) resumed.append(leaf);
      expect(new Prover(grown, resumed).rootHash()).toEqual(new Prover(grown, WHOLE).rootHash());
      for (const { level, index, width } of tilesBetween(size, grown)) {
        for (let at = 0; at < width; at += 1) {
          const node = index * TILE_WIDTH + at;
          expect(resumed.readHash(level * TILE_HEIGHT, node)).toEqual(WHOLE.readHash(level * TILE_HEIGHT, node));
        }
      }
    }
  });

  it('takes back what was not committed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_500 }), fc.integer({ min: 0, max: 600 }), (size, more) => {
        const window = windowOf(size);
        for (const leaf of LEAVES.slice(3_000, 3_000 + more)) window.append(leaf);
        window.truncate(size);
        for (const leaf of LEAVES.slice(size, size + 5)) window.append(leaf);
        expect(new Prover(size + 5, window).rootHash()).toEqual(rootOf(size + 5));
      }),
      { numRuns: 30 },
    );
  });

  it('I4: gives proofs that verify, for every entry it holds and every size since', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_200 }), fc.nat(), fc.nat(), (treeSize, one, two) => {
        const window = windowOf(treeSize);
        const pruned = one % treeSize;
        window.prune(pruned);
        const prover = new Prover(treeSize, window);
        const rootHash = prover.rootHash();
        const recent = new RecentProofs(treeSize, window);
        expect(recent.rootHash).toEqual(rootHash);
        const index = pruned + (two % (treeSize - pruned));
        const proof = recent.inclusionProof(index);
        expect(proof).toEqual(prover.inclusionProof(index));
        verifyInclusion({ leafHash: LEAVES[index] as Bytes, index, treeSize, proof, rootHash });
        const fromSize = index + 1;
        verifyConsistency({
          fromSize,
          fromRoot: rootOf(fromSize),
          toSize: treeSize,
          toRoot: rootHash,
          proof: prover.consistencyProof(fromSize),
        });
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to read what it let go of', () => {
    const window = windowOf(700);
    window.prune(512);
    expect(window.holds(0, 511)).toBe(false);
    expect(window.holds(0, 512)).toBe(true);
    expect(window.holds(0, 700)).toBe(false);
    expect(() => window.readHash(0, 511)).toThrow(RangeError);
  });
});

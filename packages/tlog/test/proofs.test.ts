// SPDX-License-Identifier: Apache-2.0
/** Inclusion and consistency: A57 and A58 are refused because of what is tested here. */
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  Prover,
  verifyConsistency,
  verifyInclusion,
} from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, expectCode } from '../../core/test/expect-code.ts';
import { makeLeaves, naiveConsistencyProof, naiveInclusionProof, NaiveReader, naiveRoot } from './naive-tree.ts';
import { UNIFORM_LEAF, UniformReader } from './uniform-tree.ts';

const MAX_SIZE = 70;
const leaves = makeLeaves(MAX_SIZE);
const roots = Array.from({ length: MAX_SIZE + 1 }, (_, size) => naiveRoot(leaves.slice(0, size)));
const provers = roots.map((_, size) => new Prover(size, new NaiveReader(leaves.slice(0, size))));

/** Sizes where tiles and levels begin and end. */
const BOUNDARIES = [256, 512, 65_536, 65_792, 16_777_216, 2 ** 32, 2 ** 40, 2 ** 53 - 4]
  .flatMap((size) => [-3, -2, -1, 0, 1, 2, 3].map((step) => size + step))
  .filter((size) => Number.isSafeInteger(size));

type Mutation = (proof: readonly Uint8Array[]) => Uint8Array[];

/** Everything that can be done to a proof with one hand: flip, drop, double, swap, insert, shorten. */
function mutations(proof: readonly Uint8Array[]): Uint8Array[][] {
  const flip =
    (at: number): Mutation =>
    (hashes) =>
      hashes.map((hash, index) => (index === at ? flipBit(hash, at * 37) : hash));
  const drop =
    (at: number): Mutation =>
    (hashes) =>
      hashes.filter((_, index) => index !== at);
  const double =
    (at: number): Mutation =>
    (hashes) => [...hashes.slice(0, at + 1), hashes[at]!, ...hashes.slice(at + 1)];
  const swap =
    (at: number): Mutation =>
    (hashes) =>
      hashes.with(at, hashes[at + 1]!).with(at + 1, hashes[at]!);
  const cut =
    (at: number): Mutation =>
    (hashes) =>
      hashes.with(at, hashes[at]!.slice(0, 31));
  const all = proof.flatMap((_, at) => [
    flip(at),
    drop(at),
    double(at),
    cut(at),
    ...(at + 1 < proof.length ? [swap(at)] : []),
  ]);
  const mutated = all.map((mutate) => mutate(proof));
  return [...mutated, [...proof, EMPTY_ROOT], [EMPTY_ROOT, ...proof]];
}

function flipBit(hash: Uint8Array, bit: number): Uint8Array {
  const at = bit % (hash.length * 8);
  return hash.with(at >> 3, hash[at >> 3]! ^ (1 << (at & 7)));
}

describe('inclusion beside a way that is known', () => {
  const claimOf = (size: number, index: number) => ({
    leafHash: leaves[index]!,
    index,
    treeSize: size,
    proof: provers[size]!.inclusionProof(index),
    rootHash: roots[size]!,
  });

  it('is judged as it is alone: every pair of entries, in every tree', () => {
    for (const size of [1, 2, 3, 5, 8, 13, 32, 33]) {
      for (let first = 0; first < size; first += 1) {
        const known = verifyInclusion(claimOf(size, first));
        for (let index = 0; index < size; index += 1) verifyInclusion(claimOf(size, index), known);
      }
    }
  });

  it('is refused with any hash changed, even where the known way had it right', () => {
    for (const size of [2, 7, 8, 33]) {
      for (const [first, index] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [size - 1, 0],
        [0, size - 1],
      ] as const) {
        const known = verifyInclusion(claimOf(size, first));
        const claim = claimOf(size, index);
        for (const proof of mutations(claim.proof)) {
          expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, proof }, known));
        }
        for (const other of [
          { leafHash: flipBit(claim.leafHash, 0) },
          { rootHash: flipBit(claim.rootHash, 0) },
          { index: size },
        ]) {
          expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, ...other }, known));
        }
        for (const elsewhere of Array.from({ length: size }, (_, at) => at).filter((at) => at !== index)) {
          expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, index: elsewhere }, known));
        }
      }
    }
  });
});

describe('inclusion', () => {
  it(`proves every entry of every tree up to ${MAX_SIZE} as RFC 6962 does`, () => {
    for (let size = 1; size <= MAX_SIZE; size += 1) {
      expect(provers[size]!.rootHash()).toEqual(roots[size]);
      for (let index = 0; index < size; index += 1) {
        const proof = provers[size]!.inclusionProof(index);
        expect(proof).toEqual(naiveInclusionProof(index, leaves.slice(0, size)));
        verifyInclusion({ leafHash: leaves[index]!, index, treeSize: size, proof, rootHash: roots[size]! });
      }
    }
  });

  it('refuses every other place, size, leaf and root', () => {
    const size = 21;
    for (let index = 0; index < size; index += 1) {
      const claim = {
        leafHash: leaves[index]!,
        index,
        treeSize: size,
        proof: provers[size]!.inclusionProof(index),
        rootHash: roots[size]!,
      };
      for (let other = 0; other < size; other += 1) {
        if (other === index) continue;
        expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, index: other }));
        expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, leafHash: leaves[other]! }));
        expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, rootHash: roots[other]! }));
      }
      for (const leafHash of claim.proof) {
        expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, leafHash }));
      }
    }
  });

  it('refuses every mutated proof', () => {
    for (const size of [1, 2, 3, 7, 8, 13, 21, 70]) {
      for (let index = 0; index < size; index += 1) {
        const claim = { leafHash: leaves[index]!, index, treeSize: size, rootHash: roots[size]! };
        for (const proof of mutations(provers[size]!.inclusionProof(index))) {
          expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, proof }));
        }
      }
    }
  });

  it.each([
    ['an index equal to the size', { index: 8 }],
    ['a negative index', { index: -1 }],
    ['an index that is not whole', { index: 0.5 }],
    ['an index that is not a number', { index: NaN }],
    ['an empty tree', { index: 0, treeSize: 0 }],
    ['a size beyond 2^53', { treeSize: 2 ** 53 }],
    ['a short leaf', { leafHash: new Uint8Array(31) }],
    ['a long leaf', { leafHash: new Uint8Array(33) }],
    ['a short root', { rootHash: new Uint8Array(0) }],
  ])('refuses %s', (_what, change) => {
    const claim = {
      leafHash: leaves[0]!,
      index: 0,
      treeSize: 8,
      proof: provers[8]!.inclusionProof(0),
      rootHash: roots[8]!,
    };
    expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, ...change }));
  });

  it('takes the leaf for the root in a tree of one entry, and nowhere else', () => {
    const claim = { leafHash: leaves[0]!, index: 0, treeSize: 1, proof: [], rootHash: leaves[0]! };
    verifyInclusion(claim);
    expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, treeSize: 2 }));
  });

  it.each(BOUNDARIES)('proves entries at the edges of a tree of %i', (size) => {
    const prover = new Prover(size, new UniformReader(size));
    const rootHash = UniformReader.root(size);
    expect(prover.rootHash()).toEqual(rootHash);
    for (const index of new Set([0, 1, 255, 256, Math.floor(size / 2), size - 257, size - 256, size - 2, size - 1])) {
      if (index < 0 || index >= size) continue;
      const proof = prover.inclusionProof(index);
      const claim = { leafHash: UNIFORM_LEAF, index, treeSize: size, proof, rootHash };
      verifyInclusion(claim);
      expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyInclusion({ ...claim, proof: proof.slice(1) }));
      for (const [at, hash] of proof.entries()) {
        expectCode('ERR_TLOG_INCLUSION_PROOF', () =>
          verifyInclusion({ ...claim, proof: proof.with(at, flipBit(hash, index + at)) }),
        );
      }
    }
  });
});

describe('consistency', () => {
  it(`proves every pair of sizes up to ${MAX_SIZE} as RFC 6962 does`, () => {
    for (let to = 0; to <= MAX_SIZE; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const proof = provers[to]!.consistencyProof(from);
        expect(proof).toEqual(naiveConsistencyProof(from, leaves.slice(0, to)));
        verifyConsistency({ fromSize: from, fromRoot: roots[from]!, toSize: to, toRoot: roots[to]!, proof });
      }
    }
  });

  it('A58: refuses a tree that changed one earlier entry, for every pair of sizes', () => {
    for (let to = 2; to <= 24; to += 1) {
      for (let from = 1; from < to; from += 1) {
        const forged = leaves.slice(0, to).with(from - 1, leaves[69]!);
        const proof = naiveConsistencyProof(from, forged);
        const claim = { fromSize: from, fromRoot: roots[from]!, toSize: to, toRoot: naiveRoot(forged), proof };
        expectCode('ERR_TLOG_CONSISTENCY_PROOF', () => verifyConsistency(claim));
        expectCode('ERR_TLOG_CONSISTENCY_PROOF', () =>
          verifyConsistency({ ...claim, proof: provers[to]!.consistencyProof(from) }),
        );
      }
    }
  });

  it('refuses every mutated proof', () => {
    for (const to of [1, 2, 3, 4, 7, 8, 9, 16, 21, 33]) {
      for (let from = 0; from <= to; from += 1) {
        const claim = { fromSize: from, fromRoot: roots[from]!, toSize: to, toRoot: roots[to]! };
        for (const proof of mutations(provers[to]!.consistencyProof(from))) {
          expectCode('ERR_TLOG_CONSISTENCY_PROOF', () => verifyConsistency({ ...claim, proof }));
        }
      }
    }
  });

  it('refuses the proof of any other pair', () => {
    for (let to = 1; to <= 20; to += 1) {
      for (let from = 1; from < to; from += 1) {
        const proof = provers[to]!.consistencyProof(from);
        for (let other = 1; other < 20; other += 1) {
          const claim = { fromSize: other, fromRoot: roots[other]!, toSize: to, toRoot: roots[to]!, proof };
          if (other === from) continue;
          expectCode('ERR_TLOG_CONSISTENCY_PROOF', () => verifyConsistency(claim));
        }
      }
    }
  });

  it.each([
    ['a smaller tree', { fromSize: 9 }],
    ['a negative size', { fromSize: -1 }],
    ['a size that is not whole', { toSize: 8.5 }],
    ['a size beyond 2^53', { toSize: 2 ** 53 }],
    ['a short root', { fromRoot: new Uint8Array(31) }],
    ['a long root', { toRoot: new Uint8Array(33) }],
    ['the roots exchanged', { fromRoot: roots[8]!, toRoot: roots[3]! }],
    ['another root for the empty tree', { fromSize: 0, proof: [] }],
    ['a proof from the empty tree', { fromSize: 0, fromRoot: EMPTY_ROOT }],
    ['two roots for one size', { fromSize: 8, proof: [] }],
    ['a proof between equal trees', { fromSize: 8, fromRoot: roots[8]! }],
    ['no proof', { proof: [] }],
  ])('refuses %s', (_what, change) => {
    const claim = {
      fromSize: 3,
      fromRoot: roots[3]!,
      toSize: 8,
      toRoot: roots[8]!,
      proof: provers[8]!.consistencyProof(3),
    };
    verifyConsistency(claim);
    expectCode('ERR_TLOG_CONSISTENCY_PROOF', () => verifyConsistency({ ...claim, ...change }));
  });

  it.each(BOUNDARIES)('proves growth to and from %i', (size) => {
    const toSize = Math.min(size + 300, Number.MAX_SAFE_INTEGER);
    const toRoot = UniformReader.root(toSize);
    const prover = new Prover(toSize, new UniformReader(toSize));
    const proof = prover.consistencyProof(size);
    const claim = { fromSize: size, fromRoot: UniformReader.root(size), toSize, toRoot, proof };
    verifyConsistency(claim);
    for (const [at, hash] of proof.entries()) {
      expectCode('ERR_TLOG_CONSISTENCY_PROOF', () =>
        verifyConsistency({ ...claim, proof: proof.with(at, flipBit(hash, at)) }),
      );
    }
    expectCode('ERR_TLOG_CONSISTENCY_PROOF', () =>
      verifyConsistency({ ...claim, fromRoot: UniformReader.root(size - 1) }),
    );
  });
});

describe('random trees of any size', () => {
  it('prove what they hold and nothing else', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2 ** 53 - 1 }));
    fc.assert(
      fc.property(size, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(500), (treeSize, where, bit) => {
        const index = Math.floor(treeSize * where);
        const reader = new UniformReader(treeSize);
        const rootHash = UniformReader.root(treeSize);
        const proof = inclusionProof(index, treeSize, reader);
        const claim = { leafHash: UNIFORM_LEAF, index, treeSize, proof, rootHash };
        verifyInclusion(claim);
        expect(codeOf(() => verifyInclusion({ ...claim, leafHash: flipBit(UNIFORM_LEAF, bit) }))).toBeDefined();
        const growth = {
          fromSize: index,
          fromRoot: index === 0 ? EMPTY_ROOT : UniformReader.root(index),
          toSize: treeSize,
          toRoot: rootHash,
        };
        const consistency = consistencyProof(index, treeSize, reader);
        verifyConsistency({ ...growth, proof: consistency });
        expect(codeOf(() => verifyConsistency({ ...growth, toRoot: flipBit(rootHash, bit), proof: consistency }))).toBe(
          index === 0 ? undefined : 'ERR_TLOG_CONSISTENCY_PROOF',
        );
      }),
    );
  });
});

describe('Prover', () => {
  it('reads each hash once for a proof, and no hash that is not complete', () => {
    const size = 70;
    let reads = 0;
    const naive = new NaiveReader(leaves);
    const prover = new Prover(size, { readHash: (level, index) => ((reads += 1), naive.readHash(level, index)) });
    prover.rootHash();
    reads = 0;
    for (let index = 0; index < size; index += 1) prover.inclusionProof(index);
    const hashes = provers[size]!.inclusionProof(0).length;
    expect(reads).toBeLessThanOrEqual(size * hashes);
  });

  it('knows the empty tree', () => {
    expect(new Prover(0, new NaiveReader([])).rootHash()).toEqual(EMPTY_ROOT);
    expect(consistencyProof(0, 0, new NaiveReader([]))).toEqual([]);
  });

  it.each([-1, 8, 0.5, NaN])('takes entry %d of 8 for a mistake of the caller', (index) => {
    expect(() => inclusionProof(index, 8, new NaiveReader(leaves))).toThrow(TypeError);
  });

  it.each([-1, 9, 0.5, NaN])('takes growth from %d to 8 for a mistake of the caller', (from) => {
    expect(() => consistencyProof(from, 8, new NaiveReader(leaves))).toThrow(TypeError);
    expect(() => new Prover(from === 9 ? 2 ** 53 : from, new NaiveReader(leaves))).toThrow(TypeError);
  });
});

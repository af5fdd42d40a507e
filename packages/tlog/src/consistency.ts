// SPDX-License-Identifier: Apache-2.0
/** Verifying consistency proofs, by the algorithm of RFC 9162 section 2.1.4.2. */
import { equalBytes, type Bytes } from '@witnessmark/core';
import { TlogError } from './error.ts';
import { EMPTY_ROOT, HASH_BYTES, hashChildren } from './hashing.ts';
import { isTreeSize } from './tree-size.ts';

export interface ConsistencyClaim {
  readonly fromSize: number;
  readonly fromRoot: Bytes;
  readonly toSize: number;
  readonly toRoot: Bytes;
  readonly proof: readonly Bytes[];
}

/**
 * Returns when the tree of `toSize` begins with the tree of `fromSize`; throws `ERR_TLOG_CONSISTENCY_PROOF` otherwise.
 * Every tree begins with the empty one, and with itself: the proof is empty then.
 */
export function verifyConsistency({ fromSize, fromRoot, toSize, toRoot, proof }: ConsistencyClaim): void {
  if (!isTreeSize(fromSize) || !isTreeSize(toSize) || fromSize > toSize) {
    throw refusal(`a tree of ${toSize} does not extend one of ${fromSize}`);
  }
  if (![fromRoot, toRoot, ...proof].every((hash) => hash.length === HASH_BYTES)) {
    throw refusal('a hash does not have 32 bytes');
  }
  if (fromSize === 0 && !equalBytes(fromRoot, EMPTY_ROOT)) throw refusal('the root hash of the empty tree is another');
  if (fromSize === toSize && !equalBytes(fromRoot, toRoot)) throw refusal('two root hashes for one size');
  if (fromSize === 0 || fromSize === toSize) {
    if (proof.length > 0) throw refusal('the proof is too long');
    return;
  }
  verifyGrowth({ fromSize, fromRoot, toSize, toRoot, proof });
}

function verifyGrowth({ fromSize, fromRoot, toSize, toRoot, proof }: ConsistencyClaim): void {
  let fn = fromSize - 1; // step 3
  let sn = toSize - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2); // step 4
    sn = Math.floor(sn / 2);
  }
  // Step 2: a tree of 2^k entries is a subtree of the larger one, so its root stands for the first element.
  const [first, ...rest] = fn === 0 ? [fromRoot, ...proof] : proof;
  if (first === undefined) throw refusal('the proof is too short'); // step 1
  let fromHash = first; // step 5
  let toHash = first;
  for (const hash of rest) {
    if (sn === 0) throw refusal('the proof is too long'); // step 6.1
    if (fn % 2 === 1 || fn === sn) {
      fromHash = hashChildren(hash, fromHash); // step 6.2
      toHash = hashChildren(hash, toHash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      toHash = hashChildren(toHash, hash); // step 6.3
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw refusal('the proof is too short'); // step 7
  if (!equalBytes(fromHash, fromRoot)) throw refusal(`the proof does not lead to the root hash of size ${fromSize}`);
  if (!equalBytes(toHash, toRoot)) throw refusal(`the proof does not lead to the root hash of size ${toSize}`);
}

function refusal(what: string): TlogError {
  return new TlogError('ERR_TLOG_CONSISTENCY_PROOF', what);
}

// SPDX-License-Identifier: Apache-2.0
/** Verifying inclusion proofs, by the algorithm of RFC 9162 section 2.1.3.2. */
import { equalBytes, type Bytes } from '@witnessmark/core';
import { TlogError } from './error.ts';
import { HASH_BYTES, hashChildren } from './hashing.ts';
import { isTreeSize } from './tree-size.ts';

export interface InclusionClaim {
  /** Recompute it from the entry being judged; never take it from whoever brings the proof. */
  readonly leafHash: Bytes;
  readonly index: number;
  readonly treeSize: number;
  /** From the sibling of the leaf upwards. */
  readonly proof: readonly Bytes[];
  /** From a checkpoint whose signature was verified. */
  readonly rootHash: Bytes;
}

/** Returns when the leaf is at that place of that tree; throws `ERR_TLOG_INCLUSION_PROOF` otherwise. */
export function verifyInclusion({ leafHash, index, treeSize, proof, rootHash }: InclusionClaim): void {
  if (!isTreeSize(index) || !isTreeSize(treeSize) || index >= treeSize) {
    throw refusal(`there is no entry ${index} in a tree of ${treeSize}`); // step 1
  }
  if (![leafHash, rootHash, ...proof].every((hash) => hash.length === HASH_BYTES)) {
    throw refusal('a hash does not have 32 bytes');
  }
  let fn = index; // step 2
  let sn = treeSize - 1;
  let hash = leafHash; // step 3
  for (const sibling of proof) {
    if (sn === 0) throw refusal('the proof is too long'); // step 4.1
    if (fn % 2 === 1 || fn === sn) {
      hash = hashChildren(sibling, hash); // step 4.2
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = hashChildren(hash, sibling); // step 4.3
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw refusal('the proof is too short'); // step 5
  if (!equalBytes(hash, rootHash)) throw refusal(`the proof of entry ${index} does not lead to the root hash`);
}

function refusal(what: string): TlogError {
  return new TlogError('ERR_TLOG_INCLUSION_PROOF', what);
}

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

/** The way from a leaf to the root, as a proof that led there showed it. */
export interface ProvenPath {
  readonly claim: InclusionClaim;
  /** Before each hash of the proof: the two counters of the algorithm, and the hash reached so far. */
  readonly steps: readonly { readonly fn: number; readonly sn: number; readonly hash: Bytes }[];
}

/**
 * Returns when the leaf is at that place of that tree; throws `ERR_TLOG_INCLUSION_PROOF` otherwise. Entries logged together
 * share most of their ways: where this one meets that of `known`, and goes on by the same hashes to the same root, nothing
 * is hashed again.
 */
export function verifyInclusion(claim: InclusionClaim, known?: ProvenPath): ProvenPath {
  const { leafHash, index, treeSize, proof, rootHash } = claim;
  const same = known !== undefined && equalBytes(known.claim.rootHash, rootHash) ? known : undefined;
  if (!isTreeSize(index) || !isTreeSize(treeSize) || index >= treeSize) {
    throw refusal(`there is no entry ${index} in a tree of ${treeSize}`); // step 1
  }
  if (![leafHash, rootHash, ...proof].every((hash) => hash.length === HASH_BYTES)) {
    throw refusal('a hash does not have 32 bytes');
  }
  let fn = index; // step 2
  let sn = treeSize - 1;
  let hash = leafHash; // step 3
  const steps: { fn: number; sn: number; hash: Bytes }[] = [];
  for (const sibling of proof) {
    if (same !== undefined && meets(same, steps.length, { fn, sn, hash }, proof)) return same;
    steps.push({ fn, sn, hash });
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
  return { claim, steps };
}

/** Whether the rest of the algorithm would see, from this step on, exactly what it saw on a way that led to the root. */
function meets(known: ProvenPath, at: number, here: ProvenPath['steps'][number], proof: readonly Bytes[]): boolean {
  const step = known.steps[at];
  if (step?.fn !== here.fn || step.sn !== here.sn || proof.length !== known.claim.proof.length) return false;
  if (!equalBytes(step.hash, here.hash)) return false;
  return known.claim.proof.every((sibling, index) => index < at || equalBytes(sibling, proof[index] as Bytes));
}

function refusal(what: string): TlogError {
  return new TlogError('ERR_TLOG_INCLUSION_PROOF', what);
}

// SPDX-License-Identifier: Apache-2.0
/** The Merkle tree hashes of RFC 6962 section 2.1, unchanged in RFC 9162: leaves and nodes are hashed in two domains. */
import { sha256, type Bytes } from '@witnessmark/core';

export const HASH_BYTES = 32;

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** The root of a tree without entries: the hash of nothing. */
export const EMPTY_ROOT: Bytes = sha256(new Uint8Array(0));

// Written whole before each use, and read before anything else runs: allocating them anew costs more than hashing.
const node = new Uint8Array(1 + 2 * HASH_BYTES);
node[0] = NODE_PREFIX;
const leaf = new Uint8Array(1 + 65_535);
leaf[0] = LEAF_PREFIX;

export function hashLeaf(entry: Bytes): Bytes {
  const input = entry.length < leaf.length ? leaf.subarray(0, 1 + entry.length) : new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

export function hashChildren(left: Bytes, right: Bytes): Bytes {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new TypeError('a tree hash has 32 bytes');
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

// SPDX-License-Identifier: Apache-2.0
/** Keys that are the same on every run, made from their label; deterministic signatures (RFC 6979, RFC 8032). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import {
  concatBytes,
  decodeHex,
  encodeUtf8,
  parsePublicKey,
  sha256,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';

const P256_SPKI_PREFIX = decodeHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const ED25519_SPKI_PREFIX = decodeHex('302a300506032b6570032100');

export interface FixedKey {
  readonly publicKey: PublicKey;
  sign(message: Bytes): Bytes;
}

export function fixedP256(label: string): FixedKey {
  const secretKey = sha256(encodeUtf8(label));
  const point = p256.getPublicKey(secretKey, false);
  return {
    publicKey: parsePublicKey(concatBytes(P256_SPKI_PREFIX, point)),
    sign: (message) => p256.sign(message, secretKey, { format: 'der', lowS: false, prehash: true }),
  };
}

export function fixedEd25519(label: string): FixedKey {
  const secretKey = sha256(encodeUtf8(label));
  return {
    publicKey: parsePublicKey(concatBytes(ED25519_SPKI_PREFIX, ed25519.getPublicKey(secretKey))),
    sign: (message) => ed25519.sign(message, secretKey),
  };
}

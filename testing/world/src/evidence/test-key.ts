// SPDX-License-Identifier: Apache-2.0
/** Keys that follow from their names, with signatures that follow from the message (RFC 6979, RFC 8032), so that vectors are stable. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import {
  concatBytes,
  decodeHex,
  encodeUtf8,
  parsePublicKey,
  publicKeyFromEd25519,
  sha256,
  type Bytes,
  type PublicKey,
  type SignatureScheme,
} from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';

const P256_SPKI_PREFIX = decodeHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const SECRET_DOMAIN = 'witnessmark test key, never trust this: ';

export class TestKey implements Signer {
  readonly publicKey: PublicKey;
  readonly custody: 'hardware' | 'software';
  readonly #secret: Bytes;

  constructor(name: string, scheme: SignatureScheme = 'ecdsa-sha2-nistp256', custody: TestKey['custody'] = 'hardware') {
    this.#secret = sha256(encodeUtf8(`${SECRET_DOMAIN}${name}`));
    this.custody = custody;
    this.publicKey =
      scheme === 'ed25519'
        ? publicKeyFromEd25519(ed25519.getPublicKey(this.#secret))
        : parsePublicKey(concatBytes(P256_SPKI_PREFIX, p256.getPublicKey(this.#secret, false)));
  }

  sign(message: Bytes): Promise<Bytes> {
    return Promise.resolve(this.signNow(message));
  }

  signNow(message: Bytes): Bytes {
    return this.publicKey.scheme === 'ed25519'
      ? ed25519.sign(message, this.#secret)
      : p256.sign(message, this.#secret, { prehash: true, lowS: false, format: 'der' });
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The one way anything in Witnessmark agrees on a key: a handle to a private key, never the key. Elliptic curve
 * Diffie-Hellman on P-256 (NIST SP 800-56A revision 3, section 5.7.1.2); a key that agrees does not sign.
 */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { parsePublicKey, type Bytes, type PublicKey } from '@witnessmark/core';
import { CustodyError } from './error.ts';
import { readKeyFile } from './key-file.ts';

export interface KeyAgreement {
  readonly publicKey: PublicKey;
  /** `software` keys are for development: marked, and refused by production policies. */
  readonly custody: 'hardware' | 'software';
  /**
   * Hands the shared secret with `peer`, 32 bytes, to `use`, and wipes it afterwards. Rejects with a `CustodyError` or a
   * `RefusedError` CU-1xx when the key cannot be reached, and with what `use` throws.
   */
  agree<T>(peer: PublicKey, use: (sharedSecret: Bytes) => T): Promise<T>;
}

export class SoftwareKeyAgreement implements KeyAgreement {
  readonly publicKey: PublicKey;
  readonly custody = 'software';
  readonly #privateKey: KeyObject;

  /** Throws `TypeError` for a key that is not on P-256. */
  constructor(privateKey: KeyObject) {
    this.publicKey = parsePublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    if (this.publicKey.scheme === 'ed25519') throw new TypeError('keys are agreed on P-256');
    this.#privateKey = privateKey;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because tokens are
  async agree<T>(peer: PublicKey, use: (sharedSecret: Bytes) => T): Promise<T> {
    if (peer.scheme === 'ed25519') throw new TypeError('keys are agreed on P-256');
    const publicKey = createPublicKey({ key: Buffer.from(peer.spki), format: 'der', type: 'spki' });
    const secret = diffieHellman({ privateKey: this.#privateKey, publicKey });
    try {
      return use(secret);
    } finally {
      secret.fill(0);
    }
  }
}

/** A key pair in memory: of a trial, or for one use. */
export function generateSoftwareKeyAgreement(): SoftwareKeyAgreement {
  return new SoftwareKeyAgreement(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** Reads a key file; throws `ERR_CUSTODY_KEY_FILE`, or `ERR_CUSTODY_KEY_MODE` when others may read it. */
export function loadSoftwareKeyAgreement(path: string): SoftwareKeyAgreement {
  const pem = readKeyFile(path);
  try {
    return new SoftwareKeyAgreement(createPrivateKey(pem));
  } catch (cause) {
    throw new CustodyError('ERR_CUSTODY_KEY_FILE', `${path} is not a readable private key on P-256`, { cause });
  }
}

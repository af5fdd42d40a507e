// SPDX-License-Identifier: Apache-2.0
/** A key of a lasting token that agrees on keys: it comes back with its token, and only the same key counts as being back. */
import { RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import type { KeyAgreement } from '../key-agreement.ts';
import { findKeyAgreement, type Pkcs11KeyAgreement } from './key-agreement.ts';
import type { KeyRef } from './key.ts';
import { isTokenGone, type LastingToken } from './lasting-token.ts';

export class LastingAgreement implements KeyAgreement {
  readonly publicKey: PublicKey;
  readonly custody = 'hardware';
  readonly #token: LastingToken;
  readonly #ref: KeyRef;

  /** Rejects with CU-108, CU-109 or CU-113, and as the token does. */
  static async find(token: LastingToken, ref: KeyRef): Promise<LastingAgreement> {
    return new LastingAgreement(token, ref, findKeyAgreement(await token.current(), ref));
  }

  private constructor(token: LastingToken, ref: KeyRef, { publicKey }: Pkcs11KeyAgreement) {
    this.publicKey = publicKey;
    this.#token = token;
    this.#ref = ref;
  }

  /** Rejects as the key does; with CU-205 when the token came back with another key. */
  async agree<T>(peer: PublicKey, use: (sharedSecret: Bytes) => T): Promise<T> {
    const token = await this.#token.current();
    try {
      const key = findKeyAgreement(token, this.#ref);
      if (key.publicKey.keyid !== this.publicKey.keyid) {
        const message = `expected key ${this.publicKey.keyid}, found ${key.publicKey.keyid} under its name`;
        throw new RefusedError('CU-205', message);
      }
      return await key.agree(peer, use);
    } catch (error) {
      if (isTokenGone(error)) token.lose(error);
      throw error;
    }
  }
}

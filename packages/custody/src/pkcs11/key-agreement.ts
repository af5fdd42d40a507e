// SPDX-License-Identifier: Apache-2.0
/**
 * A private key in a token that agrees on keys (PKCS#11 v2.40 section 2.3.9, CKM_ECDH1_DERIVE). SoftHSM 2.6.1 knows no
 * key derivation function but CKD_NULL, so the shared secret is a readable object of the session for the moment it takes
 * to read it; the private key never is.
 */
import { RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { formatToken } from '../token-identity.ts';
import {
  CK_PARAMS_EC_DH,
  CKA_CLASS,
  CKA_EXTRACTABLE,
  CKA_KEY_TYPE,
  CKA_PRIVATE,
  CKA_SENSITIVE,
  CKA_TOKEN,
  CKA_VALUE,
  CKA_VALUE_LEN,
  CKD_NULL,
  CKK_GENERIC_SECRET,
  CKM_ECDH1_DERIVE,
  CKO_SECRET_KEY,
  type Handle,
} from './cryptoki.ts';
import { inTime } from './in-time.ts';
import { findKeyPair, type FoundKeyPair, type KeyRef } from './key.ts';
import { toRefusal } from './refusal.ts';
import type { KeyAgreement } from '../key-agreement.ts';
import type { Pkcs11Token } from './token.ts';

const SECRET_BYTES = 32;

/** Of this session only, and gone with it. */
const SHARED_SECRET = [
  { type: CKA_CLASS, value: CKO_SECRET_KEY },
  { type: CKA_KEY_TYPE, value: CKK_GENERIC_SECRET },
  { type: CKA_VALUE_LEN, value: SECRET_BYTES },
  { type: CKA_TOKEN, value: false },
  { type: CKA_PRIVATE, value: true },
  { type: CKA_SENSITIVE, value: false },
  { type: CKA_EXTRACTABLE, value: true },
];

/** Throws CU-108 when there is no such key, CU-109 when two fit, CU-113 for one that is not on P-256. */
export function findKeyAgreement(token: Pkcs11Token, ref: KeyRef): Pkcs11KeyAgreement {
  const pair = findKeyPair(token, ref);
  if (pair.publicKey.scheme === 'ed25519') {
    throw new RefusedError('CU-113', `key "${pair.label}" on token ${formatToken(token.identity)} is not on P-256`);
  }
  return new Pkcs11KeyAgreement(token, pair);
}

export class Pkcs11KeyAgreement implements KeyAgreement {
  readonly publicKey: PublicKey;
  readonly custody = 'hardware';
  readonly label: string;
  readonly token: Pkcs11Token;
  readonly #handle: Handle;

  constructor(token: Pkcs11Token, { handle, label, publicKey }: FoundKeyPair) {
    this.token = token;
    this.label = label;
    this.publicKey = publicKey;
    this.#handle = handle;
  }

  agree<T>(peer: PublicKey, use: (sharedSecret: Bytes) => T): Promise<T> {
    return this.token.withSession(async (session) => {
      const secret = await this.#derive(session, peer);
      try {
        return use(secret);
      } finally {
        secret.fill(0);
      }
    });
  }

  async #derive(session: Handle, peer: PublicKey): Promise<Buffer> {
    const { cryptoki, identity } = this.token;
    const name = `key "${this.label}" on token ${formatToken(identity)}`;
    try {
      const secret = await this.#deriveObject(session, peer, name);
      try {
        return readValue(cryptoki.C_GetAttributeValue(session, secret, [{ type: CKA_VALUE }])[0]?.value, name);
      } finally {
        cryptoki.C_DestroyObject(session, secret);
      }
    } catch (error) {
      throw await this.token.explain(toRefusal(error, `agreeing with ${name}`));
    }
  }

  #deriveObject(session: Handle, peer: PublicKey, name: string): Handle | Promise<Handle> {
    const { cryptoki, signing } = this.token;
    const parameter = { type: CK_PARAMS_EC_DH, kdf: CKD_NULL, publicData: Buffer.from(peer.point) };
    const mechanism = { mechanism: CKM_ECDH1_DERIVE, parameter };
    if (signing === 'blocking') return cryptoki.C_DeriveKey(session, mechanism, this.#handle, SHARED_SECRET);
    const work = cryptoki.C_DeriveKeyAsync(session, mechanism, this.#handle, SHARED_SECRET);
    return inTime(this.token, this.label, { work, late: `${name} did not agree` });
  }
}

function readValue(value: unknown, name: string): Buffer {
  if (Buffer.isBuffer(value) && value.length === SECRET_BYTES) return value;
  throw new RefusedError('CU-111', `${name} gave a shared secret that is not ${SECRET_BYTES} bytes long`);
}

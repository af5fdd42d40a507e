// SPDX-License-Identifier: Apache-2.0
/** Making a key pair inside a token, from an exact template; what the token made of it is read back by `checkKeys`. */
import { formatToken } from '../token-identity.ts';
import {
  CKA_EC_PARAMS,
  CKA_ID,
  CKA_LABEL,
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EC_KEY_PAIR_GEN,
  ED25519_PARAMS,
  P256_PARAMS,
} from './cryptoki.ts';
import { findKey, type Pkcs11Key } from './key.ts';
import { toRefusal } from './refusal.ts';
import type { Bytes, SignatureScheme } from '@witnessmark/core';
import type { Pkcs11Token } from './token.ts';

export interface KeyPairTemplate {
  readonly label: string;
  readonly id: Bytes;
  readonly scheme: SignatureScheme;
  /** Attribute number to flag. */
  readonly privateKey: ReadonlyMap<number, boolean>;
  readonly publicKey: ReadonlyMap<number, boolean>;
}

/** Generates a key pair; the token must have been opened `readWrite`. Throws CU-113 or CU-111. */
export function generateKeyPair(token: Pkcs11Token, template: KeyPairTemplate): Pkcs11Key {
  const { label, id, scheme } = template;
  const isP256 = scheme === 'ecdsa-sha2-nistp256';
  const mechanism = { mechanism: isP256 ? CKM_EC_KEY_PAIR_GEN : CKM_EC_EDWARDS_KEY_PAIR_GEN };
  const name = [
    { type: CKA_LABEL, value: label },
    { type: CKA_ID, value: Buffer.from(id) },
  ];
  const curve = { type: CKA_EC_PARAMS, value: isP256 ? P256_PARAMS : ED25519_PARAMS };
  try {
    const publicTemplate = [...name, curve, ...toFlags(template.publicKey)];
    const privateTemplate = [...name, ...toFlags(template.privateKey)];
    token.cryptoki.C_GenerateKeyPair(token.session, mechanism, publicTemplate, privateTemplate);
  } catch (error) {
    throw toRefusal(error, `making key "${label}" on token ${formatToken(token.identity)}`);
  }
  return findKey(token, { label, id });
}

function toFlags(flags: ReadonlyMap<number, boolean>): { type: number; value: boolean }[] {
  return [...flags].map(([type, value]) => ({ type, value }));
}

// SPDX-License-Identifier: Apache-2.0
/** What a token shows to anybody: no PIN is asked for and none is spent. */
import { RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { formatToken, type TokenRef } from '../token-identity.ts';
import { CKA_CLASS, CKA_EC_POINT, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKK_EC, CKO_PUBLIC_KEY } from './cryptoki.ts';
import { attributeValue, findObjects, toNumber } from './objects.ts';
import { publicKeyFromEcPoint } from './signature.ts';
import { Pkcs11Token } from './token.ts';
import type { Pkcs11Module } from './module.ts';

/** A token nobody is logged in to; the caller closes it. Throws CU-102, CU-103, CU-104, CU-107 or CU-111. */
export function lookAtToken(module: Pkcs11Module, expected: TokenRef): Promise<Pkcs11Token> {
  const pin = (): Promise<string> => Promise.reject(new TypeError('looking needs no PIN'));
  return module.use(
    () => new Pkcs11Token(module, module.findToken(expected), expected, { pin, sessions: 1, readWrite: false }),
  );
}

/** The public key with this label and id, or null. Throws CU-109 when two fit, CU-113 for another algorithm. */
export function findPublicKey(
  token: Pkcs11Token,
  { label, id }: { readonly label: string; readonly id: Bytes },
): PublicKey | null {
  const what = `public key "${label}" on token ${formatToken(token.identity)}`;
  const template = [
    { type: CKA_CLASS, value: CKO_PUBLIC_KEY },
    { type: CKA_LABEL, value: label },
    { type: CKA_ID, value: Buffer.from(id) },
  ];
  const [handle, second] = findObjects(token, template, 2);
  if (second !== undefined) throw new RefusedError('CU-109', `${what}: two fit`);
  if (handle === undefined) return null;
  const isEc = toNumber(attributeValue(token, handle, CKA_KEY_TYPE)) === CKK_EC;
  try {
    return publicKeyFromEcPoint(
      isEc ? 'ec' : 'edwards',
      attributeValue(token, handle, CKA_EC_POINT) ?? Buffer.alloc(0),
    );
  } catch (cause) {
    throw new RefusedError('CU-113', `${what} is not on P-256 or edwards25519`, { cause });
  }
}

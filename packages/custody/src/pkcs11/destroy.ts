// SPDX-License-Identifier: Apache-2.0
/**
 * Destroying keys in a token, and looking whether they are gone. The private key goes first and the public one last: it is
 * the one that can be seen without a PIN, so its absence says that nothing is left.
 */
import type { Bytes } from '@witnessmark/core';
import { formatToken } from '../token-identity.ts';
import {
  CKA_CLASS,
  CKA_ID,
  CKA_LABEL,
  CKO_CERTIFICATE,
  CKO_PRIVATE_KEY,
  CKO_PUBLIC_KEY,
  CKO_SECRET_KEY,
  type Handle,
} from './cryptoki.ts';
import { findObjects } from './objects.ts';
import { toRefusal } from './refusal.ts';
import type { Pkcs11Token } from './token.ts';

/** Label and id together, so that a key of another purpose is never meant. */
export interface ExactKeyRef {
  readonly label: string;
  readonly id: Bytes;
}

const IN_ORDER = [CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_CERTIFICATE, CKO_PUBLIC_KEY];
/** More than this many objects of one name are not destroyed in one call. */
const MAX_OBJECTS = 16;

/** Destroys every object of the key and returns how many there were. The token must be `readWrite`. Throws CU-103 or CU-111. */
export function destroyKey(token: Pkcs11Token, ref: ExactKeyRef): number {
  const objects = objectsOf(token, ref);
  for (const object of objects) {
    try {
      token.cryptoki.C_DestroyObject(token.session, object);
    } catch (error) {
      throw toRefusal(error, `destroying key "${ref.label}" on token ${formatToken(token.identity)}`);
    }
  }
  return objects.length;
}

/** How many objects of the key the token shows; without a login, private and secret keys are not among them. */
export function countKeyObjects(token: Pkcs11Token, ref: ExactKeyRef): number {
  return objectsOf(token, ref).length;
}

function objectsOf(token: Pkcs11Token, { label, id }: ExactKeyRef): Handle[] {
  return IN_ORDER.flatMap((kind) =>
    findObjects(
      token,
      [
        { type: CKA_CLASS, value: kind },
        { type: CKA_LABEL, value: label },
        { type: CKA_ID, value: Buffer.from(id) },
      ],
      MAX_OBJECTS,
    ),
  );
}

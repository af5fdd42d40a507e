// SPDX-License-Identifier: Apache-2.0
/** What a pair of keys for signing is made with: kept in the token, and never to leave it. */
import * as ck from '../../src/pkcs11/cryptoki.ts';

export const PRIVATE = new Map([
  [ck.CKA_TOKEN, true],
  [ck.CKA_PRIVATE, true],
  [ck.CKA_SENSITIVE, true],
  [ck.CKA_EXTRACTABLE, false],
  [ck.CKA_SIGN, true],
]);
export const PUBLIC = new Map([
  [ck.CKA_TOKEN, true],
  [ck.CKA_VERIFY, true],
]);

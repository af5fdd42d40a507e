// SPDX-License-Identifier: Apache-2.0
/** The boolean attributes of keys that a key policy fixes, by the names of PKCS#11 v2.40 section 4. */
import * as ck from '../pkcs11/cryptoki.ts';

export const KEY_ATTRIBUTES = {
  CKA_TOKEN: ck.CKA_TOKEN,
  CKA_PRIVATE: ck.CKA_PRIVATE,
  CKA_MODIFIABLE: ck.CKA_MODIFIABLE,
  CKA_SENSITIVE: ck.CKA_SENSITIVE,
  CKA_EXTRACTABLE: ck.CKA_EXTRACTABLE,
  CKA_LOCAL: ck.CKA_LOCAL,
  CKA_ALWAYS_SENSITIVE: ck.CKA_ALWAYS_SENSITIVE,
  CKA_NEVER_EXTRACTABLE: ck.CKA_NEVER_EXTRACTABLE,
  CKA_ALWAYS_AUTHENTICATE: ck.CKA_ALWAYS_AUTHENTICATE,
  CKA_SIGN: ck.CKA_SIGN,
  CKA_SIGN_RECOVER: ck.CKA_SIGN_RECOVER,
  CKA_VERIFY: ck.CKA_VERIFY,
  CKA_VERIFY_RECOVER: ck.CKA_VERIFY_RECOVER,
  CKA_ENCRYPT: ck.CKA_ENCRYPT,
  CKA_DECRYPT: ck.CKA_DECRYPT,
  CKA_WRAP: ck.CKA_WRAP,
  CKA_UNWRAP: ck.CKA_UNWRAP,
  CKA_DERIVE: ck.CKA_DERIVE,
} as const;

export type KeyAttribute = keyof typeof KEY_ATTRIBUTES;
export type AttributeTemplate = Readonly<Partial<Record<KeyAttribute, boolean>>>;

/** In the order of the standard's own tables. */
export function entriesOf(template: AttributeTemplate): [name: KeyAttribute, value: boolean][] {
  return Object.entries(template) as [KeyAttribute, boolean][];
}

/** Set by the token, never by a template: where the key came from, and whether it could ever leave. */
const SET_BY_TOKEN: ReadonlySet<KeyAttribute> = new Set(['CKA_LOCAL', 'CKA_ALWAYS_SENSITIVE', 'CKA_NEVER_EXTRACTABLE']);

/** The part of a template that is given to C_GenerateKeyPair. */
export function toGeneration(template: AttributeTemplate): Map<number, boolean> {
  const given = entriesOf(template).filter(([name]) => !SET_BY_TOKEN.has(name));
  return new Map(given.map(([name, value]) => [KEY_ATTRIBUTES[name], value]));
}

export type KeyOrigin = 'generated' | 'generatedExposed' | 'broughtIn' | 'contradictory';

/**
 * What the three attributes say together. Unwrapped and imported keys look the same by the standard (v2.40 sections
 * 5.12 C_UnwrapKey, 5.7 C_CreateObject), and both mean that a copy may exist elsewhere.
 */
export function originOf(attributes: {
  readonly local: boolean;
  readonly alwaysSensitive: boolean;
  readonly neverExtractable: boolean;
}): KeyOrigin {
  const { local, alwaysSensitive, neverExtractable } = attributes;
  if (local) return alwaysSensitive && neverExtractable ? 'generated' : 'generatedExposed';
  return alwaysSensitive || neverExtractable ? 'contradictory' : 'broughtIn';
}

// SPDX-License-Identifier: Apache-2.0
/** Searching and reading the objects of a token. */
import { formatToken } from '../token-identity.ts';
import { CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, type Handle } from './cryptoki.ts';
import { returnValueOf, toRefusal } from './refusal.ts';
import type { Pkcs11Token } from './token.ts';

const HIDDEN: ReadonlySet<number | null> = new Set([CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID]);

export interface SearchAttribute {
  readonly type: number;
  readonly value: number | boolean | string | Buffer;
}

/** The objects that fit a template, at most `max`. */
export function findObjects(token: Pkcs11Token, template: readonly SearchAttribute[], max: number): Handle[] {
  const { cryptoki, session } = token;
  try {
    cryptoki.C_FindObjectsInit(session, [...template]);
    try {
      return cryptoki.C_FindObjects(session, max);
    } finally {
      cryptoki.C_FindObjectsFinal(session);
    }
  } catch (error) {
    throw toRefusal(error, `searching token ${formatToken(token.identity)}`);
  }
}

/** An attribute, or null when the token does not have it or does not show it. */
export function attributeValue(token: Pkcs11Token, object: Handle, type: number): Buffer | null {
  try {
    const value = token.cryptoki.C_GetAttributeValue(token.session, object, [{ type }])[0]?.value;
    return Buffer.isBuffer(value) ? value : null;
  } catch (error) {
    if (HIDDEN.has(returnValueOf(error))) return null;
    throw toRefusal(error, `reading an object of token ${formatToken(token.identity)}`);
  }
}

/** A CK_ULONG, little-endian on every machine Node runs on. */
export function toNumber(value: Buffer | null): number | null {
  if (value === null || value.length === 0 || value.length > 8) return null;
  let number = 0;
  for (const byte of value.toReversed()) number = number * 256 + byte;
  return number;
}

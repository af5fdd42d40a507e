// SPDX-License-Identifier: Apache-2.0
/** ASN.1 at a trust boundary: bounded, and only in the one encoding that DER allows (X.690, section 10). */
import { AsnConvert } from '@peculiar/asn1-schema';
import type { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { equalBytes, parsePublicKey, type Bytes, type PublicKey } from '@witnessmark/core';

/** The error of whoever asks. */
type Malformed = (what: string, cause?: unknown) => Error;

interface StrictDer<T> {
  readonly type: new () => T;
  readonly maxBytes: number;
  /** For people: what it should have been. */
  readonly name: string;
  readonly malformed: Malformed;
}

/** Signatures are checked over what is encoded again, so anything that would be encoded in another way is refused. */
export function parseStrictDer<T>(der: Bytes, { type, maxBytes, name, malformed }: StrictDer<T>): T {
  if (der.length > maxBytes) throw malformed(`more than ${maxBytes} bytes`);
  let value: T;
  try {
    value = AsnConvert.parse(der, type);
  } catch (cause) {
    throw malformed(`no ${name}`, cause);
  }
  if (!equalBytes(new Uint8Array(AsnConvert.serialize(value)), der)) throw malformed('bytes that are not DER');
  return value;
}

/** Throws what `malformed` makes of a key that is not on P-256. */
export function readPublicKey(info: SubjectPublicKeyInfo, malformed: Malformed): PublicKey {
  try {
    return parsePublicKey(new Uint8Array(AsnConvert.serialize(info)));
  } catch (cause) {
    throw malformed('a key that is not on P-256', cause);
  }
}

// SPDX-License-Identifier: Apache-2.0
/** ASN.1 at a trust boundary: bounded, and only in the one encoding that DER allows (X.690, section 10). */
import { AsnConvert } from '@peculiar/asn1-schema';
import { equalBytes, type Bytes } from '@witnessmark/core';

interface StrictDer<T> {
  readonly type: new () => T;
  readonly maxBytes: number;
  /** For people: what it should have been. */
  readonly name: string;
  /** The error of whoever asks. */
  readonly malformed: (what: string, cause?: unknown) => Error;
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

// SPDX-License-Identifier: Apache-2.0
/** Points and signatures between PKCS#11's encodings (PKCS#11 v2.40 section 2.3.1) and those of X.509 (RFC 3279, RFC 5480). */
import { concatBytes, publicKeyFromEd25519, publicKeyFromP256, type Bytes, type PublicKey } from '@witnessmark/core';

const OCTET_STRING = 0x04;
const SCALAR_BYTES = 32;

/** CKM_ECDSA gives r || s; the envelope wants ECDSA-Sig-Value in DER. Throws `TypeError` for another length. */
export function toDerSignature(raw: Bytes): Bytes {
  if (raw.length !== 2 * SCALAR_BYTES) throw new TypeError('a P-256 signature has 64 bytes');
  const r = derInteger(raw.subarray(0, SCALAR_BYTES));
  const s = derInteger(raw.subarray(SCALAR_BYTES));
  return concatBytes(Uint8Array.of(0x30, r.length + s.length), r, s);
}

/**
 * Reads CKA_EC_POINT, which the standard wraps in an OCTET STRING and some modules do not. A P-256 point starts with
 * 0x04, as an OCTET STRING does, so length decides. Throws the `ERR_KEY_*` codes of the vetting in core.
 */
export function publicKeyFromEcPoint(keyType: 'ec' | 'edwards', value: Bytes): PublicKey {
  const size = keyType === 'ec' ? 2 * SCALAR_BYTES + 1 : SCALAR_BYTES;
  const isWrapped = value.length === size + 2 && value[0] === OCTET_STRING && value[1] === size;
  const point = Uint8Array.from(isWrapped ? value.subarray(2) : value);
  return keyType === 'ec' ? publicKeyFromP256(point) : publicKeyFromEd25519(point);
}

function derInteger(scalar: Bytes): Bytes {
  let start = 0;
  while (start < scalar.length - 1 && scalar[start] === 0) start += 1;
  const magnitude = scalar.subarray(start);
  const value = (magnitude[0] as number) & 0x80 ? concatBytes(Uint8Array.of(0), magnitude) : magnitude;
  return concatBytes(Uint8Array.of(0x02, value.length), value);
}

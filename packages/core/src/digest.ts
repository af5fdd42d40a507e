// SPDX-License-Identifier: Apache-2.0
/** SHA-256 digests and the in-toto DigestSet. */
import { sha256 } from '#platform';
import { encodeHex, type Bytes } from './bytes.ts';

export { sha256 };

/** in-toto DigestSet with the one algorithm we use; lower-case hexadecimal. */
export interface DigestSet {
  readonly sha256: string;
}

export function sha256Hex(data: Bytes): string {
  return encodeHex(sha256(data));
}

export function toDigestSet(data: Bytes): DigestSet {
  return { sha256: sha256Hex(data) };
}

// SPDX-License-Identifier: Apache-2.0
/** SHA-256 digests and the in-toto DigestSet. */
import { sha256, sha256Hex } from '#platform';
import type { Bytes } from './bytes.ts';

export { sha256, sha256Hex };

/** in-toto DigestSet with the one algorithm we use; lower-case hexadecimal. */
export interface DigestSet {
  readonly sha256: string;
}

export function toDigestSet(data: Bytes): DigestSet {
  return { sha256: sha256Hex(data) };
}

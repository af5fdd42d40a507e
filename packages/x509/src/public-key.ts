// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import { parsePublicKey, type PublicKey } from '@witnessmark/core';

/** The key a certificate is for. Throws `ERR_KEY_*` codes for one that is none of ours. */
export function publicKeyOf({ publicKey }: X509Certificate): PublicKey {
  return parsePublicKey(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
}

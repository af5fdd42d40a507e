// SPDX-License-Identifier: Apache-2.0
/**
 * The key other keys travel under, between two sites: a secret key that unwraps and does nothing else. It comes from
 * components and says so itself: not local, and never claimed to be. It lives in a token of its own, because a token that
 * signs refuses keys that no key policy names.
 */
import type { AttributeTemplate } from './attributes.ts';

export interface SecretKeyPolicy {
  readonly name: string;
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
  readonly algorithm: 'aes-256';
  readonly attributes: AttributeTemplate;
}

export const TRANSPORT_KEY: SecretKeyPolicy = {
  name: 'transport',
  label: 'transport',
  id: '20',
  algorithm: 'aes-256',
  attributes: {
    CKA_TOKEN: true,
    CKA_PRIVATE: true,
    CKA_MODIFIABLE: false,
    CKA_SENSITIVE: true,
    CKA_EXTRACTABLE: false,
    CKA_LOCAL: false,
    CKA_ALWAYS_SENSITIVE: false,
    CKA_NEVER_EXTRACTABLE: false,
    CKA_UNWRAP: true,
    CKA_WRAP: false,
    CKA_ENCRYPT: false,
    CKA_DECRYPT: false,
    CKA_SIGN: false,
    CKA_VERIFY: false,
    CKA_DERIVE: false,
  },
};

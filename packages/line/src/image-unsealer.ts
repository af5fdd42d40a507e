// SPDX-License-Identifier: Apache-2.0
import type { Bytes, PublicKey } from '@witnessmark/core';
import type { SealedImage } from '@witnessmark/attestation';

/** The key that release images are sealed to, as far as a line uses it. */
export interface ImageUnsealer {
  /** SHA-256 of its SubjectPublicKeyInfo, lower-case hexadecimal. */
  readonly keyid: string;
  /**
   * The content key of a sealed image, wrapped for `recipient`: a KeyAgreeRecipientInfo in DER. Throws BX-201 or BX-202
   * for the envelope, and what its key throws.
   */
  rewrap(sealed: SealedImage, recipient: PublicKey): Promise<Bytes>;
}

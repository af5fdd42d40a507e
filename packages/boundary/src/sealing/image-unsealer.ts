// SPDX-License-Identifier: Apache-2.0
/** The line's side of a sealed image: its content key, opened with the line's key and wrapped for a station. */
import type { SealedImage } from '@witnessmark/attestation';
import { RefusedError, sha256Hex, type Bytes, type PublicKey } from '@witnessmark/core';
import type { KeyAgreement } from '@witnessmark/custody';
import { findRecipient, rewrapContentKey } from './open.ts';
import { formatRecipient, parseSealedImage, type ContentKeyRecipient } from './sealed-image.ts';

/** Releases in use at one time; what is remembered of each is some hundred bytes, and no secret. */
const MAX_REMEMBERED = 64;

export interface ImageUnsealerOptions {
  /** The key images are sealed to. */
  readonly key: KeyAgreement;
  /** A target of the trust repository, verified. */
  readonly readTarget: (path: string) => Promise<Bytes>;
}

export class ImageUnsealer {
  readonly #key: KeyAgreement;
  readonly #readTarget: (path: string) => Promise<Bytes>;
  /** Wrapped content keys by the digest of their envelope. */
  readonly #wrapped = new Map<string, ContentKeyRecipient>();

  constructor({ key, readTarget }: ImageUnsealerOptions) {
    this.#key = key;
    this.#readTarget = readTarget;
  }

  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hexadecimal. */
  get keyid(): string {
    return this.#key.publicKey.keyid;
  }

  /**
   * The content key of a sealed image, wrapped for `recipient`: a KeyAgreeRecipientInfo in DER. The image is not decrypted.
   * Throws BX-201 for an envelope that is not the release's, BX-202 for one to other keys, and what the key throws.
   */
  async rewrap(sealed: SealedImage, recipient: PublicKey): Promise<Bytes> {
    const wrapped = this.#wrapped.get(sealed.sha256) ?? (await this.#read(sealed));
    return formatRecipient(await rewrapContentKey(wrapped, this.#key, recipient));
  }

  async #read({ targetPath, sha256 }: SealedImage): Promise<ContentKeyRecipient> {
    const envelope = await this.#readTarget(targetPath);
    if (sha256Hex(envelope) !== sha256) {
      throw new RefusedError('BX-201', `${targetPath} is not the envelope the release names`);
    }
    const recipient = findRecipient(parseSealedImage(envelope), this.keyid);
    const oldest = this.#wrapped.keys().next();
    if (this.#wrapped.size >= MAX_REMEMBERED && oldest.done !== true) this.#wrapped.delete(oldest.value);
    this.#wrapped.set(sha256, recipient);
    return recipient;
  }
}

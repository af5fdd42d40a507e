// SPDX-License-Identifier: Apache-2.0
/** Opening a sealed image, and handing its content key on. Nothing of an image is released before all of it authenticated. */
import { createDecipheriv } from 'node:crypto';
import { RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { generateSoftwareKeyAgreement, type KeyAgreement } from '@witnessmark/custody';
import { unwrapContentKey, wrapContentKey } from './content-key.ts';
import { parseSealedImage, type ContentKeyRecipient, type SealedImageEnvelope } from './sealed-image.ts';

/**
 * The image in an envelope, with a key it is sealed to. `recipient` is the content key when it came another way than in
 * the envelope. Whoever gets the image wipes it. Throws BX-201 for an envelope that is damaged, BX-202 for another key.
 */
export async function openSealedImage(
  bytes: Bytes,
  key: KeyAgreement,
  recipient: ContentKeyRecipient | null = null,
): Promise<Bytes> {
  const envelope = parseSealedImage(bytes);
  const { ephemeralKey, wrappedKey } = recipient ?? findRecipient(envelope, key.publicKey.keyid);
  return key.agree(ephemeralKey, (secret) => {
    const contentKey = unwrapContentKey(wrappedKey, secret);
    try {
      return decrypt(envelope, contentKey);
    } finally {
      contentKey.fill(0);
    }
  });
}

/** Wraps a content key for another key, without looking at the image. Throws BX-202 when it is not for `key`. */
export async function rewrapContentKey(
  { ephemeralKey, wrappedKey }: ContentKeyRecipient,
  key: KeyAgreement,
  newRecipient: PublicKey,
): Promise<ContentKeyRecipient> {
  const contentKey = await key.agree(ephemeralKey, (secret) => unwrapContentKey(wrappedKey, secret));
  try {
    const originator = generateSoftwareKeyAgreement();
    const rewrapped = await originator.agree(newRecipient, (secret) => wrapContentKey(contentKey, secret));
    return { keyid: newRecipient.keyid, ephemeralKey: originator.publicKey, wrappedKey: rewrapped };
  } finally {
    contentKey.fill(0);
  }
}

/** Throws BX-202 when the envelope is not sealed to this key. */
export function findRecipient(
  { recipients }: Pick<SealedImageEnvelope, 'recipients'>,
  keyid: string,
): ContentKeyRecipient {
  const recipient = recipients.find((candidate) => candidate.keyid === keyid);
  if (recipient === undefined) {
    throw new RefusedError('BX-202', `the image is sealed to other keys than ${keyid.slice(0, 8)}`);
  }
  return recipient;
}

function decrypt({ nonce, ciphertext, mac }: SealedImageEnvelope, contentKey: Bytes): Bytes {
  const decipher = createDecipheriv('aes-256-gcm', contentKey, nonce, { authTagLength: mac.length });
  decipher.setAuthTag(mac);
  const image = decipher.update(ciphertext);
  try {
    decipher.final();
    return image;
  } catch (cause) {
    image.fill(0);
    throw new RefusedError('BX-201', 'the sealed image does not authenticate', { cause });
  }
}

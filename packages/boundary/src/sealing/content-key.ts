// SPDX-License-Identifier: Apache-2.0
/**
 * Wrapping a content key for somebody's public key (RFC 5753 section 3.1): the shared secret goes through the X9.63 key
 * derivation function with SHA-256, the result wraps the content key (RFC 3394). Keys in between are wiped.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { concatBytes, RefusedError, type Bytes } from '@witnessmark/core';
import { context, encodeElement, OCTET_STRING, SEQUENCE } from './der.ts';
import { AES256_WRAP } from './sealed-image.ts';

export const CONTENT_KEY_BYTES = 32;

const WRAP_CIPHER = 'id-aes256-wrap';
/** RFC 3394 section 2.2.3.1. */
const INITIAL_VALUE = Buffer.alloc(8, 0xa6);
const COUNTER_1 = Uint8Array.of(0, 0, 0, 1);
/** ECC-CMS-SharedInfo (RFC 5753 section 7.2): for AES-256 key wrap, a key of 256 bits. */
const SHARED_INFO = encodeElement(
  SEQUENCE,
  AES256_WRAP,
  encodeElement(context(2), encodeElement(OCTET_STRING, Uint8Array.of(0, 0, 1, 0))),
);

export function wrapContentKey(contentKey: Bytes, sharedSecret: Bytes): Bytes {
  const key = deriveWrappingKey(sharedSecret);
  try {
    const cipher = createCipheriv(WRAP_CIPHER, key, INITIAL_VALUE);
    return Uint8Array.from(concatBytes(cipher.update(contentKey), cipher.final()));
  } finally {
    key.fill(0);
  }
}

/** Whoever gets it wipes it. Throws BX-202 when it was not wrapped with this secret. */
export function unwrapContentKey(wrappedKey: Bytes, sharedSecret: Bytes): Bytes {
  const key = deriveWrappingKey(sharedSecret);
  try {
    const decipher = createDecipheriv(WRAP_CIPHER, key, INITIAL_VALUE);
    const contentKey = decipher.update(wrappedKey);
    decipher.final();
    if (contentKey.length !== CONTENT_KEY_BYTES) throw new TypeError('a content key has 32 bytes');
    return contentKey;
  } catch (cause) {
    throw new RefusedError('BX-202', 'the content key does not unwrap with this key', { cause });
  } finally {
    key.fill(0);
  }
}

/** One block of the key derivation function is as long as the key. */
function deriveWrappingKey(sharedSecret: Bytes): Buffer {
  return createHash('sha256').update(sharedSecret).update(COUNTER_1).update(SHARED_INFO).digest();
}

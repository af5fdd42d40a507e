// SPDX-License-Identifier: Apache-2.0
/**
 * Sealing an image. Everything random about the envelope follows from a secret seed (HKDF, RFC 5869), so that approvers
 * who hold the image and the seed make the same bytes and compare digests. The image's digest is the salt: another image
 * under the same seed gets another key, so no nonce is ever used twice.
 */
import { createCipheriv, createECDH, hkdfSync } from 'node:crypto';
import { decodeHex, encodeUtf8, publicKeyFromP256, type Bytes, type PublicKey } from '@witnessmark/core';
import { CONTENT_KEY_BYTES, wrapContentKey } from './content-key.ts';
import { frameEnvelope, SEALING_LIMITS, type ContentKeyRecipient } from './sealed-image.ts';

export const SEED_BYTES = 32;

const NONCE_BYTES = 12;
const SCALAR_BYTES = 32;
/** 128 bits more than the scalar has: what is left of the bias is below 2^-128 (FIPS 186-5, A.2.1). */
const WIDE_SCALAR_BYTES = 48;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface ImageToSeal {
  readonly length: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  open(): Promise<Iterable<Bytes> | AsyncIterable<Bytes>>;
}

export interface SealedContent {
  readonly length: number;
  /** The envelope's bytes; may be called again, and gives the same ones. */
  open(): Promise<AsyncIterable<Bytes>>;
}

/** Throws `TypeError` for a seed, an image or recipients that cannot be sealed with. */
export function sealImage(image: ImageToSeal, recipients: readonly PublicKey[], seed: Bytes): SealedContent {
  if (seed.length !== SEED_BYTES) throw new TypeError(`a seed has ${SEED_BYTES} bytes`);
  if (recipients.length === 0 || recipients.length > SEALING_LIMITS.maxRecipients) {
    throw new TypeError(`an image is sealed to 1 to ${SEALING_LIMITS.maxRecipients} keys`);
  }
  if (recipients.some(({ scheme }) => scheme === 'ed25519')) throw new TypeError('images are sealed to keys on P-256');
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(
      hkdfSync('sha256', seed, decodeHex(image.sha256), encodeUtf8(`witnessmark sealed image v1 ${purpose}`), length),
    );
  const nonce = derive('nonce', NONCE_BYTES);
  const wrapped = withWiped(derive('content key', CONTENT_KEY_BYTES), (contentKey) =>
    recipients.map((recipient) =>
      wrapFor(recipient, contentKey, derive(`originator ${recipient.keyid}`, WIDE_SCALAR_BYTES)),
    ),
  );
  const frame = frameEnvelope(wrapped, nonce, image.length);
  return {
    length: frame.length,
    open: async () => {
      const contentKey = derive('content key', CONTENT_KEY_BYTES);
      const cipher = createCipheriv('aes-256-gcm', contentKey, nonce);
      contentKey.fill(0);
      return encrypt(await image.open());

      async function* encrypt(chunks: Iterable<Bytes> | AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
        yield frame.head;
        for await (const chunk of chunks) yield Uint8Array.from(cipher.update(chunk));
        cipher.final();
        yield frame.toTail(cipher.getAuthTag());
      }
    },
  };
}

function wrapFor(recipient: PublicKey, contentKey: Bytes, wideScalar: Buffer): ContentKeyRecipient {
  const originator = createECDH('prime256v1');
  withWiped(toScalar(wideScalar), (scalar) => {
    originator.setPrivateKey(scalar);
  });
  const ephemeralKey = publicKeyFromP256(Uint8Array.from(originator.getPublicKey()));
  const wrappedKey = withWiped(originator.computeSecret(recipient.point), (secret) =>
    wrapContentKey(contentKey, secret),
  );
  return { keyid: recipient.keyid, ephemeralKey, wrappedKey };
}

/** From 1 to the order minus 1. */
function toScalar(wide: Buffer): Buffer {
  const value = (BigInt(`0x${wide.toString('hex')}`) % (P256_ORDER - 1n)) + 1n;
  wide.fill(0);
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex');
}

function withWiped<T>(secret: Buffer, use: (secret: Buffer) => T): T {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
}

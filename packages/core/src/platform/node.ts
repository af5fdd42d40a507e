// SPDX-License-Identifier: Apache-2.0
/** The platform contract on Node's native code; the one file of the browser-safe packages that may import Node. */
import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';

const P256_SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const P256_POINT_BYTES = 65;
const UNCOMPRESSED_POINT = 0x04;
const ED25519_POINT_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
const SHA256_BYTES = 32;

/** Proofs consist of hashes in base64: 43 digits and one character of padding. */
const HASH_TEXT_LENGTH = 44;
const BASE64_VALUES = new Int8Array(0x80).fill(-1);
for (let value = 0; value < 64; value += 1) {
  BASE64_VALUES[
    Buffer.of(value << 2)
      .toString('base64')
      .charCodeAt(0)
  ] = value;
}

/** Key objects cost more to build than a signature to check, so each point's is kept as long as the point is. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

export function encodeUtf8(text: string): Uint8Array {
  return toPlain(Buffer.from(text, 'utf8'));
}

export function encodeBase64(bytes: Uint8Array): string {
  return toBuffer(bytes).toString('base64');
}

export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length === HASH_TEXT_LENGTH && text.indexOf('=') === HASH_TEXT_LENGTH - 1) return decodeHash(text);
  // Buffer skips what it does not know; encoding the result again tells whether there was anything to skip.
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? toPlain(bytes) : undefined;
}

/** Half the time that a Buffer takes to read 32 bytes and to write them again. */
function decodeHash(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(SHA256_BYTES);
  let faults = 0;
  let at = 0;
  for (let index = 0; index < HASH_TEXT_LENGTH; index += 4) {
    const isLast = index === HASH_TEXT_LENGTH - 4;
    const group =
      (valueAt(text, index) << 18) |
      (valueAt(text, index + 1) << 12) |
      (valueAt(text, index + 2) << 6) |
      (isLast ? 0 : valueAt(text, index + 3));
    faults |= isLast ? group | -(group & 0xff) : group;
    bytes[at] = group >> 16;
    bytes[at + 1] = group >> 8;
    if (!isLast) bytes[at + 2] = group;
    at += 3;
  }
  return faults < 0 ? undefined : bytes;
}

/** -1 for a character that stands for nothing; whatever it is combined with is negative. */
function valueAt(text: string, index: number): number {
  return BASE64_VALUES[text.charCodeAt(index)] ?? -1;
}

export function sha256(data: Uint8Array): Uint8Array {
  // A string and a loop take less than half the time of the Buffer that `hash` would allocate outside the heap.
  const binary = hash('sha256', data, 'binary');
  const digest = new Uint8Array(SHA256_BYTES);
  for (let index = 0; index < SHA256_BYTES; index += 1) digest[index] = binary.charCodeAt(index);
  return digest;
}

export function sha256Hex(data: Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** Small ones come out of Buffer's pool: one of its own, cleared, takes longer than hashing what gets written into it. */
export function allocate(length: number): Uint8Array {
  return toPlain(Buffer.allocUnsafe(length));
}

export function verifyP256(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isUncompressed(point)) return false;
  return verifyWith(P256_SPKI_PREFIX, 'sha256', point, message, signature);
}

export function verifyEd25519(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (point.length !== ED25519_POINT_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false;
  return verifyWith(ED25519_SPKI_PREFIX, null, point, message, signature);
}

export function isP256Point(point: Uint8Array): boolean {
  if (!isUncompressed(point)) return false;
  try {
    keyObject(P256_SPKI_PREFIX, point);
    return true;
  } catch {
    return false;
  }
}

/** OpenSSL would also take the hybrid encodings 0x06 and 0x07. */
function isUncompressed(point: Uint8Array): boolean {
  return point.length === P256_POINT_BYTES && point[0] === UNCOMPRESSED_POINT;
}

function verifyWith(
  prefix: Uint8Array,
  digest: 'sha256' | null,
  point: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(digest, message, keyObject(prefix, point), signature);
  } catch {
    return false;
  }
}

function keyObject(prefix: Uint8Array, point: Uint8Array): KeyObject {
  let key = keyObjects.get(point);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([prefix, point]), format: 'der', type: 'spki' });
    keyObjects.set(point, key);
  }
  return key;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A Buffer's `slice`, `toString` and `toJSON` are not those of a Uint8Array; no Buffer leaves this file. */
function toPlain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

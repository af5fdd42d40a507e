// SPDX-License-Identifier: Apache-2.0
/**
 * Public keys as SubjectPublicKeyInfo (RFC 5480, RFC 8410), vetted when they are read: one encoding per key, on the
 * curve, not of low order. `node:crypto` accepts low-order and non-canonical Ed25519 keys, so this is where they stop.
 */
import { isP256Point, verifyEd25519, verifyP256 } from '#platform';
import { concatBytes, decodeBase64, decodeHex, encodeHex, equalBytes, type Bytes } from './bytes.ts';
import { sha256Hex } from './digest.ts';
import { CoreError } from './error.ts';

/** TUF's names (TUF 1.0.34, section 4.2); P-256 signatures are DER, Ed25519 signatures 64 raw bytes. */
export type SignatureScheme = 'ecdsa-sha2-nistp256' | 'ed25519';

export interface PublicKey {
  readonly scheme: SignatureScheme;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Bytes;
  /** 65-byte uncompressed P-256 point, or 32-byte Ed25519 point. */
  readonly point: Bytes;
  /** SHA-256 of `spki`, lower-case hexadecimal. */
  readonly keyid: string;
}

const P256_PREFIX = decodeHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const ED25519_PREFIX = decodeHex('302a300506032b6570032100');
const MAX_PEM_LENGTH = 1_024;
const PEM_BLOCK = /^-----BEGIN PUBLIC KEY-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END PUBLIC KEY-----(?:\r?\n)?$/;
const ED25519_PRIME = 2n ** 255n - 19n;
const ED25519_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** y-coordinates of the eight points whose order divides the cofactor 8 (RFC 8032 section 5.1). */
const ED25519_Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const ED25519_LOW_ORDER_Y = new Set([
  0n,
  1n,
  ED25519_PRIME - 1n,
  ED25519_Y_OF_ORDER_8,
  ED25519_PRIME - ED25519_Y_OF_ORDER_8,
]);

/** Reads and vets a SubjectPublicKeyInfo. Throws `ERR_KEY_ENCODING`, `ERR_KEY_NOT_ON_CURVE` or `ERR_KEY_LOW_ORDER`. */
export function parsePublicKey(spki: Bytes): PublicKey {
  const own = Uint8Array.from(spki);
  if (startsWith(own, P256_PREFIX) && own.length === P256_PREFIX.length + 65) return p256Key(own);
  if (startsWith(own, ED25519_PREFIX) && own.length === ED25519_PREFIX.length + 32) return ed25519Key(own);
  throw new CoreError('ERR_KEY_ENCODING', 'the key is not an uncompressed P-256 or an Ed25519 SubjectPublicKeyInfo');
}

/** Reads one PEM block `PUBLIC KEY` (RFC 7468); throws as {@link parsePublicKey} does. */
export function parsePublicKeyPem(pem: string): PublicKey {
  const match = pem.length > MAX_PEM_LENGTH ? null : PEM_BLOCK.exec(pem);
  if (match === null) throw new CoreError('ERR_KEY_ENCODING', 'the text is not one PEM block PUBLIC KEY');
  return parsePublicKey(decodePemBody((match[1] as string).replaceAll(/\r?\n/g, '')));
}

/** Reads a 65-byte uncompressed point; throws as {@link parsePublicKey} does. */
export function publicKeyFromP256(point: Bytes): PublicKey {
  return parsePublicKey(concatBytes(P256_PREFIX, point));
}

/** Throws as {@link parsePublicKey} does. */
export function publicKeyFromEd25519(point: Bytes): PublicKey {
  return parsePublicKey(concatBytes(ED25519_PREFIX, point));
}

/** Whether `signature` over `message` was made by `key`. Never throws. */
export function isSignedBy(key: PublicKey, message: Bytes, signature: Bytes): boolean {
  return key.scheme === 'ed25519'
    ? verifyEd25519(key.point, message, signature)
    : verifyP256(key.point, message, signature);
}

function decodePemBody(text: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new CoreError('ERR_KEY_ENCODING', 'the PEM block does not hold base64', { cause });
  }
}

function p256Key(spki: Bytes): PublicKey {
  const point = spki.slice(P256_PREFIX.length);
  if (point[0] !== 0x04) throw new CoreError('ERR_KEY_ENCODING', 'the P-256 point is not uncompressed');
  if (!isP256Point(point)) throw new CoreError('ERR_KEY_NOT_ON_CURVE', 'the point is not on P-256');
  return { scheme: 'ecdsa-sha2-nistp256', spki, point, keyid: sha256Hex(spki) };
}

function ed25519Key(spki: Bytes): PublicKey {
  const point = spki.slice(ED25519_PREFIX.length);
  const y = littleEndian(point) & (2n ** 255n - 1n);
  if (y >= ED25519_PRIME) throw new CoreError('ERR_KEY_ENCODING', 'the Ed25519 point is not canonical');
  if (ED25519_LOW_ORDER_Y.has(y)) throw new CoreError('ERR_KEY_LOW_ORDER', 'the Ed25519 point has low order');
  if (!isEd25519Point(y)) throw new CoreError('ERR_KEY_NOT_ON_CURVE', 'the point is not on edwards25519');
  return { scheme: 'ed25519', spki, point, keyid: sha256Hex(spki) };
}

/** x^2 = (y^2 - 1) / (d y^2 + 1) must be a square (RFC 8032 section 5.1.3). */
function isEd25519Point(y: bigint): boolean {
  const p = ED25519_PRIME;
  const numerator = (y * y - 1n + p) % p;
  const denominator = (ED25519_D * y * y + 1n) % p;
  return modPow((numerator * denominator) % p, (p - 1n) / 2n, p) === 1n;
}

function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function littleEndian(bytes: Bytes): bigint {
  return BigInt(`0x${encodeHex(bytes.toReversed())}`);
}

function startsWith(bytes: Bytes, prefix: Bytes): boolean {
  return equalBytes(bytes.subarray(0, prefix.length), prefix);
}

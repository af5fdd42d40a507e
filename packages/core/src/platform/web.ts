// SPDX-License-Identifier: Apache-2.0
/** The platform contract in audited JavaScript, for browsers and as a second opinion in tests. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js';

const Ed25519Point = ed25519.Point;
const ED25519_POINT_BYTES = 32;
const P256_POINT_BYTES = 65;
const UNCOMPRESSED_POINT = 0x04;

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_CODES = BASE64_ALPHABET.split('').map((character) => character.charCodeAt(0));
const BASE64_VALUES = new Int8Array(128).fill(-1);
for (const [value, code] of BASE64_CODES.entries()) BASE64_VALUES[code] = value;
const PADDING_CODE = 0x3d;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function encodeBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING_CODE);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    out[at] = BASE64_CODES[group >> 18] as number;
    out[at + 1] = BASE64_CODES[(group >> 12) & 63] as number;
    if (left > 1) out[at + 2] = BASE64_CODES[(group >> 6) & 63] as number;
    if (left > 2) out[at + 3] = BASE64_CODES[group & 63] as number;
    at += 4;
  }
  return decoder.decode(out);
}

export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < digits; index += 1) {
    const value = BASE64_VALUES[text.charCodeAt(index)] ?? -1;
    if (value < 0) return undefined;
    buffer = ((buffer << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (buffer >> bits) & 0xff;
      at += 1;
    }
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

export function sha256Hex(data: Uint8Array): string {
  let text = '';
  for (const byte of nobleSha256(data)) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function allocate(length: number): Uint8Array {
  return new Uint8Array(length);
}

export function verifyP256(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isUncompressed(point)) return false;
  try {
    return p256.verify(signature, message, point, { format: 'der', lowS: false, prehash: true });
  } catch {
    return false;
  }
}

/**
 * noble's own `verify` checks the cofactored equation, which accepts signatures the cofactorless one of OpenSSL and Go
 * refuses. A verdict must not depend on where it is computed, so this is RFC 8032's on noble's arithmetic.
 */
export function verifyEd25519(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (point.length !== ED25519_POINT_BYTES || signature.length !== 2 * ED25519_POINT_BYTES) return false;
  const r = signature.subarray(0, ED25519_POINT_BYTES);
  const s = littleEndian(signature.subarray(ED25519_POINT_BYTES));
  if (s >= Ed25519Point.Fn.ORDER) return false;
  try {
    const a = Ed25519Point.fromBytes(point);
    const k = littleEndian(sha512.create().update(r).update(point).update(message).digest()) % Ed25519Point.Fn.ORDER;
    const expected = Ed25519Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes();
    return expected.every((byte, index) => byte === r[index]);
  } catch {
    return false;
  }
}

export function isP256Point(point: Uint8Array): boolean {
  if (!isUncompressed(point)) return false;
  try {
    p256.Point.fromBytes(point).assertValidity();
    return true;
  } catch {
    return false;
  }
}

function isUncompressed(point: Uint8Array): boolean {
  return point.length === P256_POINT_BYTES && point[0] === UNCOMPRESSED_POINT;
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[index] as number);
  return value;
}

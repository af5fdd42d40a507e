// SPDX-License-Identifier: Apache-2.0
/** Private keys in DER, anywhere in a file. Each is recognised by its structure around an anchor, not by a file name. */
import type { Bytes } from '@witnessmark/core';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;

/** Algorithms of the keys in PKCS#8 (RFC 5958), as encoded object identifiers with tag and length. */
const KEY_ALGORITHMS: readonly Bytes[] = [
  '06092a864886f70d010101', // rsaEncryption
  '06092a864886f70d01010a', // RSASSA-PSS
  '06072a8648ce3d0201', // ecPublicKey
  '06032b6570', // Ed25519
  '06032b6571', // Ed448
  '06032b656e', // X25519
  '06032b656f', // X448
  '0609608648016503040311', // ML-DSA-44
  '0609608648016503040312', // ML-DSA-65
  '0609608648016503040313', // ML-DSA-87
].map(fromHex);
/** PBES2 (RFC 8018), which encrypts PKCS#8. */
const PBES2 = fromHex('06092a864886f70d01050d');
const PKCS7_DATA = fromHex('06092a864886f70d010701');
const SEC1_START = fromHex('02010104');
const SEC1_KEY_BYTES = new Set([28, 32, 48, 66]);
const PKCS1_START = fromHex('02010002');
const PUBLIC_EXPONENT = fromHex('0203010001');
const ENVELOPED_DATA = fromHex('06092a864886f70d010703');
const AUTH_ENVELOPED_DATA = fromHex('060b2a864886f70d0109100117');
const MIN_RSA_MODULUS_BYTES = 64;

interface Value {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** What kind of private key is in the bytes; null when none is found. */
export function findDerPrivateKey(bytes: Bytes): string | null {
  if (KEY_ALGORITHMS.some((anchor) => anyAt(bytes, anchor, (at) => isPkcs8(bytes, at, anchor.length)))) return 'PKCS#8';
  if (anyAt(bytes, PBES2, (at) => isEncryptedPkcs8(bytes, at))) return 'encrypted PKCS#8';
  if (anyAt(bytes, PKCS7_DATA, (at) => isPkcs12(bytes, at))) return 'PKCS#12';
  if (anyAt(bytes, SEC1_START, (at) => isSec1(bytes, at))) return 'SEC 1';
  if (anyAt(bytes, PKCS1_START, (at) => isPkcs1(bytes, at))) return 'PKCS#1';
  return null;
}

/** `SEQUENCE { INTEGER 0 or 1, SEQUENCE { algorithm … }, OCTET STRING }`. */
function isPkcs8(bytes: Bytes, at: number, length: number): boolean {
  const algorithm = headerBefore(bytes, at);
  if (algorithm === null || algorithm.end < at + length) return false;
  const version = algorithm.start - 3;
  const isVersion = bytes[version] === INTEGER && bytes[version + 1] === 1 && (bytes[version + 2] ?? 2) <= 1;
  const key = readValue(bytes, algorithm.end);
  return isVersion && headerBefore(bytes, version) !== null && key?.tag === OCTET_STRING && key.end > key.start;
}

/** `SEQUENCE { SEQUENCE { PBES2, … }, OCTET STRING }`. */
function isEncryptedPkcs8(bytes: Bytes, at: number): boolean {
  const algorithm = headerBefore(bytes, at);
  if (algorithm === null || headerBefore(bytes, algorithm.start) === null) return false;
  return readValue(bytes, algorithm.end)?.tag === OCTET_STRING;
}

/** `SEQUENCE { INTEGER 3, SEQUENCE { data, … } }` (RFC 7292). */
function isPkcs12(bytes: Bytes, at: number): boolean {
  for (const header of [2, 3, 4, 5]) {
    const start = at - header;
    if (bytes[start] !== SEQUENCE) continue;
    if (bytes[start - 3] === INTEGER && bytes[start - 2] === 1 && bytes[start - 1] === 3) return true;
  }
  return false;
}

/** `SEQUENCE { INTEGER 1, OCTET STRING, … }` (RFC 5915), the octets as long as a field element. */
function isSec1(bytes: Bytes, at: number): boolean {
  const length = bytes[at + SEC1_START.length] ?? 0;
  const outer = headerBefore(bytes, at);
  return SEC1_KEY_BYTES.has(length) && outer !== null && outer.end >= at + SEC1_START.length + 1 + length;
}

/** `SEQUENCE { INTEGER 0, INTEGER n, INTEGER 65537, INTEGER d, … }` (RFC 8017). */
function isPkcs1(bytes: Bytes, at: number): boolean {
  const modulus = readValue(bytes, at + 3);
  if (headerBefore(bytes, at) === null || modulus === null) return false;
  if (modulus.end - modulus.start < MIN_RSA_MODULUS_BYTES || !startsAt(bytes, PUBLIC_EXPONENT, modulus.end))
    return false;
  return readValue(bytes, modulus.end + PUBLIC_EXPONENT.length)?.tag === INTEGER;
}

/** The SEQUENCE whose content begins at `at`; `start` is where its tag is. */
function headerBefore(bytes: Bytes, at: number): Value | null {
  for (const header of [2, 3, 4, 5]) {
    const value = bytes[at - header] === SEQUENCE ? readValue(bytes, at - header) : null;
    if (value?.start === at) return { ...value, start: at - header };
  }
  return null;
}

/** A value with a definite length of at most three bytes; it may reach beyond what is there. */
function readValue(bytes: Bytes, at: number): Value | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return { tag, start: at + 2, end: at + 2 + first };
  const count = first - 0x80;
  if (count < 1 || count > 3) return null;
  let length = 0;
  for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  return { tag, start: at + 2 + count, end: at + 2 + count + length };
}

/** Whether the bytes are CMS EnvelopedData or AuthEnvelopedData (RFC 5652, RFC 5083), which is what a sealed file is. */
export function isEnvelopedData(bytes: Bytes): boolean {
  const outer = readValue(bytes, 0);
  if (outer?.tag !== SEQUENCE || outer.end !== bytes.length || bytes[outer.start] !== OBJECT_IDENTIFIER) return false;
  return [ENVELOPED_DATA, AUTH_ENVELOPED_DATA].some((oid) => startsAt(bytes, oid, outer.start));
}

function anyAt(bytes: Bytes, anchor: Bytes, isMatch: (at: number) => boolean): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = buffer.indexOf(anchor); at >= 0; at = buffer.indexOf(anchor, at + 1)) if (isMatch(at)) return true;
  return false;
}

function startsAt(bytes: Bytes, part: Bytes, at: number): boolean {
  return part.every((byte, index) => bytes[at + index] === byte);
}

function fromHex(hex: string): Bytes {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

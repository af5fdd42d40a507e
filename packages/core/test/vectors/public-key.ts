// SPDX-License-Identifier: Apache-2.0
import { p256 } from '@noble/curves/nist.js';
import {
  concatBytes,
  decodeHex,
  encodeBase64,
  formatNoteVerifierKey,
  sha256,
  encodeUtf8,
  toNoteVerifierKey,
} from '@witnessmark/core';
import { caseMaker, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { fixedEd25519, fixedP256 } from '../fixed-keys.ts';

const der = caseMaker('input.der');
const pem = caseMaker('input.pem');
const vkey = caseMaker('input.vkey');

const P256_PREFIX = decodeHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const ED25519_PREFIX = decodeHex('302a300506032b6570032100');
const { spki: p256Spki, point: p256Point } = fixedP256('vectors/public-key').publicKey;
const ed25519Key = fixedEd25519('vectors/public-key').publicKey;
const { spki: ed25519Spki, point: ed25519Point } = ed25519Key;

const x = p256Point.slice(1, 33);
const y = p256Point.slice(33);
const p256Coordinates = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  concatBytes(P256_PREFIX, Uint8Array.of(4), left, right);
const ed25519 = (hex: string): Uint8Array => concatBytes(ED25519_PREFIX, decodeHex(hex));

const body = encodeBase64(p256Spki);
const block = `-----BEGIN PUBLIC KEY-----\n${body.slice(0, 64)}\n${body.slice(64)}\n-----END PUBLIC KEY-----\n`;

const NAME = 'log.example/line-1';
const verifierKey = formatNoteVerifierKey(toNoteVerifierKey(NAME, ed25519Key));

/** A verifier key whose id belongs to its name and bytes, whatever the bytes are. */
function verifierKeyOf(typedKey: Uint8Array, name = NAME): string {
  const id = sha256(concatBytes(encodeUtf8(`${name}\n`), typedKey)).slice(0, 4);
  return `${name}+${Buffer.from(id).toString('hex')}+${encodeBase64(typedKey)}`;
}

export const PUBLIC_KEY_VECTORS: VectorFormat = {
  format: 'public-key',
  given: {},
  cases: [
    der.accepted('p256', 'An uncompressed P-256 key.', p256Spki),
    der.accepted('ed25519', 'An Ed25519 key.', ed25519Spki),
    pem.accepted('pem', 'The P-256 key as one PEM block.', block),
    vkey.accepted('verifier-key', 'An Ed25519 key as C2SP verifier key.', verifierKey),
    vkey.accepted(
      'witness-key',
      'An Ed25519 key as C2SP verifier key of a witness (type 4).',
      verifierKeyOf(concatBytes(Uint8Array.of(4), ed25519Point)),
    ),
    der.refused(
      'p256-compressed',
      'ERR_KEY_ENCODING',
      'The same key in its other encoding: one key, one text.',
      concatBytes(
        decodeHex('3039301306072a8648ce3d020106082a8648ce3d030107032200'),
        p256.Point.fromBytes(p256Point).toBytes(true),
      ),
    ),
    der.refused(
      'p256-hybrid',
      'ERR_KEY_ENCODING',
      'The hybrid encoding, which OpenSSL reads.',
      concatBytes(P256_PREFIX, Uint8Array.of(6 + (p256Point[64]! & 1)), x, y),
    ),
    der.refused(
      'p256-off-curve',
      'ERR_KEY_NOT_ON_CURVE',
      'x and y exchanged: not on the curve.',
      p256Coordinates(y, x),
    ),
    der.refused(
      'p256-zero',
      'ERR_KEY_NOT_ON_CURVE',
      'Both coordinates are zero.',
      p256Coordinates(new Uint8Array(32), new Uint8Array(32)),
    ),
    der.refused(
      'p256-coordinate-not-reduced',
      'ERR_KEY_NOT_ON_CURVE',
      'x = p.',
      p256Coordinates(decodeHex(p256.Point.Fp.ORDER.toString(16)), y),
    ),
    der.refused('byte-after', 'ERR_KEY_ENCODING', 'A byte after the key.', concatBytes(p256Spki, Uint8Array.of(0))),
    der.refused('truncated', 'ERR_KEY_ENCODING', 'The last byte is missing.', p256Spki.slice(0, -1)),
    der.refused(
      'long-form-length',
      'ERR_KEY_ENCODING',
      'BER that is not DER.',
      concatBytes(Uint8Array.of(0x30, 0x81), p256Spki.slice(1)),
    ),
    der.refused(
      'unused-bits',
      'ERR_KEY_ENCODING',
      'The bit string has an unused bit.',
      p256Spki.with(P256_PREFIX.length - 1, 1),
    ),
    der.refused(
      'secp256k1',
      'ERR_KEY_ENCODING',
      'Another curve.',
      concatBytes(decodeHex('3056301006072a8648ce3d020106052b8104000a034200'), p256Point),
    ),
    der.refused(
      'x25519',
      'ERR_KEY_ENCODING',
      'A key that cannot sign.',
      concatBytes(decodeHex('302a300506032b656e032100'), ed25519Point),
    ),
    der.refused(
      'ed25519-identity',
      'ERR_KEY_LOW_ORDER',
      'The neutral element: it verifies forged signatures over any message.',
      ed25519(`01${'00'.repeat(31)}`),
    ),
    der.refused('ed25519-order-2', 'ERR_KEY_LOW_ORDER', 'The point of order 2.', ed25519(`ec${'ff'.repeat(30)}7f`)),
    der.refused('ed25519-order-4', 'ERR_KEY_LOW_ORDER', 'A point of order 4.', ed25519('00'.repeat(32))),
    der.refused(
      'ed25519-order-8',
      'ERR_KEY_LOW_ORDER',
      'A point of order 8.',
      ed25519('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    ),
    der.refused(
      'ed25519-not-canonical',
      'ERR_KEY_ENCODING',
      'y = p + 3, a second encoding of y = 3.',
      ed25519(`f0${'ff'.repeat(30)}7f`),
    ),
    der.refused('ed25519-off-curve', 'ERR_KEY_NOT_ON_CURVE', 'No x belongs to y = 2.', ed25519(`02${'00'.repeat(31)}`)),
    pem.refused(
      'pem-private-label',
      'ERR_KEY_ENCODING',
      'The label of another kind of key.',
      block.replaceAll('PUBLIC', 'PRIVATE'),
    ),
    pem.refused('pem-two-blocks', 'ERR_KEY_ENCODING', 'Two keys in one file.', block + block),
    pem.refused('pem-text-before', 'ERR_KEY_ENCODING', 'Text before the block.', `the key:\n${block}`),
    vkey.refused(
      'verifier-key-other-id',
      'ERR_NOTE_VERIFIER_KEY',
      'The key id does not belong to the key.',
      verifierKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    ),
    vkey.refused(
      'verifier-key-renamed',
      'ERR_NOTE_VERIFIER_KEY',
      'The key id does not belong to the name.',
      verifierKey.replace('line-1', 'line-2'),
    ),
    vkey.refused(
      'verifier-key-space-in-name',
      'ERR_NOTE_VERIFIER_KEY',
      'A space in the name.',
      verifierKeyOf(concatBytes(Uint8Array.of(1), ed25519Point), 'log example'),
    ),
    vkey.refused(
      'verifier-key-unknown-type',
      'ERR_NOTE_VERIFIER_KEY',
      'A signature type nobody here verifies.',
      verifierKeyOf(concatBytes(Uint8Array.of(2), ed25519Point)),
    ),
    vkey.refused(
      'verifier-key-short',
      'ERR_NOTE_VERIFIER_KEY',
      'A key of 31 bytes.',
      verifierKeyOf(concatBytes(Uint8Array.of(1), ed25519Point.slice(1))),
    ),
    vkey.refused(
      'verifier-key-low-order',
      'ERR_KEY_LOW_ORDER',
      'The neutral element as key of a log.',
      verifierKeyOf(concatBytes(Uint8Array.of(1, 1), new Uint8Array(31))),
    ),
  ],
};

// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  decodeHex,
  encodeUtf8,
  isSignedBy,
  parsePublicKey,
  parsePublicKeyPem,
  publicKeyFromEd25519,
  sha256Hex,
} from '@witnessmark/core';
import { codeOf, expectCode } from './expect-code.ts';
import { fixedEd25519, fixedP256 } from './fixed-keys.ts';

const P256_PREFIX = decodeHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const ED25519_PREFIX = decodeHex('302a300506032b6570032100');
const ED25519_PRIME = ed25519.Point.Fp.ORDER;
const station = fixedP256('station').publicKey;
const log = fixedEd25519('log').publicKey;

function ed25519Spki(y: bigint, sign = false): Uint8Array {
  const point = decodeHex(y.toString(16).padStart(64, '0')).toReversed();
  if (sign) point[31]! |= 0x80;
  return concatBytes(ED25519_PREFIX, point);
}

describe('parsePublicKey', () => {
  it('reads what OpenSSL writes, and names the key by its SPKI', () => {
    for (const pair of [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ed25519')]) {
      const spki = Uint8Array.from(pair.publicKey.export({ type: 'spki', format: 'der' }));
      const key = parsePublicKey(spki);
      expect(key.scheme).toBe(pair.publicKey.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'ecdsa-sha2-nistp256');
      expect(key.keyid).toBe(sha256Hex(spki));
      expect(concatBytes(spki.slice(0, -key.point.length), key.point)).toEqual(spki);
      expect(parsePublicKeyPem(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString())).toEqual(key);
    }
  });

  it('keeps its own copy of the bytes', () => {
    const spki = Uint8Array.from(station.spki);
    const key = parsePublicKey(spki);
    spki.fill(0);
    expect(key).toEqual(station);
  });

  it('verifies with the key it read, and with no other', () => {
    const message = encodeUtf8('m');
    expect(isSignedBy(station, message, fixedP256('station').sign(message))).toBe(true);
    expect(isSignedBy(log, message, fixedEd25519('log').sign(message))).toBe(true);
    expect(isSignedBy(station, message, fixedEd25519('log').sign(message))).toBe(false);
    expect(isSignedBy(log, message, fixedP256('station').sign(message))).toBe(false);
  });

  const compressed = p256.Point.fromBytes(station.point).toBytes(true);
  it.each([
    ['nothing', new Uint8Array(0)],
    ['a prefix without a point', P256_PREFIX],
    ['one byte less', station.spki.slice(0, -1)],
    ['one byte more', concatBytes(station.spki, Uint8Array.of(0))],
    ['an Ed25519 key with a byte more', concatBytes(log.spki, Uint8Array.of(0))],
    ['an Ed25519 key with a byte less', log.spki.slice(0, -1)],
    ['a P-256 prefix before an Ed25519 point', concatBytes(P256_PREFIX, log.point)],
    ['an Ed25519 prefix before a P-256 point', concatBytes(ED25519_PREFIX, station.point)],
    ['a compressed point', concatBytes(decodeHex('3039301306072a8648ce3d020106082a8648ce3d030107032200'), compressed)],
    ['a hybrid point', concatBytes(P256_PREFIX, Uint8Array.of(6 + (station.point[64]! & 1)), station.point.slice(1))],
    ['a bare point', station.point],
    ['unused bits in the bit string', concatBytes(P256_PREFIX.slice(0, -1), Uint8Array.of(1), station.point)],
    ['an indefinite length', concatBytes(Uint8Array.of(0x30, 0x80), station.spki.slice(2), Uint8Array.of(0, 0))],
    ['a long-form length', concatBytes(Uint8Array.of(0x30, 0x81), station.spki.slice(1))],
    ['secp256k1', concatBytes(decodeHex('3056301006072a8648ce3d020106052b8104000a034200'), station.point)],
    ['X25519', concatBytes(decodeHex('302a300506032b656e032100'), log.point)],
    [
      'RSA',
      Uint8Array.from(
        generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' }),
      ),
    ],
  ])('refuses %s', (_what, spki) => {
    expectCode('ERR_KEY_ENCODING', () => parsePublicKey(spki));
  });

  it.each([
    ['all zeros', new Uint8Array(64)],
    ['x and y swapped', concatBytes(station.point.slice(33), station.point.slice(1, 33))],
    ['a coordinate of p', concatBytes(decodeHex(p256.Point.Fp.ORDER.toString(16)), station.point.slice(33))],
    ['coordinates above p', new Uint8Array(64).fill(0xff)],
  ])('refuses a P-256 point with %s', (_what, coordinates) => {
    expectCode('ERR_KEY_NOT_ON_CURVE', () => parsePublicKey(concatBytes(P256_PREFIX, Uint8Array.of(4), coordinates)));
  });

  it('refuses each of the eight Ed25519 points of low order, with either sign', () => {
    const lowOrder = new Set<string>();
    const generator = ed25519.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    let point = generator;
    for (let times = 1; times <= 8; times += 1) {
      lowOrder.add(point.toHex());
      point = point.add(generator);
    }
    expect(lowOrder.size).toBe(8);
    for (const hex of lowOrder) {
      expectCode('ERR_KEY_LOW_ORDER', () => publicKeyFromEd25519(decodeHex(hex)));
      const flipped = decodeHex(hex);
      flipped[31]! ^= 0x80;
      expectCode('ERR_KEY_LOW_ORDER', () => publicKeyFromEd25519(flipped));
    }
  });

  it('refuses each of the 19 Ed25519 encodings that are not canonical, with either sign', () => {
    for (let y = ED25519_PRIME; y < 2n ** 255n; y += 1n) {
      for (const sign of [false, true]) expectCode('ERR_KEY_ENCODING', () => parsePublicKey(ed25519Spki(y, sign)));
    }
  });

  it('tells Ed25519 points from other encodings as noble does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (point) => {
        const code = codeOf(() => publicKeyFromEd25519(point));
        let decodes = true;
        try {
          ed25519.Point.fromBytes(point, false);
        } catch {
          decodes = false;
        }
        expect(code === undefined).toBe(decodes);
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 31, 33])('refuses an Ed25519 point of %i bytes', (length) => {
    expectCode('ERR_KEY_ENCODING', () => publicKeyFromEd25519(new Uint8Array(length).fill(3)));
  });
});

describe('parsePublicKeyPem', () => {
  const body = Buffer.from(station.spki).toString('base64');
  const pem = `-----BEGIN PUBLIC KEY-----\n${body.slice(0, 64)}\n${body.slice(64)}\n-----END PUBLIC KEY-----\n`;

  it('reads LF and CRLF, with or without a last line end', () => {
    for (const text of [pem, pem.trimEnd(), pem.replaceAll('\n', '\r\n')])
      expect(parsePublicKeyPem(text)).toEqual(station);
  });

  it.each([
    ['nothing', ''],
    ['a private key', pem.replaceAll('PUBLIC', 'PRIVATE')],
    ['text before', `x\n${pem}`],
    ['text after', `${pem}x`],
    ['two blocks', pem + pem],
    ['headers', pem.replace('-----\n', '-----\nProc-Type: 4\n\n')],
    ['a missing character', pem.replace(body.slice(0, 64), body.slice(1, 64))],
    ['spaces', pem.replace(body.slice(0, 4), `${body.slice(0, 2)} ${body.slice(2, 4)}`)],
    ['another key type', pem.replace(body.slice(0, 8), 'AAAAAAAA')],
    ['too many characters', `${pem}${'\n'.repeat(2_000)}`],
  ])('refuses %s', (_what, text) => {
    expectCode('ERR_KEY_ENCODING', () => parsePublicKeyPem(text));
  });
});

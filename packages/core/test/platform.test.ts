// SPDX-License-Identifier: Apache-2.0
/** One contract, two platforms: whatever Node says, a browser must say. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, decodeHex } from '../src/bytes.ts';
import * as node from '../src/platform/node.ts';
import * as web from '../src/platform/web.ts';
import { fixedEd25519, fixedP256 } from './fixed-keys.ts';

const PLATFORMS = [
  ['node', node],
  ['web', web],
] as const;

const message = new TextEncoder().encode('which bytes, approved by whom');
const P256_ORDER = p256.Point.Fn.ORDER;
const P256_PRIME = p256.Point.Fp.ORDER;
const ED25519_ORDER = ed25519.Point.Fn.ORDER;

describe.each(PLATFORMS)('platform %s', (_name, platform) => {
  describe('text encodings', () => {
    it('encodes UTF-8 as the Encoding standard does, lone surrogates included', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          expect([...platform.encodeUtf8(text)]).toEqual([...new TextEncoder().encode(text)]);
        }),
      );
      expect([...platform.encodeUtf8('\ud800x')]).toEqual([0xef, 0xbf, 0xbd, 0x78]);
    });

    it('encodes base64 as RFC 4648 section 10 does and reads it back', () => {
      const pairs = {
        '': '',
        f: 'Zg==',
        fo: 'Zm8=',
        foo: 'Zm9v',
        foob: 'Zm9vYg==',
        fooba: 'Zm9vYmE=',
        foobar: 'Zm9vYmFy',
      };
      for (const [plain, encoded] of Object.entries(pairs)) {
        expect(platform.encodeBase64(platform.encodeUtf8(plain))).toBe(encoded);
        expect([...platform.decodeBase64(encoded)!]).toEqual([...platform.encodeUtf8(plain)]);
      }
    });

    it('round-trips every byte string through base64', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          expect([...platform.decodeBase64(platform.encodeBase64(bytes))!]).toEqual([...bytes]);
        }),
      );
    });

    it('reads a view, not the buffer behind it', () => {
      const view = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4);
      expect(platform.encodeBase64(view)).toBe('AQID');
      expect([...platform.sha256(view)]).toEqual([...platform.sha256(Uint8Array.of(1, 2, 3))]);
    });

    it.each([
      'Zg=',
      'Zg',
      'Z',
      'Zg==Zg==',
      'Zh==',
      'Zm9=',
      '=',
      '====',
      'Z===',
      'Zm 9v',
      'Zm9v\n',
      ' Zm9v',
      'Zm-_',
      'Zm9v====',
      'Zm9v=',
      'Zmé=',
      'Zm9\u0000',
      'ＡＡＡＡ',
      '\ud800AAA',
    ])('does not read %j as base64', (text) => {
      expect(platform.decodeBase64(text)).toBeUndefined();
    });

    it('reads a text exactly when it is the one encoding of its bytes', () => {
      fc.assert(
        fc.property(
          fc.string({ unit: fc.constantFrom('A', 'B', 'z', '9', '+', '/', '=', '-', ' ', '\n', 'é'), maxLength: 12 }),
          (text) => {
            const bytes = platform.decodeBase64(text);
            if (bytes !== undefined) expect(platform.encodeBase64(bytes)).toBe(text);
            expect(bytes === undefined).toBe(node.decodeBase64(text) === undefined);
          },
        ),
        { numRuns: 500 },
      );
    });

    it('reads a hash exactly when it is the one encoding of 32 bytes', () => {
      const damage = fc.option(
        fc.tuple(
          fc.nat({ max: 43 }),
          fc.constantFrom('A', 'Z', '+', '/', '=', '-', ' ', '\n', '\u0000', 'é', '\u0141'),
        ),
      );
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), damage, (bytes, change) => {
          const text = Buffer.from(bytes).toString('base64');
          const [at, character] = change ?? [0, text.slice(0, 1)];
          const changed = text.slice(0, at) + character + text.slice(at + 1);
          const read = Buffer.from(changed, 'base64');
          const expected = read.toString('base64') === changed ? [...read] : undefined;
          const actual = platform.decodeBase64(changed);
          expect(actual === undefined ? undefined : [...actual]).toEqual(expected);
        }),
        { numRuns: 1_000 },
      );
    });

    it('returns plain arrays', () => {
      for (const value of [
        platform.encodeUtf8('x'),
        platform.decodeBase64('AQID'),
        platform.sha256(message),
        platform.allocate(7),
      ]) {
        expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
      }
    });
  });

  describe('sha256', () => {
    it('gives the examples of FIPS 180-4', () => {
      expect(Buffer.from(platform.sha256(new Uint8Array(0))).toString('hex')).toBe(
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      );
      expect(Buffer.from(platform.sha256(platform.encodeUtf8('abc'))).toString('hex')).toBe(
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
    });

    it('agrees with OpenSSL on any input', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
          expect(Buffer.from(platform.sha256(data))).toEqual(createHash('sha256').update(data).digest());
          expect(platform.sha256Hex(data)).toBe(createHash('sha256').update(data).digest('hex'));
        }),
      );
    });
  });

  describe('verifyP256', () => {
    const key = fixedP256('platform');
    const { point } = key.publicKey;
    const signature = key.sign(message);
    const { r, s } = p256.Signature.fromBytes(signature, 'der');

    it('accepts signatures of either library', () => {
      expect(platform.verifyP256(point, message, signature)).toBe(true);
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const opensslPoint = Uint8Array.from(pair.publicKey.export({ type: 'spki', format: 'der' })).slice(26);
      expect(
        platform.verifyP256(opensslPoint, message, Uint8Array.from(sign('sha256', message, pair.privateKey))),
      ).toBe(true);
    });

    it('accepts both s and n − s: DSSE has no low-s rule', () => {
      expect(platform.verifyP256(point, message, der(r, P256_ORDER - s))).toBe(true);
    });

    it('refuses another message, key or bit', () => {
      expect(platform.verifyP256(point, concatBytes(message, Uint8Array.of(0)), signature)).toBe(false);
      expect(platform.verifyP256(fixedP256('other').publicKey.point, message, signature)).toBe(false);
      for (let bit = 0; bit < signature.length * 8; bit += 37) {
        expect(platform.verifyP256(point, message, flipBit(signature, bit))).toBe(false);
      }
    });

    it.each([
      ['r = 0', der(0n, s)],
      ['s = 0', der(r, 0n)],
      ['r = n', der(P256_ORDER, s)],
      ['s = n', der(r, P256_ORDER)],
      ['r + n', der(r + P256_ORDER, s)],
      ['s + n', der(r, s + P256_ORDER)],
      ['negative r', decodeHex('3006020181020101')],
      ['a byte after the sequence', concatBytes(signature, Uint8Array.of(0))],
      ['a byte inside after s', lengthen(signature)],
      ['an integer with a needless zero', der(r, s, { padR: true })],
      ['a long-form length', concatBytes(Uint8Array.of(0x30, 0x81, signature.length - 2), signature.slice(2))],
      ['an indefinite length', concatBytes(Uint8Array.of(0x30, 0x80), signature.slice(2), Uint8Array.of(0, 0))],
      ['truncated', signature.slice(0, -1)],
      ['empty', new Uint8Array(0)],
      ['raw r and s', p256.Signature.fromBytes(signature, 'der').toBytes('compact')],
    ])('refuses DER with %s', (_what, damaged) => {
      expect(platform.verifyP256(point, message, damaged)).toBe(false);
    });

    it.each([
      ['compressed', p256.Point.fromBytes(point).toBytes(true)],
      ['hybrid', concatBytes(Uint8Array.of(0x06 + (point[64]! & 1)), point.slice(1))],
      ['infinity', Uint8Array.of(0)],
      ['empty', new Uint8Array(0)],
      ['one byte longer', concatBytes(point, Uint8Array.of(0))],
      ['off the curve', flipBit(point, 64 * 8)],
      ['all zeros', concatBytes(Uint8Array.of(4), new Uint8Array(64))],
      ['a coordinate not reduced', unreducedPoint()],
    ])('knows no %s point', (_what, bad) => {
      expect(platform.isP256Point(bad)).toBe(false);
      expect(platform.verifyP256(bad, message, signature)).toBe(false);
    });

    it('knows a point of the curve', () => {
      expect(platform.isP256Point(Uint8Array.from(point))).toBe(true);
    });
  });

  describe('verifyEd25519', () => {
    const key = fixedEd25519('platform');
    const { point } = key.publicKey;
    const signature = key.sign(message);

    it('accepts RFC 8032 section 7.1, test 2', () => {
      const publicKey = decodeHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
      const known = decodeHex(
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      );
      expect(platform.verifyEd25519(publicKey, Uint8Array.of(0x72), known)).toBe(true);
      expect(platform.verifyEd25519(publicKey, Uint8Array.of(0x73), known)).toBe(false);
    });

    it('refuses another message, key or bit', () => {
      expect(platform.verifyEd25519(point, message, signature)).toBe(true);
      expect(platform.verifyEd25519(point, new Uint8Array(0), signature)).toBe(false);
      expect(platform.verifyEd25519(fixedEd25519('other').publicKey.point, message, signature)).toBe(false);
      for (let bit = 0; bit < 512; bit += 31) {
        expect(platform.verifyEd25519(point, message, flipBit(signature, bit))).toBe(false);
      }
    });

    it.each([0, 63, 65, 128])('refuses a signature of %i bytes', (length) => {
      expect(platform.verifyEd25519(point, message, concatBytes(signature, signature).slice(0, length))).toBe(false);
    });

    it.each([0, 31, 33, 65])('refuses a key of %i bytes', (length) => {
      expect(platform.verifyEd25519(concatBytes(point, point, point).slice(0, length), message, signature)).toBe(false);
    });

    it('refuses s + L, the malleable twin', () => {
      const twin = concatBytes(
        signature.slice(0, 32),
        toLittleEndian(littleEndian(signature.slice(32)) + ED25519_ORDER),
      );
      expect(platform.verifyEd25519(point, message, twin)).toBe(false);
    });

    it('refuses an R with a component of small order, which only the cofactored equation accepts', () => {
      const torsioned = signWithTorsion();
      expect(ed25519.verify(torsioned.signature, message, torsioned.point, { zip215: false })).toBe(true);
      expect(platform.verifyEd25519(torsioned.point, message, torsioned.signature)).toBe(false);
    });

    it('refuses a point that does not decode', () => {
      const offCurve = Uint8Array.of(2, ...new Uint8Array(31));
      expect(platform.verifyEd25519(offCurve, message, signature)).toBe(false);
    });
  });
});

function der(r: bigint, s: bigint, options: { padR?: boolean } = {}): Uint8Array {
  const body = concatBytes(derInteger(r, options.padR ?? false), derInteger(s, false));
  return concatBytes(Uint8Array.of(0x30, body.length), body);
}

function derInteger(value: bigint, pad: boolean): Uint8Array {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  if (pad) hex = `00${hex}`;
  return concatBytes(Uint8Array.of(0x02, hex.length / 2), decodeHex(hex));
}

function lengthen(signature: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x30, signature.length - 1), signature.slice(2), Uint8Array.of(0));
}

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** A point of the curve whose x is so small that x + p still fits 32 bytes. */
function unreducedPoint(): Uint8Array {
  for (let x = 1n; ; x += 1n) {
    try {
      const point = p256.Point.fromHex(`02${x.toString(16).padStart(64, '0')}`).toBytes(false);
      return concatBytes(Uint8Array.of(4), decodeHex((x + P256_PRIME).toString(16)), point.slice(33));
    } catch {
      continue;
    }
  }
}

function signWithTorsion(): { point: Uint8Array; signature: Uint8Array } {
  const { Point } = ed25519;
  const secret = 12_345n;
  const nonce = 67_890n;
  const orderTwo = Point.fromAffine({ x: 0n, y: Point.Fp.ORDER - 1n });
  const point = Point.BASE.multiply(secret).toBytes();
  const r = Point.BASE.multiply(nonce).add(orderTwo).toBytes();
  const k = littleEndian(sha512(concatBytes(r, point, message))) % ED25519_ORDER;
  return { point, signature: concatBytes(r, toLittleEndian((nonce + k * secret) % ED25519_ORDER)) };
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}

function toLittleEndian(value: bigint): Uint8Array {
  return decodeHex(value.toString(16).padStart(64, '0')).toReversed();
}

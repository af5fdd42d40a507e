// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { toDerSignature } from '@witnessmark/custody';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publicKeyFromEcPoint } from '../../src/pkcs11/signature.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

it('turns every r || s into the DER that OpenSSL takes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
      const raw = sign('sha256', message, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
      expect(verify('sha256', message, pair.publicKey, toDerSignature(Uint8Array.from(raw)))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

it('keeps integers minimal and positive', () => {
  const raw = new Uint8Array(64);
  raw[31] = 1;
  raw[63] = 0x80;
  expect(Buffer.from(toDerSignature(raw)).toString('hex')).toBe('300702010102020080');
  expect(Buffer.from(toDerSignature(new Uint8Array(64))).toString('hex')).toBe('3006020100020100');
});

it('refuses another length', () => {
  expect(() => toDerSignature(new Uint8Array(63))).toThrow(TypeError);
});

it('reads a point with and without the OCTET STRING around it', () => {
  const spki = createPublicKey(pair.privateKey).export({ type: 'spki', format: 'der' });
  const point = Uint8Array.from(spki.subarray(-65));
  const wrapped = Uint8Array.of(0x04, 65, ...point);
  for (const value of [point, wrapped]) {
    expect(Buffer.from(publicKeyFromEcPoint('ec', value).spki).equals(spki)).toBe(true);
  }
  expect(() => publicKeyFromEcPoint('ec', point.subarray(1))).toThrow(
    expect.objectContaining({ code: 'ERR_KEY_ENCODING' }),
  );
});

// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { encodeBase64, type Bytes } from '@witnessmark/core';
import {
  enrolmentChallenge,
  EMPTY_KEY_REGISTRY,
  generateSoftwareKey,
  keyPolicy,
  SoftwareKey,
  vetEnrolment,
  type Enrolment,
  type KeyRegistry,
} from '@witnessmark/custody';
import { P256Key } from '@witnessmark/piv-card';
import { describe, expect, it } from 'vitest';

const NONCE = new Uint8Array(32).fill(7);
const P256 = keyPolicy('line-evidence');
const ED25519 = keyPolicy('log-checkpoint');
const key = generateSoftwareKey('ecdsa-sha2-nistp256');

describe('A34: enrolment', () => {
  it('takes a key whose holder signs the challenge', () => {
    expect(vetEnrolment(EMPTY_KEY_REGISTRY, enrol(key)).keyid).toBe(key.publicKey.keyid);
    const log = generateSoftwareKey('ed25519');
    expect(vetEnrolment(EMPTY_KEY_REGISTRY, enrol(log, { policy: ED25519 })).scheme).toBe('ed25519');
  });

  it('refuses a key that was seen before, in whatever state', () => {
    const seen = { keys: [{ keyid: key.publicKey.keyid }] } as unknown as KeyRegistry;
    expect(() => vetEnrolment(seen, enrol(key))).toThrow(expect.objectContaining({ code: 'CU-145' }));
  });

  it.each<[string, Partial<Enrolment>]>([
    [
      'by another key',
      { signature: generateSoftwareKey('ecdsa-sha2-nistp256').signNow(enrolmentChallenge(draft(key))) },
    ],
    ['for another purpose', { policy: keyPolicy('device-ca') }],
    ['for another holder', { holder: 'somebody else' }],
    ['for another nonce', { nonce: new Uint8Array(32) }],
    ['not at all', { signature: new Uint8Array() }],
  ])('refuses a challenge signed %s', (_, change) => {
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, { ...enrol(key), ...change })).toThrow(
      expect.objectContaining({ code: 'CU-146' }),
    );
  });

  it('does not mix up purpose and holder', () => {
    const one = enrolmentChallenge({ ...draft(key), policy: { ...P256, name: 'a' }, holder: 'bc' });
    const two = enrolmentChallenge({ ...draft(key), policy: { ...P256, name: 'ab' }, holder: 'c' });
    expect(encodeBase64(one)).not.toBe(encodeBase64(two));
    expect(() => enrolmentChallenge({ ...draft(key), nonce: new Uint8Array(31) })).toThrow(TypeError);
  });

  it('refuses another algorithm, and a custody claim that is too weak', () => {
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrol(key, { policy: ED25519 }))).toThrow(
      expect.objectContaining({ code: 'CU-126' }),
    );
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrol(key, { grade: 'asserted' }))).toThrow(
      expect.objectContaining({ code: 'CU-135' }),
    );
    const card = { policy: keyPolicy('trust-root'), grade: 'selfReported' } as const;
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrol(key, card))).toThrow(
      expect.objectContaining({ code: 'CU-135' }),
    );
  });

  const P256_HEAD = '3059301306072a8648ce3d020106082a8648ce3d030107034200';
  const ED25519_HEAD = '302a300506032b6570032100';
  it.each([
    ['not on P-256', `${P256_HEAD}04${'11'.repeat(64)}`],
    ['the point at infinity', '301a301306072a8648ce3d020106082a8648ce3d0301070303000000'],
    [
      'a compressed point',
      `3039301306072a8648ce3d020106082a8648ce3d030107032200${Buffer.from(key.publicKey.point).toString('hex').slice(0, 66)}`,
    ],
    ['Ed25519 of order 1', `${ED25519_HEAD}01${'00'.repeat(31)}`],
    ['Ed25519 of order 8', `${ED25519_HEAD}26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05`],
    ['Ed25519 that is not canonical', `${ED25519_HEAD}${'ff'.repeat(31)}7f`],
    ['another kind of key', '3000'],
  ])('refuses a degenerate key: %s', (_, spki) => {
    const enrolment = { ...enrol(key), spki: Uint8Array.from(Buffer.from(spki, 'hex')) };
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrolment)).toThrow(expect.objectContaining({ code: 'CU-144' }));
  });

  it.each([
    ['d = 1', '01', '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'],
    ['d = 1,024', '0400', ''],
    [
      'RFC 6979',
      'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
      '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
    ],
    [
      'RFC 7515',
      '8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2',
      Buffer.from('f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', 'base64url').toString('hex'),
    ],
    [
      'RFC 9500',
      'e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1',
      '422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1',
    ],
  ])('refuses a P-256 key that anyone has: %s', (_, secret, x) => {
    const known = new P256Key(Buffer.from(secret.padStart(64, '0'), 'hex'));
    expect(known.point.subarray(1, 33).toString('hex').startsWith(x)).toBe(true);
    const enrolment = { ...enrol(key), spki: Uint8Array.from(known.spki) };
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrolment)).toThrow(expect.objectContaining({ code: 'CU-147' }));
  });

  it.each([
    ['RFC 8032 test 1', '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7'],
    ['RFC 8032 test 2', '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a'],
    ['RFC 8032 test 3', 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a3'],
    ['a seed of zeros', '00'.repeat(32), ''],
    ['a seed that counts', Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('hex'), ''],
  ])('refuses an Ed25519 key that anyone has: %s', (_, seed, point) => {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
    const known = new SoftwareKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    expect(Buffer.from(known.publicKey.point).toString('hex').startsWith(point)).toBe(true);
    expect(() => vetEnrolment(EMPTY_KEY_REGISTRY, enrol(known, { policy: ED25519 }))).toThrow(
      expect.objectContaining({ code: 'CU-147' }),
    );
  });
});

function draft(signer: SoftwareKey): Omit<Enrolment, 'signature'> {
  const spki: Bytes = signer.publicKey.spki;
  return { spki, policy: P256, holder: 'custody of line 1', nonce: NONCE, grade: 'selfReported' };
}

function enrol(signer: SoftwareKey, change: Partial<Enrolment> = {}): Enrolment {
  const enrolment = { ...draft(signer), ...change };
  return { ...enrolment, signature: signer.signNow(enrolmentChallenge(enrolment)) };
}

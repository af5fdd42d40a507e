// SPDX-License-Identifier: Apache-2.0
/** Keys whose private half anyone can know: published test keys, and those found by counting. */
import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { encodeHex, type PublicKey } from '@witnessmark/core';

/** Private scalars from the documents named. */
const PUBLISHED_P256 = [
  // RFC 6979 appendix A.2.5
  'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
  // RFC 7515 appendix A.3
  '8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2',
  // RFC 9500 section 2.3
  'e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1',
];
const PUBLISHED_ED25519 = [
  // RFC 8032 section 7.1, tests 1 to 3
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
];
/** Scalars 1 to this, and their negatives, which share the x-coordinate. */
const COUNTED = 1_024;
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Some 20 ms; for enrolment, not for verifying. */
export function isPubliclyKnown(key: PublicKey): boolean {
  return key.scheme === 'ed25519' ? isKnownEd25519(key) : isKnownP256(key);
}

function isKnownP256(key: PublicKey): boolean {
  const x = encodeHex(key.point.subarray(1, 33));
  const counted = Array.from({ length: COUNTED }, (_, index) => (index + 1).toString(16).padStart(64, '0'));
  return [...PUBLISHED_P256, ...counted].some((scalar) => xCoordinate(scalar) === x);
}

function xCoordinate(scalar: string): string {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar, 'hex');
  return ecdh.getPublicKey('hex').slice(2, 66);
}

/** Seeds of one repeated byte, seeds that count up from 1, and published ones. */
function isKnownEd25519(key: PublicKey): boolean {
  const point = encodeHex(key.point);
  const repeated = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').repeat(32));
  const bigEndian = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(64, '0'));
  const littleEndian = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0').padEnd(64, '0'));
  const counting = [0, 1].map((first) =>
    Buffer.from(Array.from({ length: 32 }, (_, index) => first + index)).toString('hex'),
  );
  const seeds = [...PUBLISHED_ED25519, ...repeated, ...bigEndian, ...littleEndian, ...counting];
  return seeds.some((seed) => ed25519Point(seed) === point);
}

function ed25519Point(seed: string): string {
  const key = Buffer.concat([PKCS8_ED25519_PREFIX, Buffer.from(seed, 'hex')]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}

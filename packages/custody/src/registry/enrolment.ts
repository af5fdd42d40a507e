// SPDX-License-Identifier: Apache-2.0
/** Vetting a public key before it gets a purpose (scenario A34): nobody must be able to sign with it but its holder. */
import {
  concatBytes,
  CoreError,
  encodeHex,
  encodeUtf8,
  isSignedBy,
  parsePublicKey,
  RefusedError,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';
import { isGradeAtLeast, type CustodyGrade } from '../grade.ts';
import { isPubliclyKnown } from './known-keys.ts';
import type { KeyPolicy } from '../key-policy/key-policy.ts';
import type { KeyRegistry } from './key-registry.ts';

export interface Enrolment {
  /** SubjectPublicKeyInfo as it was handed in. */
  readonly spki: Bytes;
  readonly policy: KeyPolicy;
  readonly holder: string;
  /** Random, 32 bytes, made by whoever enrols, used once. */
  readonly nonce: Bytes;
  /** Over `enrolmentChallenge`. */
  readonly signature: Bytes;
  readonly grade: CustodyGrade;
}

const CHALLENGE_DOMAIN = 'witnessmark key enrolment v1\n';
const NONCE_BYTES = 32;
/** Separates the fields; none of them holds one. */
const END = Uint8Array.of(0);

/** What the holder signs: this enrolment and nothing else. */
export function enrolmentChallenge(enrolment: Pick<Enrolment, 'spki' | 'policy' | 'holder' | 'nonce'>): Bytes {
  const { spki, policy, holder, nonce } = enrolment;
  if (nonce.length !== NONCE_BYTES) throw new TypeError(`a nonce has ${NONCE_BYTES} bytes`);
  const names = concatBytes(encodeUtf8(policy.name), END, encodeUtf8(holder), END);
  return concatBytes(encodeUtf8(CHALLENGE_DOMAIN), names, encodeUtf8(encodeHex(nonce)), END, spki);
}

/** Returns the key, or throws CU-126, CU-135 or CU-144 to CU-147. */
export function vetEnrolment(registry: KeyRegistry, enrolment: Enrolment): PublicKey {
  const key = readKey(enrolment.spki);
  const { policy } = enrolment;
  if (key.scheme !== policy.scheme) {
    throw new RefusedError('CU-126', `${policy.name} is an ${policy.scheme} key, offered is ${key.scheme}`);
  }
  if (isPubliclyKnown(key)) throw new RefusedError('CU-147', `the private key of ${key.keyid} is publicly known`);
  if (registry.keys.some(({ keyid }) => keyid === key.keyid)) {
    throw new RefusedError('CU-145', `key ${key.keyid} is in the registry already`);
  }
  if (!isSignedBy(key, enrolmentChallenge(enrolment), enrolment.signature)) {
    throw new RefusedError('CU-146', `the challenge was not signed by ${key.keyid}`);
  }
  if (!isGradeAtLeast(enrolment.grade, policy.minimumGrade)) {
    throw new RefusedError('CU-135', `${policy.name} needs ${policy.minimumGrade}, the claim is ${enrolment.grade}`);
  }
  return key;
}

function readKey(spki: Bytes): PublicKey {
  try {
    return parsePublicKey(spki);
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new RefusedError('CU-144', cause.message, { cause });
  }
}

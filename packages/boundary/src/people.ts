// SPDX-License-Identifier: Apache-2.0
/** Who acts follows from the key, never from what is claimed; and what a token signed is checked before it is used. */
import { isValidAt, type KeyRole, type TrustedKey } from '@witnessmark/attestation';
import {
  findSigners,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
  type ReasonCode,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { BoundaryError } from './error.ts';

/** The enrolled key of a signer, in one of these roles and valid now; throws `code`. */
export function findPersonKey(
  signer: Signer,
  keys: readonly TrustedKey[],
  roles: readonly KeyRole[],
  now: Instant,
  code: ReasonCode,
): TrustedKey {
  const { keyid } = signer.publicKey;
  const key = keys.find((entry) => entry.key.keyid === keyid && roles.includes(entry.role) && isValidAt(entry, now));
  if (key !== undefined) return key;
  throw new RefusedError(code, `key ${keyid.slice(0, 8)} is of no ${roles.join(' or ')} who is enrolled now`);
}

/** The enrolled key, in one of these roles and valid at a time, that signed an envelope; null when none did. */
export function findSignerKey(
  envelope: Envelope,
  keys: readonly TrustedKey[],
  roles: readonly KeyRole[],
  at: Instant,
): TrustedKey | null {
  const candidates = keys.filter((entry) => roles.includes(entry.role) && isValidAt(entry, at));
  const signer = findSigners(
    envelope,
    candidates.map(({ key }) => key),
  )[0];
  return candidates.find(({ key }) => key.keyid === signer?.keyid) ?? null;
}

/** Signs, and checks that the token signed these bytes and no others (A29). */
export async function signStatement(payload: Bytes, signer: Signer): Promise<Envelope> {
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  if (findSigners(envelope, [signer.publicKey]).length > 0) return envelope;
  const key = signer.publicKey.keyid.slice(0, 8);
  throw new BoundaryError('ERR_BOUNDARY_SIGNATURE', `key ${key} did not sign the bytes it was given`);
}

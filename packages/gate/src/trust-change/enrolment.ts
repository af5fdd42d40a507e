// SPDX-License-Identifier: Apache-2.0
/**
 * Enrolment of a key (A34, spec/trust-change.md): its holder states what it is for and proves to hold it; everybody who
 * reads the statement later vets it again, from the same bytes.
 */
import { buildStatement, keyEnrolment, parseStatement, type KeyEnrolment } from '@witnessmark/attestation';
import {
  CoreError,
  decodeBase64,
  encodeBase64,
  findSigners,
  formatInstant,
  parsePublicKey,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { isPubliclyKnown, keyPolicy, verifyPivAttestation, type Signer } from '@witnessmark/custody';
import { signStatement } from '../decision.ts';

/** What the holder of a key says of it. */
export type EnrolmentClaims = Omit<KeyEnrolment, 'publicKey' | 'custody' | 'requestedAt'>;

/** An enrolment that holds. */
export interface VettedEnrolment {
  readonly claims: KeyEnrolment;
  readonly key: PublicKey;
}

/** What is known before an enrolment is looked at. */
export interface EnrolmentContext {
  /** Who holds a key already, by key id; a key that signs for the repository may be enrolled for the same person again. */
  readonly holderOf: (keyid: string) => string | null;
  /** Roots of token vendors, DER; without one no grade of theirs can be claimed. */
  readonly attestationRoots: readonly Bytes[];
}

/** Signed with the key itself, which proves its possession. */
export function makeEnrolment(claims: EnrolmentClaims, signer: Signer, now: Instant): Promise<Envelope> {
  const { publicKey, custody } = signer;
  const payload = buildStatement(
    keyEnrolment,
    { name: claims.owner, digest: { sha256: publicKey.keyid } },
    { ...claims, custody, publicKey: encodeBase64(publicKey.spki), requestedAt: formatInstant(now) },
  );
  return signStatement(payload, signer);
}

/**
 * Throws CU-144 for a degenerate key, CU-145 for one that was seen before, CU-146 without proof of possession, CU-147 for
 * a key that is publicly known, and CU-131 to CU-135 for a custody grade that is not proven.
 */
export function vetKeyEnrolment(envelope: Envelope, { holderOf, attestationRoots }: EnrolmentContext): VettedEnrolment {
  const { subject, predicate } = parse(envelope);
  const key = readKey(predicate.publicKey);
  if (subject[0].digest.sha256 !== key.keyid) {
    throw new RefusedError('CU-146', `the enrolment is about another key than ${shorten(key.keyid)}`);
  }
  if (findSigners(envelope, [key]).length === 0) {
    throw new RefusedError('CU-146', `the enrolment of ${predicate.owner} is not signed with the key it enrols`);
  }
  if (isPubliclyKnown(key))
    throw new RefusedError('CU-147', `the private key of ${shorten(key.keyid)} is publicly known`);
  const holder = holderOf(key.keyid);
  if (holder !== null && (holder !== predicate.owner || predicate.role !== null)) {
    throw new RefusedError('CU-145', `key ${shorten(key.keyid)} is enrolled for ${holder} already`);
  }
  checkGrade(predicate, key, attestationRoots);
  return { claims: predicate, key };
}

/** A claim of the vendor needs the vendor's certificates; a claim of a software key is nobody's but its owner's. */
function checkGrade(claims: KeyEnrolment, key: PublicKey, roots: readonly Bytes[]): void {
  const { custody, custodyGrade, attestation, owner, requestedAt } = claims;
  if (custodyGrade === 'asserted') return;
  if (custody === 'software')
    throw new RefusedError('CU-135', `the key of ${owner} is a file; nothing but its owner says so`);
  if (custodyGrade === 'selfReported') return;
  const policy = keyPolicy('release-approval').piv;
  if (custodyGrade !== 'vendorAttested' || attestation === null || policy === null) {
    throw new RefusedError('CU-135', `${owner} claims ${custodyGrade} and shows no attestation that is read here`);
  }
  const [leaf, ...intermediates] = attestation.certificates.map(decodeBase64) as [Bytes, ...Bytes[]];
  const time = Date.parse(requestedAt);
  verifyPivAttestation({ leaf, intermediates }, { roots, time, publicKey: key, serial: attestation.serial, policy });
}

function parse(envelope: Envelope): ReturnType<typeof parseStatement<KeyEnrolment>> {
  try {
    if (envelope.payloadType === STATEMENT_PAYLOAD_TYPE) return parseStatement(keyEnrolment, envelope.payload);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new RefusedError('CU-146', `it is no enrolment: ${cause.message}`, { cause });
  }
  throw new RefusedError('CU-146', 'it is no enrolment');
}

function readKey(publicKey: string): PublicKey {
  try {
    return parsePublicKey(decodeBase64(publicKey));
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new RefusedError('CU-144', cause.message, { cause });
  }
}

function shorten(keyid: string): string {
  return keyid.slice(0, 8);
}

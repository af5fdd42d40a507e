// SPDX-License-Identifier: Apache-2.0
/**
 * The request of a station to be enrolled (spec/station-enrolment.md): made on the station, carried as a file, vetted in
 * the office by a fingerprint that came another way, on paper. Nothing in it is believed before that.
 */
import {
  buildStatement,
  keyEnrolment as keyEnrolmentDefinition,
  parseStatement,
  stationEnrolment,
  type KeyEnrolment,
  type PredicateDefinition,
  type Statement,
  type StationEnrolment,
} from '@witnessmark/attestation';
import {
  decodeBase64,
  encodeBase64,
  findSigners,
  formatInstant,
  parseInstant,
  parsePublicKey,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import type { MachineFingerprint } from '../machine/fingerprint.ts';
import { verifyCertificateRequest } from '../x509/certificate-request.ts';
import type { StationRequest } from './files.ts';

/** Paper is carried by people, and clocks of new machines are not yet kept. */
const REQUEST_LIFETIME_MS = 14 * 24 * 3600 * 1000;
const MAX_FUTURE_MS = 10 * 60 * 1000;

export interface StationIdentityName {
  readonly id: string;
  readonly line: string;
  readonly plant: string;
}

export interface EnrolmentFacts {
  /** A UUID. */
  readonly enrolmentId: string;
  readonly station: StationIdentityName;
  readonly stationKey: PublicKey;
  /** Signed with the station key: role `station`, owner the station, scope its line. */
  readonly keyEnrolment: Envelope;
  /** PKCS#10 of the connection's key, DER. */
  readonly certificateRequest: Bytes | null;
  readonly machine: MachineFingerprint;
  readonly attestationKey: PublicKey | null;
  /** 32 random bytes. */
  readonly nonce: Bytes;
  readonly now: Instant;
}

/** A request whose parts belong together and whose fingerprint is the one on paper. */
export interface VettedRequest {
  /** SHA-256 of the enrolment's payload. */
  readonly digest: string;
  readonly enrolment: StationEnrolment;
  readonly stationKey: PublicKey;
  readonly claims: KeyEnrolment;
  /** Null when no certificate is asked for. */
  readonly connectionKey: PublicKey | null;
}

/** The payload to sign with the station key. */
export function buildStationEnrolment(facts: EnrolmentFacts): Bytes {
  const { enrolmentId, station, stationKey, keyEnrolment, certificateRequest, machine, attestationKey, nonce, now } =
    facts;
  return buildStatement(
    stationEnrolment,
    { name: station.id, digest: { sha256: stationKey.keyid } },
    {
      enrolmentId,
      station: { ...station },
      keyEnrolment: { sha256: sha256Hex(keyEnrolment.payload) },
      certificateRequest: certificateRequest === null ? null : encodeBase64(certificateRequest),
      machine: { digest: machine.digest, parts: { ...machine.parts } },
      attestationKey: attestationKey === null ? null : encodeBase64(attestationKey.spki),
      nonce: sha256Hex(nonce),
      requestedAt: formatInstant(now),
    },
  );
}

/** What is printed on paper at the station, and compared in the office. */
export function fingerprintOfRequest({ enrolment }: StationRequest): string {
  return sha256Hex(enrolment.payload);
}

/**
 * `paperDigest` was read from paper. Throws ID-122 before anything of the request is read, ID-121 for a request whose
 * signatures or parts do not hold, ID-123 for its age.
 */
export function vetStationRequest(request: StationRequest, paperDigest: string, now: Instant): VettedRequest {
  const digest = fingerprintOfRequest(request);
  if (digest !== paperDigest) {
    throw new RefusedError('ID-122', `the paper says ${shorten(paperDigest)}, the request is ${shorten(digest)}`);
  }
  const vetted = readOwnRequest(request);
  const age = now - parseInstant(vetted.enrolment.requestedAt);
  if (age > REQUEST_LIFETIME_MS || age < -MAX_FUTURE_MS) {
    throw new RefusedError('ID-123', `the request was made at ${vetted.enrolment.requestedAt}`);
  }
  return vetted;
}

/** Everything but paper and age: for a request this machine made itself. Throws ID-121. */
export function readOwnRequest(request: StationRequest): VettedRequest {
  const { predicate: enrolment, subject } = read(request.enrolment, stationEnrolment);
  const { predicate: claims } = read(request.keyEnrolment, keyEnrolmentDefinition);
  if (enrolment.keyEnrolment.sha256 !== sha256Hex(request.keyEnrolment.payload)) {
    throw invalid('its key enrolment is another one');
  }
  const stationKey = readKey(claims.publicKey);
  const { id, line } = enrolment.station;
  const isOfStation =
    claims.role === 'station' && claims.owner === id && claims.scope === line && claims.uses.length === 0;
  if (!isOfStation) throw invalid(`its key is not that of station ${id} of ${line}`);
  if (subject[0].digest.sha256 !== stationKey.keyid) throw invalid('it is about another key');
  for (const envelope of [request.enrolment, request.keyEnrolment]) {
    if (findSigners(envelope, [stationKey]).length === 0) throw invalid('it is not signed with the key it enrols');
  }
  if (enrolment.attestationKey !== null) readKey(enrolment.attestationKey);
  return {
    digest: fingerprintOfRequest(request),
    enrolment,
    stationKey,
    claims,
    connectionKey: readConnectionKey(enrolment, stationKey),
  };
}

/** One key has one purpose: what signs statements opens no connection. */
function readConnectionKey({ certificateRequest }: StationEnrolment, stationKey: PublicKey): PublicKey | null {
  if (certificateRequest === null) return null;
  const key = verifyCertificateRequest(decode(certificateRequest));
  if (key.keyid === stationKey.keyid) throw invalid('the key of its connection is its station key');
  return key;
}

function read<Predicate>(envelope: Envelope, definition: PredicateDefinition<Predicate>): Statement<Predicate> {
  try {
    if (envelope.payloadType === STATEMENT_PAYLOAD_TYPE) return parseStatement(definition, envelope.payload);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw invalid(cause.message, cause);
  }
  throw invalid('it holds no statement');
}

function readKey(text: string): PublicKey {
  try {
    return parsePublicKey(decodeBase64(text));
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw invalid(cause.message, cause);
  }
}

function decode(text: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw invalid('its certificate request is not base64', cause);
  }
}

function shorten(digest: string): string {
  return `${digest.slice(0, 8)}…`;
}

function invalid(what: string, cause?: unknown): RefusedError {
  return new RefusedError('ID-121', `the request cannot be used: ${what}`, { cause });
}

// SPDX-License-Identifier: Apache-2.0
/** The answer to an enrolment (spec/station-enrolment.md): given by who compared the paper, checked by the station before use. */
import {
  buildStatement,
  isValidAt,
  parseStatement,
  stationAdmission,
  type StationAdmission,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  decodeBase64,
  encodeBase64,
  findSigners,
  formatInstant,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Instant,
} from '@witnessmark/core';
import { readCertificate, type ReadCertificate } from '../x509/read-certificate.ts';
import type { StationAnswer } from './files.ts';
import type { VettedRequest } from './request.ts';

/** Who may propose a change of the trusted root may admit a station with it. */
const ADMITTING_ROLES: readonly TrustedKey['role'][] = ['author', 'approver'];
const MAX_FUTURE_MS = 10 * 60 * 1000;

export interface AdmissionFacts {
  readonly request: VettedRequest;
  /** Null when the key is in force already. */
  readonly changeId: string | null;
  /** DER, with the authority that issued it. */
  readonly certificate: { readonly own: Bytes; readonly authority: Bytes } | null;
  readonly admittedBy: string;
  readonly now: Instant;
}

/** An answer that holds for this station. */
export interface VerifiedAnswer {
  readonly admission: StationAdmission;
  /** DER. */
  readonly certificate: { readonly own: Bytes; readonly authority: Bytes; readonly notAfter: Instant } | null;
}

/** The payload to sign by who compared the fingerprint. */
export function buildStationAdmission({ request, changeId, certificate, admittedBy, now }: AdmissionFacts): Bytes {
  const { id, line, plant } = request.enrolment.station;
  return buildStatement(
    stationAdmission,
    { name: id, digest: { sha256: request.digest } },
    {
      station: { id, line, plant },
      changeId,
      certificate: certificate === null ? null : encodeBase64(certificate.own),
      authority: certificate === null ? null : encodeBase64(certificate.authority),
      admittedBy: { id: admittedBy },
      admittedAt: formatInstant(now),
    },
  );
}

/** `keys` are those of the trusted root the station was set up with. Throws ID-124. */
export function verifyStationAnswer(
  answer: StationAnswer,
  request: VettedRequest,
  { keys, now }: { readonly keys: readonly TrustedKey[]; readonly now: Instant },
): VerifiedAnswer {
  const { payload, payloadType } = answer.admission;
  const trusted = keys.filter((entry) => ADMITTING_ROLES.includes(entry.role) && isValidAt(entry, now));
  const [signer] = findSigners(
    answer.admission,
    trusted.map(({ key }) => key),
  );
  const person = trusted.find(({ key }) => key.keyid === signer?.keyid);
  if (person === undefined || payloadType !== STATEMENT_PAYLOAD_TYPE) throw unfit('nobody who may admit signed it');
  const { subject, predicate } = read(payload);
  if (subject[0].digest.sha256 !== request.digest) throw unfit('it answers another request');
  if (predicate.admittedBy.id !== person.owner) throw unfit(`it was signed by ${person.owner}`);
  const { certificate, authority } = predicate;
  if ((certificate === null) !== (request.connectionKey === null)) throw unfit('its certificate was not asked for');
  if (certificate === null || authority === null) return { admission: predicate, certificate: null };
  const [own, issuer] = [decode(certificate), decode(authority)];
  const { notAfter } = checkCertificate(own, issuer, request, now);
  return { admission: predicate, certificate: { own, authority: issuer, notAfter } };
}

/** The same checks the line makes, and that the key is ours. */
function checkCertificate(own: Bytes, authority: Bytes, request: VettedRequest, now: Instant): ReadCertificate {
  try {
    const certificate = readCertificate(own);
    if (!certificate.isIssuedBy(readCertificate(authority))) throw unfit('its authority did not issue its certificate');
    if (certificate.publicKey.keyid !== request.connectionKey?.keyid) {
      throw unfit('its certificate is for another key');
    }
    const { id, line, plant, keyid } = certificate.stationName();
    const { station } = request.enrolment;
    const isOwn =
      id === station.id && line === station.line && plant === station.plant && keyid === request.stationKey.keyid;
    if (!isOwn) throw unfit(`its certificate names ${id} of ${line}`);
    if (now > certificate.notAfter || now < certificate.notBefore - MAX_FUTURE_MS) {
      throw unfit('its certificate is not valid now');
    }
    return certificate;
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unfit(cause.message, cause);
  }
}

function read(payload: Bytes): ReturnType<typeof parseStatement<StationAdmission>> {
  try {
    return parseStatement(stationAdmission, payload);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw unfit(cause.message, cause);
  }
}

function decode(text: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw unfit('it holds what is not base64', cause);
  }
}

function unfit(what: string, cause?: unknown): RefusedError {
  return new RefusedError('ID-124', `the answer does not fit this station: ${what}`, { cause });
}

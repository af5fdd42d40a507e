// SPDX-License-Identifier: Apache-2.0
/** A station with keys of its own, an authority and an office that answers; real keys, a fixed clock. */
import { randomBytes } from 'node:crypto';
import { buildStatement, keyEnrolment, type KeyEnrolment, type TrustedKey } from '@witnessmark/attestation';
import {
  encodeBase64,
  formatInstant,
  parseInstant,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { generateSoftwareKey, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import {
  buildStationEnrolment,
  issueCertificate,
  toMachineFingerprint,
  type CertificateProfile,
  type EnrolmentFacts,
  type MachineFingerprint,
  type StationRequest,
} from '@witnessmark/enrolment';
import { buildCertificateRequest } from '@witnessmark/x509';

export const NOW: Instant = parseInstant('2026-11-20T08:00:00.000Z');
export const DAY_MS = 24 * 3600 * 1000;
export const STATION = { id: 'ST-07', line: 'L3', plant: 'PEN' };
export const AUTHORITY_NAME = { organizationName: 'PEN', commonName: 'station authority' };

export function newKey(): SoftwareKey {
  return generateSoftwareKey('ecdsa-sha2-nistp256');
}

export function random(length: number): Bytes {
  return Uint8Array.from(randomBytes(length));
}

export const MACHINE: MachineFingerprint = toMachineFingerprint({
  system: 'a1'.repeat(32),
  board: 'absent',
  cpu: 'b2'.repeat(32),
  disks: 'c3'.repeat(32),
  network: 'd4'.repeat(32),
  tpm: 'absent',
});

export function sign(payload: Bytes, ...keys: readonly SoftwareKey[]): Promise<Envelope> {
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, keys);
}

export function enrolKey(key: SoftwareKey, changes: Partial<KeyEnrolment> = {}): Promise<Envelope> {
  const claims: KeyEnrolment = {
    owner: STATION.id,
    role: 'station',
    scope: STATION.line,
    uses: [],
    custody: 'software',
    custodyGrade: 'asserted',
    attestation: null,
    rehearsal: false,
    token: null,
    publicKey: encodeBase64(key.publicKey.spki),
    requestedAt: formatInstant(NOW),
    ...changes,
  };
  const subject = { name: claims.owner, digest: { sha256: key.publicKey.keyid } };
  return sign(buildStatement(keyEnrolment, subject, claims), key);
}

export interface StationKeys {
  readonly station: SoftwareKey;
  readonly connection: SoftwareKey;
}

export function newStationKeys(): StationKeys {
  return { station: newKey(), connection: newKey() };
}

export function requestCertificate(key: SoftwareKey): Promise<Bytes> {
  const subject = { organizationName: STATION.plant, commonName: STATION.id };
  return buildCertificateRequest(subject, key.publicKey, (bytes) => key.sign(bytes));
}

/** A whole request; `changes` replace facts, `signer` signs in place of the station key. */
export async function makeRequest(
  keys: StationKeys,
  changes: Partial<EnrolmentFacts> = {},
  signer: SoftwareKey = keys.station,
): Promise<StationRequest> {
  const keyStatement = changes.keyEnrolment ?? (await enrolKey(keys.station));
  const payload = buildStationEnrolment({
    enrolmentId: '01936f5e-0000-7000-8000-000000000001',
    station: STATION,
    stationKey: keys.station.publicKey,
    keyEnrolment: keyStatement,
    certificateRequest: await requestCertificate(keys.connection),
    machine: MACHINE,
    attestationKey: null,
    nonce: random(32),
    now: NOW,
    ...changes,
  });
  return { enrolment: await sign(payload, signer), keyEnrolment: keyStatement };
}

/** A certificate by `authority`, self-signed for an authority. */
export function issue(
  authority: SoftwareKey,
  profile: CertificateProfile,
  { publicKey }: Pick<SoftwareKey, 'publicKey'>,
  validity: { readonly notBefore?: Instant; readonly notAfter?: Instant } = {},
): Promise<Bytes> {
  return issueCertificate(
    {
      profile,
      subject: profile.kind === 'authority' ? AUTHORITY_NAME : { organizationName: 'PEN', commonName: 'ST-07' },
      publicKey,
      issuer: { name: AUTHORITY_NAME, publicKey: authority.publicKey },
      notBefore: validity.notBefore ?? NOW,
      notAfter: validity.notAfter ?? NOW + 365 * DAY_MS,
      randomBytes: random,
    },
    (bytes) => authority.sign(bytes),
  );
}

export function stationProfile(keys: StationKeys, changes: Partial<typeof STATION> = {}): CertificateProfile {
  return { kind: 'station', station: { ...STATION, ...changes, keyid: keys.station.publicKey.keyid } };
}

export function trusted(key: SoftwareKey, role: TrustedKey['role'], owner: string): TrustedKey {
  return {
    role,
    owner,
    scope: 'release',
    custody: 'software',
    custodyGrade: 'asserted',
    isRehearsal: false,
    token: null,
    key: key.publicKey,
    validFrom: NOW - DAY_MS,
    validUntil: NOW + 100 * DAY_MS,
  };
}

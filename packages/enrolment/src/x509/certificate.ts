// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates of the connection between stations and their line (RFC 5280): the site's authority, its line servers, its
 * stations. A station's certificate names the station and the key its statements are signed with; that key, in force in the
 * trusted root or not, decides about the connection, so that no revocation list has to be carried to the line.
 */
import { X509Certificate } from 'node:crypto';
import { sha256, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import {
  buildCertificate,
  type CertificatePlan as X509Plan,
  type DistinguishedName as X509Name,
  type SignBytes,
  type SubjectAltName,
} from '@witnessmark/x509';
import { formatStationName, type StationName } from './station-name.ts';

/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
const KEY_IDENTIFIER_BYTES = 20;

/** Sites and stations always say which organization they are of. */
export type DistinguishedName = Required<X509Name>;

export type CertificateProfile =
  | { readonly kind: 'authority' }
  /** DNS names and IP addresses under which the line is reached. */
  | { readonly kind: 'line'; readonly hosts: readonly [string, ...string[]] }
  | { readonly kind: 'station'; readonly station: StationName };

export interface CertificatePlan {
  readonly profile: CertificateProfile;
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKey;
  /** The authority; its own name and key for an authority. */
  readonly issuer: { readonly name: DistinguishedName; readonly publicKey: PublicKey };
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly randomBytes: (length: number) => Bytes;
}

/** `sign` signs with the issuer's key. Returns DER. */
export function issueCertificate(plan: CertificatePlan, sign: SignBytes): Promise<Bytes> {
  const { profile, issuer, ...same } = plan;
  return buildCertificate(
    {
      ...same,
      ...toExtensions(profile),
      issuer: issuer.name,
      subjectKeyIdentifier: keyIdentifier(plan.publicKey),
      authorityKeyIdentifier: keyIdentifier(issuer.publicKey),
    },
    sign,
  );
}

/** PEM as RFC 7468 has it. */
export function formatCertificatePem(der: Bytes): string {
  return new X509Certificate(der).toString();
}

function toExtensions(
  profile: CertificateProfile,
): Pick<X509Plan, 'isAuthority' | 'extendedKeyUsage' | 'subjectAltNames'> {
  switch (profile.kind) {
    case 'authority':
      return { isAuthority: true };
    case 'line':
      return { isAuthority: false, extendedKeyUsage: 'serverAuth', subjectAltNames: profile.hosts.map(toHostName) };
    case 'station': {
      const subjectAltNames = formatStationName(profile.station).map((uri) => ({ uri }));
      return { isAuthority: false, extendedKeyUsage: 'clientAuth', subjectAltNames };
    }
  }
}

function toHostName(host: string): SubjectAltName {
  return /^[0-9.]+$|:/.test(host) ? { ip: host } : { dns: host };
}

function keyIdentifier({ point }: PublicKey): Bytes {
  return sha256(point).subarray(0, KEY_IDENTIFIER_BYTES);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates of the connection between stations and their line (RFC 5280): the site's authority, its line servers, its
 * stations. A station's certificate names the station and the key its statements are signed with; that key, in force in the
 * trusted root or not, decides about the connection, so that no revocation list has to be carried to the line.
 */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  type Extension,
} from '@peculiar/asn1-x509';
import { sha256, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import {
  ecdsaWithSha256,
  toArrayBuffer,
  toExtension,
  toName,
  type DistinguishedName,
  type SignBytes,
} from './distinguished-name.ts';
import { formatStationName, type StationName } from './station-name.ts';

/** RFC 5280 section 4.1.2.2: positive, at most 20 bytes. */
const SERIAL_BYTES = 16;
/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
const KEY_IDENTIFIER_BYTES = 20;

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
export async function issueCertificate(plan: CertificatePlan, sign: SignBytes): Promise<Bytes> {
  const { subject, issuer, publicKey, notBefore, notAfter, randomBytes } = plan;
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: toArrayBuffer(serialNumber(randomBytes)),
    signature: ecdsaWithSha256(),
    issuer: toName(issuer.name),
    validity: new Validity({ notBefore: wholeSeconds(notBefore), notAfter: wholeSeconds(notAfter) }),
    subject: toName(subject),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([
      ...profileExtensions(plan.profile),
      toExtension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
      toExtension(
        id_ce_authorityKeyIdentifier,
        false,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuer.publicKey)) }),
      ),
    ]),
  });
  const signature = await sign(new Uint8Array(AsnConvert.serialize(tbsCertificate)));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: ecdsaWithSha256(),
    signatureValue: toArrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

/** PEM as RFC 7468 has it. */
export function formatCertificatePem(der: Bytes): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** RFC 5280 sections 4.2.1.3, 4.2.1.6, 4.2.1.9 and 4.2.1.12. */
function profileExtensions(profile: CertificateProfile): Extension[] {
  if (profile.kind === 'authority') {
    return [
      toExtension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
      toExtension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
    ];
  }
  const names =
    profile.kind === 'line'
      ? profile.hosts.map(toHostName)
      : formatStationName(profile.station).map((uri) => new GeneralName({ uniformResourceIdentifier: uri }));
  return [
    toExtension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
    toExtension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
    toExtension(
      id_ce_extKeyUsage,
      true,
      new ExtendedKeyUsage([profile.kind === 'line' ? id_kp_serverAuth : id_kp_clientAuth]),
    ),
    toExtension(id_ce_subjectAltName, false, new SubjectAlternativeName(names)),
  ];
}

function toHostName(host: string): GeneralName {
  return /^[0-9.]+$|:/.test(host) ? new GeneralName({ iPAddress: host }) : new GeneralName({ dNSName: host });
}

function keyIdentifier({ point }: PublicKey): ArrayBuffer {
  return toArrayBuffer(sha256(point).subarray(0, KEY_IDENTIFIER_BYTES));
}

/** The first byte keeps it positive, and DER from shortening it. */
function serialNumber(randomBytes: CertificatePlan['randomBytes']): Bytes {
  const bytes = Uint8Array.from(randomBytes(SERIAL_BYTES));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

/** Fractions of a second are not allowed in certificates. */
function wholeSeconds(instant: Instant): Date {
  return new Date(Math.floor(instant / 1000) * 1000);
}

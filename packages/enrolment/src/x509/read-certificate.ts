// SPDX-License-Identifier: Apache-2.0
/** Certificates as they are read: strictly one DER each, and only what this system writes into its own. */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { isSignedBy, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import { isEcdsaWithSha256, NAME_ATTRIBUTES } from '@witnessmark/x509';
import { EnrolmentError } from '../error.ts';
import type { DistinguishedName } from './certificate.ts';
import { parseStationName, type StationName } from './station-name.ts';
import { parseStrictDer, readPublicKey } from './strict-der.ts';

const MAX_CERTIFICATE_BYTES = 8_192;

export interface ReadCertificate {
  readonly publicKey: PublicKey;
  readonly subject: DistinguishedName;
  readonly notBefore: Instant;
  /** Inclusive, as RFC 5280 has it. */
  readonly notAfter: Instant;
  readonly isAuthority: boolean;
  /** Whether `issuer` signed it; says nothing about time. */
  isIssuedBy(issuer: ReadCertificate): boolean;
  /** Of a client certificate. Throws `ERR_ENROLMENT_FORMAT` when it names no station. */
  stationName(): StationName;
}

/** Throws `ERR_ENROLMENT_FORMAT` for what is not exactly one certificate of a P-256 key. */
export function readCertificate(der: Bytes): ReadCertificate {
  const certificate = parse(der);
  const { tbsCertificate } = certificate;
  const signed = new Uint8Array(AsnConvert.serialize(tbsCertificate));
  const extension = (oid: string): ArrayBuffer | undefined => {
    const found = [...(tbsCertificate.extensions?.values() ?? [])].filter(({ extnID }) => extnID === oid);
    if (found.length > 1) throw malformed('an extension twice');
    return found[0]?.extnValue.buffer;
  };
  const constraints = extension(id_ce_basicConstraints);
  return {
    publicKey: readPublicKey(tbsCertificate.subjectPublicKeyInfo, malformed),
    subject: readSubject(tbsCertificate),
    notBefore: tbsCertificate.validity.notBefore.getTime().getTime(),
    notAfter: tbsCertificate.validity.notAfter.getTime().getTime(),
    isAuthority: constraints !== undefined && AsnConvert.parse(constraints, BasicConstraints).cA,
    isIssuedBy: (issuer) =>
      issuer.isAuthority &&
      isEcdsaWithSha256(certificate.signatureAlgorithm) &&
      isSignedBy(issuer.publicKey, signed, new Uint8Array(certificate.signatureValue)),
    stationName: () => {
      const usage = extension(id_ce_extKeyUsage);
      const isClient = usage !== undefined && AsnConvert.parse(usage, ExtendedKeyUsage).join() === id_kp_clientAuth;
      if (!isClient) throw malformed('another use than that of a client');
      const names = extension(id_ce_subjectAltName);
      if (names === undefined) throw malformed('no names');
      const uris = AsnConvert.parse(names, SubjectAlternativeName).map((name) => name.uniformResourceIdentifier ?? '');
      return parseStationName(uris);
    },
  };
}

/** One PEM block CERTIFICATE (RFC 7468). Throws `ERR_ENROLMENT_FORMAT`. */
export function readCertificatePem(text: string): Bytes {
  const match = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/.exec(
    text.length > 2 * MAX_CERTIFICATE_BYTES ? '' : text,
  );
  if (match === null) throw malformed('no PEM block CERTIFICATE');
  return Uint8Array.from(Buffer.from(match[1] as string, 'base64'));
}

function parse(der: Bytes): Certificate {
  return parseStrictDer(der, {
    type: Certificate,
    maxBytes: MAX_CERTIFICATE_BYTES,
    name: 'X.509 certificate',
    malformed,
  });
}

function readSubject({ subject }: Certificate['tbsCertificate']): DistinguishedName {
  const one = (oid: string): string => {
    const values = subject.flatMap((part) => [...part]).filter(({ type }) => type === oid);
    return values.length === 1 ? (values[0]?.value.toString() ?? '') : '';
  };
  return { organizationName: one(NAME_ATTRIBUTES.organizationName), commonName: one(NAME_ATTRIBUTES.commonName) };
}

function malformed(what: string, cause?: unknown): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the certificate holds ${what}`, { cause });
}

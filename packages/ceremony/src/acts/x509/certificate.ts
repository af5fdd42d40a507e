// SPDX-License-Identifier: Apache-2.0
/**
 * Issuing a certificate (RFC 5280 section 4.1) whose key is wherever the signer has it: the to-be-signed part is built and
 * encoded with its ASN.1 schema, handed to the signer, and put together with what comes back.
 */
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { createHash } from 'node:crypto';
import type { Bytes, Instant, PublicKey } from '@witnessmark/core';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const ATTRIBUTES = { commonName: '2.5.4.3', organizationName: '2.5.4.10' };
/** RFC 5280 section 4.1.2.2: positive, at most 20 bytes. */
const SERIAL_BYTES = 16;

export interface DistinguishedName {
  readonly organizationName?: string | undefined;
  readonly commonName: string;
}

export interface CertificateRequest {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly publicKey: PublicKey;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** An authority of end entities only, or none. */
  readonly isAuthority: boolean;
  readonly randomBytes: (length: number) => Bytes;
}

/** `sign` gives ECDSA P-256/SHA-256 in DER. Returns the certificate in DER. */
export async function issueCertificate(
  request: CertificateRequest,
  sign: (toBeSigned: Bytes) => Promise<Bytes>,
): Promise<Bytes> {
  const tbsCertificate = toBeSigned(request);
  const bytes = new Uint8Array(AsnConvert.serialize(tbsCertificate));
  const signature = await sign(bytes);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: ecdsaWithSha256(),
    signatureValue: toArrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

export function formatCertificatePem(der: Bytes): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function toBeSigned(request: CertificateRequest): TBSCertificate {
  const { publicKey, notBefore, notAfter, isAuthority } = request;
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: toArrayBuffer(serialNumber(request.randomBytes)),
    signature: ecdsaWithSha256(),
    issuer: toName(request.issuer),
    validity: new Validity({ notBefore: wholeSeconds(notBefore), notAfter: wholeSeconds(notAfter) }),
    subject: toName(request.subject),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.spki, SubjectPublicKeyInfo),
    extensions: isAuthority ? authorityExtensions(publicKey) : endEntityExtensions(),
  });
}

/** RFC 5280 sections 4.2.1.2, 4.2.1.3 and 4.2.1.9: it issues for devices, never for other authorities. */
function authorityExtensions({ point }: PublicKey): Extensions {
  const keyIdentifier = createHash('sha1').update(point).digest();
  return new Extensions([
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
    extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(toArrayBuffer(keyIdentifier))),
  ]);
}

function endEntityExtensions(): Extensions {
  return new Extensions([
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
  ]);
}

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function toName({ organizationName, commonName }: DistinguishedName): Name {
  const attribute = (type: string, utf8String: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]);
  const organization = organizationName === undefined ? [] : [attribute(ATTRIBUTES.organizationName, organizationName)];
  return new Name([...organization, attribute(ATTRIBUTES.commonName, commonName)]);
}

function ecdsaWithSha256(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
}

/** The first byte keeps it positive, and DER from shortening it. */
function serialNumber(randomBytes: CertificateRequest['randomBytes']): Bytes {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

/** Fractions of a second are not allowed in certificates. */
function wholeSeconds(instant: Instant): Date {
  return new Date(Math.floor(instant / 1000) * 1000);
}

function toArrayBuffer(bytes: Bytes): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

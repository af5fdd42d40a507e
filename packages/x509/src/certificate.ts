// SPDX-License-Identifier: Apache-2.0
/**
 * Making a certificate (RFC 5280 section 4.1) whose issuer's key is wherever the signer has it: the to-be-signed part is
 * built and encoded with its ASN.1 schema, handed to the signer, and put together with what comes back.
 */
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
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
} from '@peculiar/asn1-x509';
import type { Bytes, Instant, PublicKey } from '@witnessmark/core';
import { ecdsaWithSha256, toArrayBuffer, toName, type DistinguishedName, type SignBytes } from './pieces.ts';

/** RFC 5280 section 4.1.2.2: positive, at most 20 bytes. */
const SERIAL_BYTES = 16;
const PURPOSES = { serverAuth: id_kp_serverAuth, clientAuth: id_kp_clientAuth };

export type SubjectAltName = { readonly dns: string } | { readonly ip: string } | { readonly uri: string };

export interface CertificatePlan {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly publicKey: PublicKey;
  /** Fractions of a second are left out: certificates have none. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** An authority of end entities only, which signs certificates and revocation lists, or one of these, which signs. */
  readonly isAuthority: boolean;
  readonly extendedKeyUsage?: keyof typeof PURPOSES;
  readonly subjectAltNames?: readonly SubjectAltName[];
  readonly subjectKeyIdentifier?: Bytes;
  readonly authorityKeyIdentifier?: Bytes;
  readonly randomBytes: (length: number) => Bytes;
}

/** `sign` signs with the issuer's key. Returns DER. */
export async function buildCertificate(plan: CertificatePlan, sign: SignBytes): Promise<Bytes> {
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: toArrayBuffer(serialNumber(plan.randomBytes)),
    signature: ecdsaWithSha256(),
    issuer: toName(plan.issuer),
    validity: new Validity({ notBefore: wholeSeconds(plan.notBefore), notAfter: wholeSeconds(plan.notAfter) }),
    subject: toName(plan.subject),
    subjectPublicKeyInfo: AsnConvert.parse(plan.publicKey.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([...extensions(plan)]),
  });
  const signature = await sign(new Uint8Array(AsnConvert.serialize(tbsCertificate)));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: ecdsaWithSha256(),
    signatureValue: toArrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

/** The first byte keeps it positive, and DER from shortening it. */
function serialNumber(randomBytes: CertificatePlan['randomBytes']): Bytes {
  const bytes = Uint8Array.from(randomBytes(SERIAL_BYTES));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

function wholeSeconds(instant: Instant): Date {
  return new Date(Math.floor(instant / 1000) * 1000);
}

/** RFC 5280 sections 4.2.1.9, 4.2.1.3, 4.2.1.12, 4.2.1.6, 4.2.1.2 and 4.2.1.1. */
function* extensions(plan: CertificatePlan): Iterable<Extension> {
  const { isAuthority, extendedKeyUsage, subjectAltNames, subjectKeyIdentifier, authorityKeyIdentifier } = plan;
  const constraints = isAuthority ? { cA: true, pathLenConstraint: 0 } : { cA: false };
  yield extension(id_ce_basicConstraints, true, new BasicConstraints(constraints));
  const usage = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  yield extension(id_ce_keyUsage, true, new KeyUsage(usage));
  if (extendedKeyUsage !== undefined) {
    yield extension(id_ce_extKeyUsage, true, new ExtendedKeyUsage([PURPOSES[extendedKeyUsage]]));
  }
  if (subjectAltNames !== undefined) {
    yield extension(id_ce_subjectAltName, false, new SubjectAlternativeName(subjectAltNames.map(toGeneralName)));
  }
  if (subjectKeyIdentifier !== undefined) {
    const identifier = toArrayBuffer(subjectKeyIdentifier);
    yield extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(identifier));
  }
  if (authorityKeyIdentifier !== undefined) {
    const keyIdentifier = new KeyIdentifier(toArrayBuffer(authorityKeyIdentifier));
    yield extension(id_ce_authorityKeyIdentifier, false, new AuthorityKeyIdentifier({ keyIdentifier }));
  }
}

function extension(extnID: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function toGeneralName(name: SubjectAltName): GeneralName {
  if ('dns' in name) return new GeneralName({ dNSName: name.dns });
  return 'ip' in name
    ? new GeneralName({ iPAddress: name.ip })
    : new GeneralName({ uniformResourceIdentifier: name.uri });
}

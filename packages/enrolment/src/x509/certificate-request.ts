// SPDX-License-Identifier: Apache-2.0
/** PKCS#10 (RFC 2986): the key of a station's connection asks for its certificate, and proves by it that it is there. */
import { CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { isSignedBy, parsePublicKey, RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';
import {
  ecdsaWithSha256,
  isEcdsaWithSha256,
  toArrayBuffer,
  toName,
  type DistinguishedName,
  type SignBytes,
} from './distinguished-name.ts';
import { parseStrictDer } from './strict-der.ts';

const MAX_REQUEST_BYTES = 4_096;

/** DER; no attributes are asked for, because the authority alone decides what the certificate says. */
export async function buildCertificateRequest(
  subject: DistinguishedName,
  publicKey: PublicKey,
  sign: SignBytes,
): Promise<Bytes> {
  const certificationRequestInfo = new CertificationRequestInfo({
    subject: toName(subject),
    subjectPKInfo: AsnConvert.parse(publicKey.spki, SubjectPublicKeyInfo),
  });
  const signature = await sign(new Uint8Array(AsnConvert.serialize(certificationRequestInfo)));
  const request = new CertificationRequest({
    certificationRequestInfo,
    signatureAlgorithm: ecdsaWithSha256(),
    signature: toArrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(request));
}

/** The key of a request that it signed itself. Throws `ERR_ENROLMENT_FORMAT` or ID-121. */
export function verifyCertificateRequest(der: Bytes): PublicKey {
  const request = parse(der);
  const info = new Uint8Array(AsnConvert.serialize(request.certificationRequestInfo));
  const key = readKey(new Uint8Array(AsnConvert.serialize(request.certificationRequestInfo.subjectPKInfo)));
  const isOwn =
    key.scheme === 'ecdsa-sha2-nistp256' &&
    isEcdsaWithSha256(request.signatureAlgorithm) &&
    isSignedBy(key, info, new Uint8Array(request.signature));
  if (!isOwn) throw new RefusedError('ID-121', 'the certificate request is not signed with the key it is about');
  return key;
}

function parse(der: Bytes): CertificationRequest {
  return parseStrictDer(der, { type: CertificationRequest, maxBytes: MAX_REQUEST_BYTES, name: 'PKCS#10', malformed });
}

function readKey(spki: Bytes): PublicKey {
  try {
    return parsePublicKey(spki);
  } catch (cause) {
    throw malformed('a key that is not on P-256', cause);
  }
}

function malformed(what: string, cause?: unknown): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the certificate request is ${what}`, { cause });
}

// SPDX-License-Identifier: Apache-2.0
/** PKCS#10 (RFC 2986): the key of a station's connection asks for its certificate, and proves by it that it is there. */
import { CertificationRequest } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import { isSignedBy, RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { isEcdsaWithSha256 } from '@witnessmark/x509';
import { EnrolmentError } from '../error.ts';
import { parseStrictDer, readPublicKey } from './strict-der.ts';

const MAX_REQUEST_BYTES = 4_096;

/** The key of a request that it signed itself. Throws `ERR_ENROLMENT_FORMAT` or ID-121. */
export function verifyCertificateRequest(der: Bytes): PublicKey {
  const request = parse(der);
  const info = new Uint8Array(AsnConvert.serialize(request.certificationRequestInfo));
  const key = readPublicKey(request.certificationRequestInfo.subjectPKInfo, malformed);
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

function malformed(what: string, cause?: unknown): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the certificate request is ${what}`, { cause });
}

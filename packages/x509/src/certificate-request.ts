// SPDX-License-Identifier: Apache-2.0
/** Making a certificate request, PKCS#10 (RFC 2986). */
import { CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import type { Bytes, PublicKey } from '@witnessmark/core';
import { ecdsaWithSha256, toArrayBuffer, toName, type DistinguishedName, type SignBytes } from './pieces.ts';

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

// SPDX-License-Identifier: Apache-2.0
export { buildCertificate } from './certificate.ts';
export { buildCertificateRequest } from './certificate-request.ts';
export { isEcdsaWithSha256, NAME_ATTRIBUTES } from './pieces.ts';
export { publicKeyOf } from './public-key.ts';

export type { CertificatePlan, SubjectAltName } from './certificate.ts';
export type { DistinguishedName, SignBytes } from './pieces.ts';

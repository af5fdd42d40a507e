// SPDX-License-Identifier: Apache-2.0
export { openLineTransport } from './connection/line-transport.ts';
export { demandProtection, isLoopback } from './connection/loopback.ts';
export { connectionKeyOptions, isEngineInstalled, openSecureContext } from './connection/private-key.ts';
export { buildStationAdmission, verifyStationAnswer } from './documents/answer.ts';
export {
  formatStationAnswer,
  formatStationRequest,
  parseStationAnswer,
  parseStationRequest,
} from './documents/files.ts';
export { buildStationEnrolment, fingerprintOfRequest, readOwnRequest, vetStationRequest } from './documents/request.ts';
export { EnrolmentError } from './error.ts';
export {
  compareFingerprints,
  describeChanges,
  MACHINE_PARTS,
  PART_ABSENT,
  PART_UNREADABLE,
  toMachineFingerprint,
} from './machine/fingerprint.ts';
export { readMachineFingerprint } from './machine/read-machine.ts';
export { formatPaperFingerprint, parsePaperFingerprint } from './paper/paper-fingerprint.ts';
export { verifyQuote } from './tpm/quote.ts';
export { openTpmQuoter, readEndorsementKey } from './tpm/tpm2-tools.ts';
export { formatCertificatePem, issueCertificate } from './x509/certificate.ts';
export { verifyCertificateRequest } from './x509/certificate-request.ts';
export { readCertificate, readCertificatePem } from './x509/read-certificate.ts';
export { formatStationName, parseStationName } from './x509/station-name.ts';

export type { LineTransport, LineTransportOptions } from './connection/line-transport.ts';
export type { ConnectionKey } from './connection/private-key.ts';
export type { AdmissionFacts, VerifiedAnswer } from './documents/answer.ts';
export type { StationAnswer, StationRequest } from './documents/files.ts';
export type { EnrolmentFacts, StationIdentityName, VettedRequest } from './documents/request.ts';
export type { EnrolmentErrorCode } from './error.ts';
export type { MachineFingerprint, MachinePart, PartChange, PartState } from './machine/fingerprint.ts';
export type { FingerprintOptions } from './machine/read-machine.ts';
export type { QuoteEvidence, QuoteExpectation, Quoter, VerifiedQuote } from './tpm/quote.ts';
export type { TpmSettings } from './tpm/tpm2-tools.ts';
export type { CertificatePlan, CertificateProfile, DistinguishedName } from './x509/certificate.ts';
export type { ReadCertificate } from './x509/read-certificate.ts';
export type { StationName } from './x509/station-name.ts';

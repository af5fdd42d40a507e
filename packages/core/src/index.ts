// SPDX-License-Identifier: Apache-2.0
export {
  concatBytes,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
} from './bytes.ts';
export { formatInstant, parseInstant } from './clock.ts';
export { CUSTODY_GRADES, isCustodyGradeAtLeast } from './custody-grade.ts';
export { sha256, sha256Hex, toDigestSet } from './digest.ts';
export {
  findSigners,
  formatEnvelope,
  fromEnvelope,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_SIGNATURES,
  parseEnvelope,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  toEnvelope,
  verifyEnvelope,
} from './dsse.ts';
export { CoreError, hasCode, RefusedError, WitnessmarkError } from './error.ts';
export { decodePgpWords, encodePgpWords } from './pgp-words.ts';
export {
  isSignedBy,
  parsePublicKey,
  parsePublicKeyPem,
  publicKeyFromEd25519,
  publicKeyFromP256,
} from './public-key.ts';
export { describeReasonCode, isReasonCode, REASON_CODES } from './reason-codes/index.ts';
export {
  formatNote,
  formatNoteVerifierKey,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  NOTE_TYPE_COSIGNATURE_ED25519,
  NOTE_TYPE_ED25519,
  parseNote,
  parseNoteVerifierKey,
  toNoteVerifierKey,
  verifyNote,
} from './signed-note.ts';
export { DEFAULT_JSON_LIMITS, formatJson, parseStrictJson } from './strict-json.ts';

export type { Bytes } from './bytes.ts';
export type { Clock, Instant } from './clock.ts';
export type { CustodyGrade } from './custody-grade.ts';
export type { DigestSet } from './digest.ts';
export type { Envelope, EnvelopeSignature, VerifiedEnvelope, VerifyEnvelopeOptions } from './dsse.ts';
export type { CoreErrorCode, ErrorDetails } from './error.ts';
export type { PublicKey, SignatureScheme } from './public-key.ts';
export type { ReasonCodeEntry } from './reason-codes/reason-code.ts';
export type { ReasonCode } from './reason-codes/index.ts';
export type { NoteSignature, NoteVerifierKey, SignedNote } from './signed-note.ts';
export type { JsonLimits, JsonValue } from './strict-json.ts';

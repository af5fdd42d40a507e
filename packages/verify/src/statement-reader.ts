// SPDX-License-Identifier: Apache-2.0
/**
 * From an envelope to a statement: first the signatures, by keys of the trusted root only, then the payload, from the same
 * bytes. Which role had to sign is for the checks to say.
 */
import {
  equalBytes,
  isSignedBy,
  parseInstant,
  preAuthEncoding,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type ReasonCode,
} from '@witnessmark/core';
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  disposition,
  formatReleaseManifest,
  labelEvent,
  offlineAllowance,
  offlineDelivery,
  operatorSession,
  parseStatementHeader,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  refusal,
  releaseApproval,
  releaseCandidate,
  toStatement,
  unitCheck,
  type PredicateDefinition,
  type TrustedKey,
} from '@witnessmark/attestation';
import type { Memory } from './memory.ts';
import type { Signed, SignedStatement, UnreadStatement } from './signed-statement.ts';
import type { TrustStore } from './trust-store.ts';

/**
 * Verifies and reads envelopes; never throws for bad evidence. Each signature costs at most one verification. All of them
 * come before the first payload is read: nothing is parsed that is not signed, and the processor keeps to one task at a time.
 */
export function readStatements(
  envelopes: readonly Envelope[],
  trust: TrustStore,
  memory: Memory,
): readonly (SignedStatement | UnreadStatement)[] {
  const verified = envelopes.map((envelope) => {
    const payloadDigest = sha256Hex(envelope.payload);
    const known = memory.statements.get(payloadDigest);
    const remembered = known !== undefined && isSignedAlike(known.envelope, envelope) ? known.statement : undefined;
    const signers = remembered === undefined ? findTrustedSigners(envelope, trust) : [];
    return { envelope, payloadDigest, remembered, signers };
  });
  return verified.map(({ envelope, payloadDigest, remembered, signers }) => {
    if (remembered !== undefined) return remembered;
    const statement = readStatement(envelope, payloadDigest, signers);
    if (isShared(statement)) memory.statements.keepRecurring(payloadDigest, { envelope, statement });
    return statement;
  });
}

/** Whether two envelopes with one payload are signed alike. */
function isSignedAlike(known: Envelope, envelope: Envelope): boolean {
  return (
    known.payloadType === envelope.payloadType &&
    known.signatures.length === envelope.signatures.length &&
    known.signatures.every(({ keyid, sig }, index) => {
      const other = envelope.signatures[index];
      return other?.keyid === keyid && equalBytes(other.sig, sig);
    })
  );
}

/** Intents and events belong to one unit; keeping them would only push out what other files need. */
function isShared(statement: SignedStatement | UnreadStatement): statement is SignedStatement {
  return statement.kind === 'session' || statement.kind === 'candidate' || statement.kind === 'approval';
}

function readStatement(
  envelope: Envelope,
  payloadDigest: string,
  signers: readonly TrustedKey[],
): SignedStatement | UnreadStatement {
  if (signers.length === 0) return unread('EV-102', 'no key of the trusted root made a signature of it');
  try {
    return interpret({ payloadDigest, signers, signatureCount: envelope.signatures.length }, envelope.payload);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return unread('EV-101', `it is signed, but ${error.message}`);
  }
}

/**
 * The trusted keys that signed, each once. A key id selects the key to try, as our profile demands it in every signature;
 * that bounds the work, and believes nothing.
 */
function findTrustedSigners(envelope: Envelope, trust: TrustStore): readonly TrustedKey[] {
  if (envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) return [];
  let message: Bytes | undefined;
  const signers = new Set<TrustedKey>();
  for (const { keyid, sig } of envelope.signatures) {
    const trusted = trust.keys.get(keyid);
    if (trusted === undefined || signers.has(trusted)) continue;
    message ??= preAuthEncoding(envelope.payloadType, envelope.payload);
    if (isSignedBy(trusted.key, message, sig)) signers.add(trusted);
  }
  return [...signers];
}

function interpret(
  proven: Pick<SignedStatement, 'payloadDigest' | 'signers' | 'signatureCount'>,
  payload: Bytes,
): SignedStatement | UnreadStatement {
  const header = parseStatementHeader(payload);
  function read<Kind extends string, Predicate>(
    kind: Kind,
    definition: PredicateDefinition<Predicate>,
    madeAt: (predicate: Predicate) => string,
  ): Signed<Kind, Predicate> {
    const { subject, predicate } = toStatement(definition, header);
    return { kind, ...proven, subject: subject[0], predicate, at: parseInstant(madeAt(predicate)) };
  }
  switch (header.predicateType) {
    case PREDICATE_TYPES.operatorSession:
      return read('session', operatorSession, ({ session }) => session.openedAt);
    case PREDICATE_TYPES.provisioningIntent:
      return read('intent', provisioningIntent, ({ timing }) => timing.intendedAt);
    case PREDICATE_TYPES.provisioningEvent:
      return read('event', provisioningEvent, ({ timing }) => timing.signedAt);
    case PREDICATE_TYPES.refusal:
      return read('refusal', refusal, ({ refusedAt }) => refusedAt);
    case PREDICATE_TYPES.disposition:
      return read('disposition', disposition, ({ decidedAt }) => decidedAt);
    case PREDICATE_TYPES.labelEvent:
      return read('labelEvent', labelEvent, ({ madeAt }) => madeAt);
    case PREDICATE_TYPES.unitCheck:
      return read('unitCheck', unitCheck, ({ checkedAt }) => checkedAt);
    case PREDICATE_TYPES.offlineAllowance:
      return read('offlineAllowance', offlineAllowance, ({ issuedAt }) => issuedAt);
    case PREDICATE_TYPES.offlineDelivery:
      return read('offlineDelivery', offlineDelivery, ({ deliveredAt }) => deliveredAt);
    case PREDICATE_TYPES.breakGlassOpening:
      return read('breakGlassOpening', breakGlassOpening, ({ openedAt }) => openedAt);
    case PREDICATE_TYPES.breakGlassClosing:
      return read('breakGlassClosing', breakGlassClosing, ({ resealedAt }) => resealedAt);
    case PREDICATE_TYPES.breakGlassReview:
      return read('breakGlassReview', breakGlassReview, ({ reviewedAt }) => reviewedAt);
    case PREDICATE_TYPES.releaseCandidate: {
      const candidate = read('candidate', releaseCandidate, ({ proposedAt }) => proposedAt);
      return { ...candidate, manifestDigest: sha256Hex(formatReleaseManifest(candidate.predicate.manifest)) };
    }
    case PREDICATE_TYPES.releaseApproval:
      return read('approval', releaseApproval, ({ approvedAt }) => approvedAt);
    default:
      return unread('EV-207', 'it is signed, but of a type this verifier does not know');
  }
}

function unread(code: ReasonCode, detail: string): UnreadStatement {
  return { kind: 'unread', code, detail };
}

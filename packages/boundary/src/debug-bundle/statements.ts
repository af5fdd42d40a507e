// SPDX-License-Identifier: Apache-2.0
/**
 * The statements of one debug bundle and what they prove together: who asked, which two other people agreed, and which files
 * were sealed. The same code judges at the office and at the recipient.
 */
import {
  debugBundle,
  describeIssues,
  parseStatement,
  type DebugBundle,
  type DebugBundleDecision,
  type DebugBundleProposal,
  type DebugBundleSeal,
  type KeyRole,
  type Statement,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  formatJson,
  fromEnvelope,
  parseInstant,
  parseStrictJson,
  RefusedError,
  sha256Hex,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type JsonValue,
} from '@witnessmark/core';
import { z } from 'zod';
import { findSignerKey } from '../people.ts';

/** Who may ask for a bundle and seal it. */
export const REQUESTER_ROLES: readonly KeyRole[] = ['author', 'approver', 'supervisor'];
export const APPROVER_ROLES: readonly KeyRole[] = ['approver'];
/** Two people beside the requester. */
export const REQUIRED_APPROVALS = 2;

const MEDIA_TYPE = 'application/vnd.witnessmark.debug-bundle-statements.v1+json';
const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_STATEMENTS = 32;

export interface SignedPart<Predicate> {
  readonly envelope: Envelope;
  readonly predicate: Predicate;
  readonly key: TrustedKey;
  /** SHA-256 of the payload. */
  readonly digest: string;
}

export interface JudgedDecision extends SignedPart<DebugBundleDecision> {
  /** Why it does not count; null when it does. */
  readonly objection: string | null;
}

export interface BundleStatements {
  readonly proposal: SignedPart<DebugBundleProposal>;
  readonly decisions: readonly JudgedDecision[];
  readonly approvals: readonly JudgedDecision[];
  readonly denial: JudgedDecision | null;
}

/** Reads a proposal; throws BX-144 when no enrolled requester signed it. */
export function readProposal(envelope: Envelope, keys: readonly TrustedKey[]): SignedPart<DebugBundleProposal> {
  const { predicate } = readStatement(envelope);
  if (predicate.act !== 'propose') throw unauthorised('the first statement is no proposal');
  const key = signerOf(envelope, keys, REQUESTER_ROLES, predicate.proposedAt);
  if (key?.owner !== predicate.requester.id) throw unauthorised(`${predicate.requester.id} did not sign the proposal`);
  return { envelope, predicate, key, digest: sha256Hex(envelope.payload) };
}

/**
 * Counts the decisions about a proposal at a time: approvals by different enrolled people, neither the requester nor a
 * recipient. What is no decision about this proposal is passed over.
 */
export function judgeDecisions(
  proposal: SignedPart<DebugBundleProposal>,
  envelopes: readonly Envelope[],
  keys: readonly TrustedKey[],
  at: Instant,
): BundleStatements {
  const counted = new Set<string>();
  const decisions = envelopes
    .map((envelope) => readDecision(proposal, envelope, keys, at))
    .filter((decision) => decision !== null)
    .sort((left, right) => parseInstant(left.predicate.decidedAt) - parseInstant(right.predicate.decidedAt))
    .map((decision) => countOnce(decision, counted));
  const counting = (act: DebugBundleDecision['act']): readonly JudgedDecision[] =>
    decisions.filter(({ predicate, objection }) => predicate.act === act && objection === null);
  return { proposal, decisions, approvals: counting('approve'), denial: counting('deny')[0] ?? null };
}

/** Reads a seal and checks that it rests on enough approvals that counted when it was made; throws BX-144. */
export function readSeal(
  proposal: SignedPart<DebugBundleProposal>,
  envelopes: readonly Envelope[],
  envelope: Envelope,
  keys: readonly TrustedKey[],
): SignedPart<DebugBundleSeal> {
  const { predicate, subject } = readStatement(envelope);
  if (predicate.act !== 'seal') throw unauthorised('the last statement is no seal');
  const key = signerOf(envelope, keys, REQUESTER_ROLES, predicate.sealedAt);
  if (key?.owner !== predicate.sealedBy.id) throw unauthorised(`${predicate.sealedBy.id} did not sign the seal`);
  if (subject[0].digest.sha256 !== proposal.digest) throw unauthorised('the seal is about another proposal');
  if (predicate.expiresAt !== proposal.predicate.expiresAt) throw unauthorised('the seal has another expiry');
  const recipients = new Set(proposal.predicate.recipients.map(({ id }) => id));
  if (predicate.files.some(({ recipient }) => !recipients.has(recipient)))
    throw unauthorised('the seal adds a recipient');
  const { approvals, denial } = judgeDecisions(proposal, envelopes, keys, parseInstant(predicate.sealedAt));
  const named = new Set(predicate.approvals.map(({ sha256 }) => sha256));
  const counting = approvals.filter(({ digest }) => named.has(digest));
  if (denial !== null || counting.length < REQUIRED_APPROVALS) {
    throw unauthorised(`${counting.length} of ${REQUIRED_APPROVALS} approvals count`);
  }
  return { envelope, predicate, key, digest: sha256Hex(envelope.payload) };
}

/** The file that goes with sealed bundles: proposal, decisions, seal. */
export function formatStatements(envelopes: readonly Envelope[]): Bytes {
  return formatJson({ mediaType: MEDIA_TYPE, statements: envelopes.map(fromEnvelope) });
}

/** Throws BX-144. */
export function parseStatements(bytes: Bytes): readonly [Envelope, ...Envelope[]] {
  const schema = z.strictObject({
    mediaType: z.literal(MEDIA_TYPE),
    statements: z.array(z.unknown()).min(1).max(MAX_STATEMENTS),
  });
  return orUnauthorised(() => {
    const limits = { maxBytes: MAX_FILE_BYTES, maxDepth: 8, maxValues: 2000 };
    const result = schema.safeParse(parseStrictJson(bytes, limits));
    if (!result.success) throw unauthorised(`the statements break their schema at ${describeIssues(result.error)}`);
    const [first, ...rest] = result.data.statements.map((value) => toEnvelope(value as JsonValue));
    if (first === undefined) throw unauthorised('there is no statement');
    return [first, ...rest];
  });
}

function readDecision(
  proposal: SignedPart<DebugBundleProposal>,
  envelope: Envelope,
  keys: readonly TrustedKey[],
  at: Instant,
): JudgedDecision | null {
  const { predicate, subject } = readStatement(envelope);
  if (predicate.act !== 'approve' && predicate.act !== 'deny') return null;
  if (subject[0].digest.sha256 !== proposal.digest) return null;
  const key = signerOf(envelope, keys, APPROVER_ROLES, predicate.decidedAt);
  if (key?.owner !== predicate.approver.id) return null;
  const objection = findObjection(proposal.predicate, predicate, key, at);
  return { envelope, predicate, key, digest: sha256Hex(envelope.payload), objection };
}

function findObjection(
  { requester, recipients }: DebugBundleProposal,
  decision: DebugBundleDecision,
  key: TrustedKey,
  at: Instant,
): string | null {
  if (decision.act === 'deny') return null;
  if (key.owner === requester.id) return 'the requester does not count';
  if (recipients.some(({ id }) => id === key.owner)) return 'a recipient does not count';
  if (!(key.validFrom <= at && at < key.validUntil)) return 'the key is not valid any more';
  return at >= parseInstant(decision.expiresAt) ? 'it ran out' : null;
}

/** A person counts once, however many keys he has. */
function countOnce(decision: JudgedDecision, counted: Set<string>): JudgedDecision {
  if (decision.objection !== null || decision.predicate.act === 'deny') return decision;
  if (counted.has(decision.key.owner)) return { ...decision, objection: 'the person counted already' };
  counted.add(decision.key.owner);
  return decision;
}

function signerOf(
  envelope: Envelope,
  keys: readonly TrustedKey[],
  roles: readonly KeyRole[],
  at: string,
): TrustedKey | null {
  return findSignerKey(envelope, keys, roles, parseInstant(at));
}

function readStatement(envelope: Envelope): Statement<DebugBundle> {
  return orUnauthorised(() => parseStatement(debugBundle, envelope.payload));
}

function orUnauthorised<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unauthorised(cause.message, cause);
  }
}

function unauthorised(what: string, cause?: unknown): RefusedError {
  return new RefusedError('BX-144', what, cause === undefined ? {} : { cause });
}

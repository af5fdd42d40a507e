// SPDX-License-Identifier: Apache-2.0
/** A release as the repository publishes it: manifest, candidate and approvals (spec/release-approval.md). */
import {
  isValidAt,
  parseReleaseManifest,
  parseStatement,
  releaseApproval,
  releaseCandidate,
  releaseClassOf,
  type ReleaseApproval,
  type ReleaseCandidate,
  type ReleaseClass,
  type ReleaseManifest,
  type Statement,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  findSigners,
  parseEnvelope,
  parseInstant,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { TargetReader } from './target-content.ts';
import { approvalPath, candidatePath, releaseManifestPath } from './target-path.ts';

export interface PublishedRelease {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Bytes;
  readonly candidate: Envelope;
  readonly approvals: readonly Envelope[];
}

/** More approvals than any threshold; the rest is not read. */
const MAX_APPROVALS = 16;

/** What must be true of approvals before a release may be used. */
export interface ApprovalRule {
  /** Different people, none of them the author. */
  readonly threshold: number;
  /** Roles that must be among them. */
  readonly requiredRoles: readonly string[];
  /** How long a proposal must have been open before an approval counts; none when absent. */
  readonly coolingOffMinutes?: number | undefined;
}

const MINUTE_MS = 60_000;

/** The moment from which approvals of a proposal count. */
export function approvalsCountFrom({ proposedAt }: Pick<ReleaseCandidate, 'proposedAt'>, rule: ApprovalRule): Instant {
  return parseInstant(proposedAt) + (rule.coolingOffMinutes ?? 0) * MINUTE_MS;
}

/** A statement with the enrolled key that signed it. */
export interface SignedBy<Predicate> {
  readonly statement: Statement<Predicate>;
  readonly key: TrustedKey;
}

/** Reads a release by its id; throws TR-108 when there is none, and TR-105 or TR-107 as the reader does. */
export async function readRelease(reader: TargetReader, releaseId: string): Promise<PublishedRelease> {
  const manifestBytes = await reader.readTarget(releaseManifestPath(releaseId));
  const candidate = parseEnvelope(await reader.readTarget(candidatePath(releaseId)));
  const approvals: Envelope[] = [];
  for (let number = 1; number <= MAX_APPROVALS; number += 1) {
    const path = approvalPath(releaseId, number);
    if (!(await reader.hasTarget(path))) break;
    approvals.push(parseEnvelope(await reader.readTarget(path)));
  }
  return { manifest: parseReleaseManifest(manifestBytes), manifestBytes, candidate, approvals };
}

/**
 * Checks that the release is the one its author proposed and that enough other people approved it, each with a key that
 * was theirs at the time. Throws LS-201 when the candidate does not hold, LS-202 when approvals are missing. Returns the
 * candidate that was approved.
 */
export function verifyRelease(
  release: PublishedRelease,
  keys: readonly TrustedKey[],
  rule: ApprovalRule,
): Statement<ReleaseCandidate> {
  const candidate = readCandidate(release.candidate, keys);
  if (candidate === null) throw new RefusedError('LS-201', 'the release candidate is not signed by an enrolled author');
  if (candidate.statement.subject[0].digest.sha256 !== sha256Hex(release.manifestBytes)) {
    throw new RefusedError('LS-201', `the candidate proposes another ${release.manifest.releaseId} than is published`);
  }
  const candidateDigest = sha256Hex(release.candidate.payload);
  const countsFrom = approvalsCountFrom(candidate.statement.predicate, rule);
  const approvals = release.approvals
    .map((envelope) => readApproval(envelope, keys))
    .filter((approval) => approval !== null)
    .filter(({ statement }) => isApprovalOf(statement, candidateDigest))
    .filter(({ statement }) => parseInstant(statement.predicate.approvedAt) >= countsFrom);
  const { builder } = candidate.statement.predicate;
  const requesters = { author: candidate.key.owner, builder: builder?.id ?? null };
  const missing = missingApprovals(approvals, requesters, rule);
  if (missing !== null) throw new RefusedError('LS-202', `${release.manifest.releaseId}: ${missing.detail}`);
  return candidate.statement;
}

/**
 * Everybody who had a part in a release, as its statements name them: nobody of them makes units of it. Whether the
 * statements hold is for {@link verifyRelease} to say; one that cannot be read names nobody.
 */
export function partakersOf({
  candidate,
  approvals,
}: Pick<PublishedRelease, 'candidate' | 'approvals'>): readonly string[] {
  const proposal = readClaims(candidate.payload, (payload) => parseStatement(releaseCandidate, payload).predicate);
  const approvers = approvals.map(
    ({ payload }) => readClaims(payload, (bytes) => parseStatement(releaseApproval, bytes).predicate)?.approver.id,
  );
  const people = [proposal?.proposedBy.id, proposal?.builder?.id, ...approvers];
  return [...new Set(people.filter((person) => person !== undefined))];
}

export interface MissingApprovals {
  readonly people: number;
  readonly roles: readonly string[];
  readonly detail: string;
}

/** Who cannot be among the approvers. */
export interface Requesters {
  readonly author: string;
  /** Null when the proposal does not say who built the image. */
  readonly builder: string | null;
}

/** What is missing to fulfil the rule; null when nothing is. People count once, whatever keys they hold; so do cards. */
export function missingApprovals(
  approvals: readonly { readonly key: Pick<TrustedKey, 'owner' | 'scope' | 'token'> }[],
  { author, builder }: Requesters,
  rule: ApprovalRule,
): MissingApprovals | null {
  const people = new Set<string>();
  const cards = new Map<string, string>();
  for (const { owner, token } of approvals.map(({ key }) => key)) {
    if (owner === author || owner === builder) continue;
    // Two people with one card are one card.
    if (token !== null && (cards.get(token.serial) ?? owner) !== owner) continue;
    if (token !== null) cards.set(token.serial, owner);
    people.add(owner);
  }
  const roles = new Set(approvals.filter(({ key }) => people.has(key.owner)).map(({ key }) => key.scope));
  const missingPeople = Math.max(0, rule.threshold - people.size);
  const missingRoles = rule.requiredRoles.filter((role) => !roles.has(role));
  if (missingPeople === 0 && missingRoles.length === 0) return null;
  const wanted = missingRoles.length === 0 ? '' : `, and nobody of: ${missingRoles.join(', ')}`;
  return {
    people: missingPeople,
    roles: missingRoles,
    detail: `${people.size} of ${rule.threshold} people approved${wanted}`,
  };
}

/** Throws LS-207 for a release of a class that is not made here. */
export function checkReleaseClass(manifest: ReleaseManifest, accepted: readonly ReleaseClass[]): void {
  const releaseClass = releaseClassOf(manifest);
  if (accepted.includes(releaseClass)) return;
  throw new RefusedError(
    'LS-207',
    `${manifest.releaseId} is of the class ${releaseClass}; made here: ${accepted.join(', ')}`,
  );
}

/** The candidate statement if an enrolled author, valid when it was proposed, signed it and names himself; else null. */
export function readCandidate(envelope: Envelope, keys: readonly TrustedKey[]): SignedBy<ReleaseCandidate> | null {
  return readSigned(envelope, keys, 'author', (payload) => {
    const statement = parseStatement(releaseCandidate, payload);
    const { proposedBy, proposedAt } = statement.predicate;
    return { statement, owner: proposedBy.id, role: null, signedAt: proposedAt };
  });
}

/** The approval or denial if an enrolled approver, valid when it was signed, signed it and names himself; else null. */
export function readApproval(envelope: Envelope, keys: readonly TrustedKey[]): SignedBy<ReleaseApproval> | null {
  return readSigned(envelope, keys, 'approver', (payload) => {
    const statement = parseStatement(releaseApproval, payload);
    const { approver, approvedAt } = statement.predicate;
    return { statement, owner: approver.id, role: approver.role, signedAt: approvedAt };
  });
}

/** Whether the statement approves the candidate with this payload digest. */
function isApprovalOf(approval: Statement<ReleaseApproval>, candidateDigest: string): boolean {
  return approval.predicate.decision === 'approve' && approval.subject[0].digest.sha256 === candidateDigest;
}

interface Claims<Predicate> {
  readonly statement: Statement<Predicate>;
  readonly owner: string;
  readonly role: string | null;
  readonly signedAt: string;
}

/** Signature first, then the statement, from the same bytes; then the claims against the key that signed. */
function readSigned<Predicate>(
  envelope: Envelope,
  keys: readonly TrustedKey[],
  role: TrustedKey['role'],
  read: (payload: Bytes) => Claims<Predicate>,
): SignedBy<Predicate> | null {
  if (envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) return null;
  const enrolled = keys.filter((key) => key.role === role);
  const [signer] = findSigners(
    envelope,
    enrolled.map((entry) => entry.key),
  );
  const claims = signer === undefined ? null : readClaims(envelope.payload, read);
  if (claims === null) return null;
  const key = enrolled.find(
    (entry) => entry.key.keyid === signer?.keyid && isValidAt(entry, parseInstant(claims.signedAt)),
  );
  const isOwn = key?.owner === claims.owner && (claims.role === null || key.scope === claims.role);
  return isOwn ? { statement: claims.statement, key } : null;
}

function readClaims<T>(payload: Bytes, read: (payload: Bytes) => T): T | null {
  try {
    return read(payload);
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return null;
    throw cause;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A release as the repository publishes it: manifest, candidate and approvals (spec/release-approval.md). */
import {
  isValidAt,
  parseReleaseManifest,
  parseStatement,
  releaseApproval,
  releaseCandidate,
  type ReleaseApproval,
  type ReleaseCandidate,
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
  const approvals = release.approvals
    .map((envelope) => readApproval(envelope, keys))
    .filter((approval) => approval !== null)
    .filter(({ statement }) => isApprovalOf(statement, candidateDigest));
  const missing = missingApprovals(approvals, candidate.key.owner, rule);
  if (missing !== null) throw new RefusedError('LS-202', `${release.manifest.releaseId}: ${missing.detail}`);
  return candidate.statement;
}

export interface MissingApprovals {
  readonly people: number;
  readonly roles: readonly string[];
  readonly detail: string;
}

/** What is missing to fulfil the rule; null when nothing is. People count once, whatever number of keys they hold. */
export function missingApprovals(
  approvals: readonly { readonly key: Pick<TrustedKey, 'owner' | 'scope'> }[],
  author: string,
  rule: ApprovalRule,
): MissingApprovals | null {
  const people = new Set(approvals.map(({ key }) => key.owner).filter((owner) => owner !== author));
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

function readClaims<Predicate>(payload: Bytes, read: (payload: Bytes) => Claims<Predicate>): Claims<Predicate> | null {
  try {
    return read(payload);
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return null;
    throw cause;
  }
}

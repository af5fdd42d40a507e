// SPDX-License-Identifier: Apache-2.0
/** One person's decision: who it is follows from the key, and what is signed from the bytes on this machine. */
import {
  buildStatement,
  isValidAt,
  releaseApproval,
  type ReleaseApproval,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  findSigners,
  formatInstant,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { approvalsCountFrom, signStagedMetadata, type MetadataSignature, type TrustAuthor } from '@witnessmark/trust';
import { exceptionOf } from './counter-exception.ts';
import { checkCounters, counterFloor } from './counters.ts';
import { GateError } from './error.ts';
import { checkKeyDemands, type KeyDemands } from './key-demands.ts';
import { GATE_LIMITS } from './limits.ts';
import type { Promotion } from './inspection.ts';
import type { Judge } from './status.ts';
import type { Tally } from './tally.ts';
import type { Workspace } from './workspace.ts';

/** The approver a key belongs to; throws PL-105 and, in production, what {@link checkKeyDemands} throws. */
export function findApprover(signer: Signer, enrolled: Enrolled): TrustedKey {
  return findApproverAmong(enrolled.workspace.keys, signer, enrolled);
}

/** As {@link findApprover}, where other keys count than those in force. */
export function findApproverAmong(
  keys: readonly TrustedKey[],
  signer: Signer,
  { demands, now }: Pick<Enrolled, 'demands' | 'now'>,
): TrustedKey {
  const { keyid } = signer.publicKey;
  const key = keys.find((entry) => entry.role === 'approver' && entry.key.keyid === keyid && isValidAt(entry, now));
  if (key === undefined) {
    throw new RefusedError('PL-105', `key ${keyid.slice(0, 8)} is no approver's key that is valid now`);
  }
  if (demands !== null) checkKeyDemands(key, signer, demands);
  return key;
}

/** Who is enrolled, and what is asked of their keys; null asks nothing beyond enrolment. */
interface Enrolled {
  readonly workspace: Pick<Workspace, 'keys'>;
  readonly demands: KeyDemands | null;
  readonly now: Instant;
}

/** Throws PL-101, PL-119, PL-102 or PL-120: who may not approve this although others may. */
export function checkApprover(
  { promotionId, authorKey, candidate }: Promotion,
  tally: Tally,
  approver: TrustedKey,
): void {
  const { owner, token } = approver;
  if (owner === authorKey.owner)
    throw new RefusedError('PL-101', `${owner} proposed ${promotionId} and cannot approve it`);
  if (owner === candidate.builder?.id) throw new RefusedError('PL-119', `${owner} built what ${promotionId} releases`);
  const earlier = tally.approvals.find(({ key }) => key.owner === owner);
  if (earlier !== undefined) throw new RefusedError('PL-102', `${owner} approved at ${earlier.predicate.approvedAt}`);
  const lent = tally.approvals.find(({ key }) => token !== null && key.token?.serial === token.serial);
  if (lent !== undefined) {
    throw new RefusedError('PL-120', `the card with serial ${token?.serial ?? ''} approved for ${lent.key.owner}`);
  }
}

/** Throws PL-117, PL-108, PL-121 or PL-109: what stands in the way of an approval, whoever gives it. */
export function checkApproval(
  promotion: Promotion,
  typedDigestPrefix: string,
  { workspace, rule, now }: Pick<Judge, 'workspace' | 'rule' | 'now'>,
): void {
  const { promotionId, candidate, candidateDigest, manifest } = promotion;
  const countsFrom = approvalsCountFrom(candidate, rule);
  if (now < countsFrom) {
    throw new RefusedError('PL-117', `${promotionId} may be approved from ${formatInstant(countsFrom)} on`);
  }
  const floor = counterFloor(workspace.manifests.values(), manifest.product.sku);
  checkCounters(manifest, floor, exceptionOf(promotion, workspace.keys, now));
  const isTyped = typedDigestPrefix.length >= GATE_LIMITS.minDigestPrefix;
  if (!isTyped || !candidateDigest.startsWith(typedDigestPrefix)) {
    throw new RefusedError('PL-109', `the digest of ${promotionId} begins with ${candidateDigest.slice(0, 4)}`);
  }
}

interface DecisionText {
  readonly decision: ReleaseApproval['decision'];
  /** The machine it is signed on. */
  readonly workstation?: string | undefined;
  readonly meaning: string;
  readonly ticket: string;
}

export async function signDecision(
  { promotionId, manifest, candidateDigest }: Promotion,
  approver: TrustedKey,
  signer: Signer,
  { workstation, ...text }: DecisionText,
  now: Instant,
): Promise<Envelope> {
  const payload = buildStatement(
    releaseApproval,
    { name: 'candidate', digest: { sha256: candidateDigest } },
    {
      promotionId,
      releaseId: manifest.releaseId,
      ...text,
      approver: { id: approver.owner, role: approver.scope },
      ...(workstation !== undefined && { workstation }),
      approvedAt: formatInstant(now),
      expiresAt: formatInstant(now + GATE_LIMITS.approvalLifetimeMs),
    },
  );
  return signStatement(payload, signer);
}

/** Signs, and checks that the token signed these bytes and no others (A29). */
export async function signStatement(payload: Bytes, signer: Signer): Promise<Envelope> {
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  if (findSigners(envelope, [signer.publicKey]).length === 0) throw wrongSignature(signer);
  return envelope;
}

/** Adds a signature, checked as {@link signStatement} does. */
export async function addSignature(envelope: Envelope, signer: Signer): Promise<Envelope> {
  const alone = await signStatement(envelope.payload, signer);
  return { ...envelope, signatures: [...envelope.signatures, ...alone.signatures] };
}

/** Signs the staged metadata; throws PL-105 when the key is not one of the repository's targets keys. */
export async function signTargets(
  { staged }: Promotion,
  signer: Signer,
  author: TrustAuthor,
): Promise<MetadataSignature> {
  if (!author.isTargetsKey(signer.publicKey)) {
    throw new RefusedError('PL-105', `key ${signer.publicKey.keyid.slice(0, 8)} is no targets key of the repository`);
  }
  const signature = await signStagedMetadata(staged, signer);
  if (!author.isTargetsSignature(staged, signature)) throw wrongSignature(signer);
  return signature;
}

export function wrongSignature(signer: Signer): GateError {
  const key = signer.publicKey.keyid.slice(0, 8);
  return new GateError('ERR_GATE_SIGNATURE', `key ${key} did not sign the bytes it was given; nothing was stored`);
}

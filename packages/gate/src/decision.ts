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
import { signStagedMetadata, type MetadataSignature, type TrustAuthor } from '@witnessmark/trust';
import { checkCounters, counterFloor } from './counters.ts';
import { GateError } from './error.ts';
import { GATE_LIMITS } from './limits.ts';
import type { Promotion } from './inspection.ts';
import type { Tally } from './tally.ts';
import type { Workspace } from './workspace.ts';

/** The approver a key belongs to; throws PL-105. */
export function findApprover(signer: Signer, keys: readonly TrustedKey[], now: Instant): TrustedKey {
  const { keyid } = signer.publicKey;
  const key = keys.find((entry) => entry.role === 'approver' && entry.key.keyid === keyid && isValidAt(entry, now));
  if (key === undefined) {
    throw new RefusedError('PL-105', `key ${keyid.slice(0, 8)} is no approver's key that is valid now`);
  }
  return key;
}

/** Throws PL-101, PL-102, PL-108 or PL-109: what one person may not approve although others may. */
export function checkApproval(
  promotion: Promotion,
  tally: Tally,
  approver: TrustedKey,
  typedDigestPrefix: string,
  workspace: Workspace,
): void {
  const { promotionId, candidateDigest, authorKey, manifest } = promotion;
  if (approver.owner === authorKey.owner) {
    throw new RefusedError('PL-101', `${approver.owner} proposed ${promotionId} and cannot approve it`);
  }
  const earlier = tally.approvals.find(({ key }) => key.owner === approver.owner);
  if (earlier !== undefined) {
    throw new RefusedError('PL-102', `${approver.owner} approved at ${earlier.predicate.approvedAt}`);
  }
  checkCounters(manifest, counterFloor(workspace.manifests.values(), manifest.product.sku));
  const isTyped = typedDigestPrefix.length >= GATE_LIMITS.minDigestPrefix;
  if (!isTyped || !candidateDigest.startsWith(typedDigestPrefix)) {
    throw new RefusedError('PL-109', `the digest of ${promotionId} begins with ${candidateDigest.slice(0, 4)}`);
  }
}

interface DecisionText {
  readonly decision: ReleaseApproval['decision'];
  readonly meaning: string;
  readonly ticket: string;
}

export async function signDecision(
  { promotionId, manifest, candidateDigest }: Promotion,
  approver: TrustedKey,
  signer: Signer,
  text: DecisionText,
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

function wrongSignature(signer: Signer): GateError {
  const key = signer.publicKey.keyid.slice(0, 8);
  return new GateError('ERR_GATE_SIGNATURE', `key ${key} did not sign the bytes it was given; nothing was stored`);
}

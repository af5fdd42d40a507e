// SPDX-License-Identifier: Apache-2.0
/** Making a trust change: what is asked for becomes a new trusted root and the metadata that publishes it, both to be signed. */
import {
  buildStatement,
  formatTrustedRoot,
  isValidAt,
  trustChange,
  type TrustedKey,
  type TrustedRoot,
} from '@witnessmark/attestation';
import {
  formatInstant,
  hasCode,
  RefusedError,
  sha256Hex,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import {
  rootThresholds,
  toTargetContent,
  TRUSTED_ROOT_PATH,
  type KeyHolder,
  type RootKeys,
  type StagedMetadata,
  type ThresholdKeys,
  type TrustAuthor,
} from '@witnessmark/trust';
import { signStatement } from '../decision.ts';
import { checkKeyDemands } from '../key-demands.ts';
import { GATE_LIMITS } from '../limits.ts';
import type { Judge } from '../status.ts';
import { vetKeyEnrolment, type VettedEnrolment } from './enrolment.ts';
import { holdersOf, nextTrustedRoot } from './next-trusted-root.ts';
import type { StoredChange } from './store.ts';

export interface TrustChangeRequest {
  /** An author or approver; will not be one of those who approve. */
  readonly proposer: Signer;
  readonly ticket: string;
  readonly reason: string;
  /** Keys to add, each enrolled by its holder. */
  readonly enrolments?: readonly Envelope[];
  /** Keys that are not to be trusted any more; a holder of root or targets loses that too. */
  readonly revocations?: readonly { readonly keyid: string; readonly revokedAt?: Instant; readonly reason: string }[];
  /** Keys that sign root and targets no longer, and may go on signing statements. */
  readonly removedHolders?: readonly string[];
  readonly rootThreshold?: number;
  readonly targetsThreshold?: number;
  /** A new version of the root with the same keys, before the present one runs out. */
  readonly renewRoot?: boolean;
}

/** The change, signed by its proposer. Throws PL-116, PL-123, PL-102, PL-111, and what vetting a key throws. */
export async function prepareChange(
  request: TrustChangeRequest,
  changeId: string,
  judge: Judge,
  attestationRoots: readonly Bytes[],
): Promise<Omit<StoredChange, 'decisions'>> {
  const { workspace, now } = judge;
  const { author, trustedRoot } = workspace;
  const proposer = findProposer(request.proposer, judge);
  const enrolments = vetAll(request.enrolments ?? [], trustedRoot, attestationRoots);
  const revocations = toRevocations(request, trustedRoot, now);
  const root = stageRoot(request, enrolments, judge);
  const effectivityKey =
    enrolments.find(({ claims }) => claims.uses.includes('effectivity'))?.key ?? author.effectivityKey;
  if (root === null && enrolments.length + revocations.length === 0) {
    throw new RefusedError('PL-123', 'the change would change nothing');
  }
  const document = formatTrustedRoot(
    nextTrustedRoot(trustedRoot, {
      enrolments,
      revocations,
      rootKeys: root?.keys ?? author.rootKeys,
      effectivityKey,
      roots: [...rootThresholds(author.repository), ...(root === null ? [] : [root.thresholds])],
      at: now,
    }),
  );
  const targets = author.stageTargets({
    add: [toTargetContent(TRUSTED_ROOT_PATH, document)],
    effectivityKey,
    expiresAt: now + GATE_LIMITS.targetsLifetimeMs,
  });
  const payload = buildStatement(
    trustChange,
    { name: TRUSTED_ROOT_PATH, digest: { sha256: sha256Hex(document) } },
    {
      changeId,
      root: root === null ? null : toReference(root.staged),
      targets: toReference(targets),
      trustedRootVersion: trustedRoot.version + 1,
      enrolments: (request.enrolments ?? []).map((envelope) => ({ sha256: sha256Hex(envelope.payload) })),
      proposedBy: { id: proposer.owner },
      proposedAt: formatInstant(now),
      expiresAt: formatInstant(now + GATE_LIMITS.proposalLifetimeMs),
      ticket: request.ticket,
      reason: request.reason,
    },
  );
  return {
    changeId,
    change: await signStatement(payload, request.proposer),
    document,
    root: root?.staged.document ?? null,
    targets: targets.document,
    enrolments: request.enrolments ?? [],
  };
}

function findProposer(signer: Signer, { workspace, demands, now }: Judge): TrustedKey {
  const { keyid } = signer.publicKey;
  const key = workspace.keys.find(
    (entry) =>
      (entry.role === 'author' || entry.role === 'approver') && entry.key.keyid === keyid && isValidAt(entry, now),
  );
  if (key === undefined) {
    throw new RefusedError('PL-116', `key ${keyid.slice(0, 8)} is no author's or approver's key that is valid now`);
  }
  if (demands !== null) checkKeyDemands(key, signer, demands);
  return key;
}

/** Each against what is enrolled already and against those before it: one key twice would count as two people. */
function vetAll(
  envelopes: readonly Envelope[],
  trustedRoot: TrustedRoot,
  attestationRoots: readonly Bytes[],
): readonly VettedEnrolment[] {
  if (envelopes.length > GATE_LIMITS.maxEnrolments) throw new RefusedError('PL-123', 'too many keys for one change');
  const holders = new Map(holdersOf(trustedRoot));
  return envelopes.map((envelope) => {
    const vetted = vetKeyEnrolment(envelope, { holderOf: (keyid) => holders.get(keyid) ?? null, attestationRoots });
    holders.set(vetted.key.keyid, vetted.claims.owner);
    return vetted;
  });
}

function toRevocations(
  { revocations = [] }: TrustChangeRequest,
  trustedRoot: TrustedRoot,
  now: Instant,
): TrustedRoot['revocations'] {
  const holders = holdersOf(trustedRoot);
  return revocations.map(({ keyid, revokedAt, reason }) => {
    if (!holders.has(keyid)) throw new RefusedError('PL-123', `no key ${keyid.slice(0, 8)} is trusted`);
    return { keyid, revokedAt: formatInstant(revokedAt ?? now), reason };
  });
}

interface NextRoot {
  readonly staged: StagedMetadata;
  readonly keys: RootKeys;
  readonly thresholds: ReturnType<typeof rootThresholds>[number];
}

/** Null when nothing about the root changes. */
function stageRoot(
  request: TrustChangeRequest,
  enrolments: readonly VettedEnrolment[],
  { workspace, now }: Judge,
): NextRoot | null {
  const { author, trustedRoot } = workspace;
  const current = author.rootKeys;
  const owners = holdersOf(trustedRoot);
  const removed = new Set(request.removedHolders ?? []);
  for (const { keyid } of request.revocations ?? []) if (isHolder(keyid, current)) removed.add(keyid);
  for (const keyid of removed) {
    if (!isHolder(keyid, current))
      throw new RefusedError('PL-123', `key ${keyid.slice(0, 8)} signs neither root nor targets`);
  }
  const nextRole = (role: 'root' | 'targets', threshold: number | undefined): ThresholdKeys => {
    const kept = current[role].holders.filter(({ publicKey }) => !removed.has(publicKey.keyid));
    const added = enrolments.filter(({ claims }) => claims.uses.includes(role));
    return {
      holders: [
        ...kept.map(({ publicKey }): KeyHolder => ({
          publicKey,
          owner: owners.get(publicKey.keyid) ?? publicKey.keyid,
        })),
        ...added.map(({ claims, key }): KeyHolder => ({ publicKey: key, owner: claims.owner })),
      ],
      threshold: threshold ?? current[role].threshold,
    };
  };
  const online = enrolments.find(({ claims }) => claims.uses.includes('online'))?.key ?? current.online;
  const keys = {
    root: nextRole('root', request.rootThreshold),
    targets: nextRole('targets', request.targetsThreshold),
    online,
  };
  const isSame = request.renewRoot !== true && describeKeys(keys) === describeKeys(current);
  if (isSame) return null;
  const staged = stageChecked(author, keys, now + GATE_LIMITS.rootLifetimeMs);
  const thresholds = {
    version: staged.version,
    rootThreshold: keys.root.threshold,
    targetsThreshold: keys.targets.threshold,
  };
  return { staged, keys, thresholds };
}

/** A threshold that the holders cannot reach is a contradiction of the request, not of a file: PL-123. */
function stageChecked(author: TrustAuthor, keys: RootKeys, expiresAt: Instant): StagedMetadata {
  try {
    return author.stageRoot({ ...keys, expiresAt });
  } catch (cause) {
    if (!hasCode(cause, 'TR-109')) throw cause;
    throw new RefusedError('PL-123', `too few holders would be left: ${(cause as Error).message}`, { cause });
  }
}

function isHolder(keyid: string, { root, targets }: RootKeys): boolean {
  return [...root.holders, ...targets.holders].some(({ publicKey }) => publicKey.keyid === keyid);
}

function describeKeys({ root, targets, online }: RootKeys): string {
  const list = ({ holders, threshold }: ThresholdKeys): string =>
    `${threshold} of ${holders.map(({ publicKey }) => publicKey.keyid).join(' ')}`;
  return [list(root), list(targets), online.keyid].join('\n');
}

function toReference({ version, digest }: StagedMetadata): { version: number; digest: { sha256: string } } {
  return { version, digest: { sha256: digest } };
}

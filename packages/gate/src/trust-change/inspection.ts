// SPDX-License-Identifier: Apache-2.0
/**
 * What a trust change is, recomputed from the bytes on this machine: from the keys in force, the enrolments and the staged
 * metadata the new trusted root is made once more, and must be the one that was proposed. Whatever is not is PL-103.
 */
import {
  formatTrustedRoot,
  isValidAt,
  parseStatement,
  parseTrustedRoot,
  trustChange,
  type TrustChange,
  type TrustedKey,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { equalBytes, findSigners, parseInstant, RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import {
  compareRoots,
  parseStagedMetadata,
  readStagedTargets,
  rootKeysOf,
  rootThresholds,
  stagedEffectivityKey,
  toTargetContent,
  TRUSTED_ROOT_PATH,
  type RootDifference,
  type StagedMetadata,
} from '@witnessmark/trust';
import { changed, recompute } from '../changed.ts';
import type { Workspace } from '../workspace.ts';
import { vetKeyEnrolment, type VettedEnrolment } from './enrolment.ts';
import { holdersOf, nextTrustedRoot } from './next-trusted-root.ts';
import { checkRolesApart } from './separation.ts';
import type { StoredChange } from './store.ts';

/** A change whose parts agree with each other; whether it still follows what is published is another question. */
export interface InspectedChange {
  readonly changeId: string;
  readonly stored: StoredChange;
  readonly change: TrustChange;
  /** SHA-256 of the change statement's payload: what holders' decisions name. */
  readonly digest: string;
  readonly proposer: TrustedKey;
  readonly document: TrustedRoot;
  readonly root: StagedMetadata | null;
  readonly targets: StagedMetadata;
}

/** What a change does to the keys in force. */
export interface TrustDifference {
  readonly root: RootDifference | null;
  readonly enrolments: readonly VettedEnrolment[];
  readonly revocations: TrustedRoot['revocations'];
}

/** Throws PL-103 unless statement, document and staged metadata name each other. */
export function inspectChange(stored: StoredChange, { keys }: Pick<Workspace, 'keys'>): InspectedChange {
  const { changeId } = stored;
  const { statement, proposer } = readChange(stored, keys);
  const { predicate, subject } = statement;
  if (predicate.changeId !== changeId) throw changed(changeId, `it is ${predicate.changeId}`);
  if (sha256Hex(stored.document) !== subject[0].digest.sha256)
    throw changed(changeId, 'the trusted root is another one');
  const parts = recompute(changeId, null, () => ({
    document: parseTrustedRoot(stored.document),
    root: stored.root === null ? null : parseStagedMetadata('root', stored.root),
    targets: parseStagedMetadata('targets', stored.targets),
  }));
  const isNamed = (staged: StagedMetadata | null, named: TrustChange['root']): boolean =>
    staged === null ? named === null : staged.digest === named?.digest.sha256 && staged.version === named.version;
  if (!isNamed(parts.root, predicate.root) || !isNamed(parts.targets, predicate.targets)) {
    throw changed(changeId, 'the staged metadata is not what the change names');
  }
  const enrolled = stored.enrolments.map(({ payload }) => sha256Hex(payload));
  if (enrolled.join() !== predicate.enrolments.map(({ sha256 }) => sha256).join()) {
    throw changed(changeId, 'the enrolments are not those the change names');
  }
  return { changeId, stored, change: predicate, digest: sha256Hex(stored.change.payload), proposer, ...parts };
}

/**
 * Makes the change once more from what is published, and says what it does. Throws PL-115 when something else was
 * published since, PL-103 for a document or metadata that does more than it says, LS-521 for two roles in one person, and
 * what vetting a key throws.
 */
export function recomputeChange(
  { changeId, stored, change, document, root, targets }: InspectedChange,
  { author, trustedRoot }: Workspace,
  attestationRoots: readonly Bytes[],
): TrustDifference {
  const { targetsVersion, rootVersion } = author.state;
  const isNext = targets.version === targetsVersion + 1 && (root === null || root.version === rootVersion + 1);
  if (!isNext || document.version !== trustedRoot.version + 1) {
    throw new RefusedError(
      'PL-115',
      `${changeId} does not follow targets version ${targetsVersion}, root ${rootVersion}`,
    );
  }
  const holders = holdersOf(trustedRoot);
  const context = { holderOf: (keyid: string) => holders.get(keyid) ?? null, attestationRoots };
  const enrolments = stored.enrolments.map((envelope) => vetKeyEnrolment(envelope, context));
  const revocations = document.revocations.slice(trustedRoot.revocations.length);
  const difference = root === null ? null : compareRoots(author.repository, root);
  const effectivityKey = stagedEffectivityKey(targets);
  const again = nextTrustedRoot(trustedRoot, {
    enrolments,
    revocations,
    rootKeys: root === null ? author.rootKeys : rootKeysOf(root),
    effectivityKey,
    roots: [...rootThresholds(author.repository), ...(root === null ? [] : [thresholdsOf(root)])],
    at: parseInstant(change.proposedAt),
  });
  if (!equalBytes(formatTrustedRoot(again), stored.document)) {
    throw changed(changeId, 'the trusted root does more than enrol and revoke');
  }
  const joining = new Set(enrolments.map(({ claims }) => claims.owner));
  checkRolesApart(again, joining, parseInstant(change.proposedAt));
  const content = toTargetContent(TRUSTED_ROOT_PATH, stored.document);
  const staged = author.stageTargets({ add: [content], effectivityKey, expiresAt: targets.expiresAt });
  if (staged.digest !== targets.digest || !readStagedTargets(targets).has(TRUSTED_ROOT_PATH)) {
    throw changed(changeId, 'the staged targets do more than publish the trusted root');
  }
  checkNewKeysEnrolled(
    changeId,
    difference,
    effectivityKey.keyid === author.effectivityKey.keyid ? null : effectivityKey.keyid,
    enrolments,
  );
  return { root: difference, enrolments, revocations };
}

/** A key that comes into the repository was enrolled for what it is to sign. */
function checkNewKeysEnrolled(
  changeId: string,
  difference: RootDifference | null,
  newEffectivityKeyid: string | null,
  enrolments: readonly VettedEnrolment[],
): void {
  const demand = (use: VettedEnrolment['claims']['uses'][number], keyid: string): void => {
    const isEnrolled = enrolments.some(({ key, claims }) => key.keyid === keyid && claims.uses.includes(use));
    if (!isEnrolled) throw changed(changeId, `key ${keyid.slice(0, 8)} signs ${use} and was not enrolled for it`);
  };
  for (const role of ['root', 'targets'] as const) {
    for (const { keyid } of difference?.[role].added ?? []) demand(role, keyid);
  }
  if (difference?.online != null) demand('online', difference.online.after.keyid);
  if (newEffectivityKeyid !== null) demand('effectivity', newEffectivityKeyid);
}

function thresholdsOf(root: StagedMetadata): ReturnType<typeof rootThresholds>[number] {
  const keys = rootKeysOf(root);
  return { version: root.version, rootThreshold: keys.root.threshold, targetsThreshold: keys.targets.threshold };
}

function readChange(
  { changeId, change }: StoredChange,
  keys: readonly TrustedKey[],
): { readonly statement: ReturnType<typeof parseStatement<TrustChange>>; readonly proposer: TrustedKey } {
  const mayPropose = keys.filter(({ role }) => role === 'author' || role === 'approver');
  const signers = findSigners(
    change,
    mayPropose.map(({ key }) => key),
  );
  const statement = recompute(changeId, null, () => parseStatement(trustChange, change.payload));
  const { proposedBy, proposedAt } = statement.predicate;
  const proposer = mayPropose.find(
    (key) =>
      key.owner === proposedBy.id &&
      signers.some(({ keyid }) => keyid === key.key.keyid) &&
      isValidAt(key, parseInstant(proposedAt)),
  );
  if (proposer === undefined) throw changed(changeId, `it is not signed by ${proposedBy.id}`);
  return { statement, proposer };
}

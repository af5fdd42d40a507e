// SPDX-License-Identifier: Apache-2.0
/** A root beside the one before it (TUF 5.3.4): what differs, and whose signatures are still missing under both. */
import type { Root } from '@tufjs/models';
import type { PublicKey } from '@witnessmark/core';
import { toRootKeys, type KeyHolder, type RootKeys, type ThresholdKeys } from './metadata-builder.ts';
import { parseRoot } from './metadata.ts';
import type { Repository } from './repository.ts';
import type { MetadataSignature, StagedMetadata } from './staged-metadata.ts';

export interface RoleChange {
  readonly added: readonly PublicKey[];
  readonly removed: readonly PublicKey[];
  readonly kept: readonly PublicKey[];
  readonly threshold: { readonly before: number; readonly after: number };
}

export interface RootDifference {
  readonly version: number;
  readonly root: RoleChange;
  readonly targets: RoleChange;
  /** The key of snapshot and timestamp; null when it stays. */
  readonly online: { readonly before: PublicKey; readonly after: PublicKey } | null;
  readonly expires: { readonly before: string; readonly after: string };
}

/** How many holders each root of a repository asks for, oldest first. */
export function rootThresholds({ files }: Pick<Repository, 'files'>): readonly RootThresholds[] {
  return [...files]
    .filter(([name]) => name.endsWith('.root.json'))
    .map(([, bytes]) => parseRoot(bytes).signed)
    .sort((left, right) => left.version - right.version)
    .map(({ version, roles }) => ({
      version,
      rootThreshold: roles['root']?.threshold ?? 0,
      targetsThreshold: roles['targets']?.threshold ?? 0,
    }));
}

export interface RootThresholds {
  readonly version: number;
  readonly rootThreshold: number;
  readonly targetsThreshold: number;
}

/** The keys of a staged root. */
export function rootKeysOf({ document }: StagedMetadata): RootKeys {
  return toRootKeys(parseRoot(document).signed);
}

export function compareRoots({ root }: Pick<Repository, 'root'>, staged: StagedMetadata): RootDifference {
  const next = parseRoot(staged.document).signed;
  const [before, after] = [toRootKeys(root.signed), toRootKeys(next)];
  return {
    version: next.version,
    root: compareRole(before.root, after.root),
    targets: compareRole(before.targets, after.targets),
    online: before.online.keyid === after.online.keyid ? null : { before: before.online, after: after.online },
    expires: { before: root.signed.expires, after: next.expires },
  };
}

/** How many more holders have to sign; a signature of somebody who holds a key before and after counts on both sides. */
export interface MissingHolders {
  readonly before: number;
  readonly after: number;
}

/**
 * Whose signatures a staged document still lacks: under the root in force, and under the staged root when there is one.
 * Signatures are taken to be verified.
 */
export function missingHolders(
  { root }: Pick<Repository, 'root'>,
  staged: StagedMetadata,
  stagedRoot: StagedMetadata | null,
  signatures: readonly MetadataSignature[],
): MissingHolders {
  const next = stagedRoot === null ? root.signed : parseRoot(stagedRoot.document).signed;
  return {
    before: countMissing(root.signed, staged.role, signatures),
    after: countMissing(next, staged.role, signatures),
  };
}

function countMissing({ roles }: Root, role: string, signatures: readonly MetadataSignature[]): number {
  const { keyIDs = [], threshold = 0 } = roles[role] ?? {};
  const signed = new Set(signatures.map(({ keyid }) => keyid).filter((keyid) => keyIDs.includes(keyid)));
  return Math.max(0, threshold - signed.size);
}

function compareRole(before: ThresholdKeys, after: ThresholdKeys): RoleChange {
  const isIn = (list: ThresholdKeys, { publicKey }: KeyHolder): boolean =>
    list.holders.some((other) => other.publicKey.keyid === publicKey.keyid);
  const keysOf = (holders: readonly KeyHolder[]): readonly PublicKey[] => holders.map(({ publicKey }) => publicKey);
  return {
    added: keysOf(after.holders.filter((holder) => !isIn(before, holder))),
    removed: keysOf(before.holders.filter((holder) => !isIn(after, holder))),
    kept: keysOf(after.holders.filter((holder) => isIn(before, holder))),
    threshold: { before: before.threshold, after: after.threshold },
  };
}

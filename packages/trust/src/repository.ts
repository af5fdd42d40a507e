// SPDX-License-Identifier: Apache-2.0
/**
 * A repository read whole and checked from its pinned root down (TUF 5.3–5.6, without the clock): what authors build on
 * and what a mirror copies. Stations and lines use {@link TrustClient}, which judges freshness and remembers.
 */
import type { Metadata, MetaFile, Root, Snapshot, Targets, Timestamp } from '@tufjs/models';
import { equalBytes, RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { TRUST_LIMITS } from './limits.ts';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp, verifySignatures } from './metadata.ts';
import { readSourceFile, type RepositorySource } from './source.ts';
import type { TargetInfo } from './target-content.ts';
import { EFFECTIVITY_ROLE, metadataFileName, targetFileName } from './target-path.ts';
import type { TrustState } from './trust-state.ts';

/** The metadata of one moment, and the files it was read from. */
export interface Repository {
  readonly root: Metadata<Root>;
  readonly timestamp: Metadata<Timestamp>;
  readonly snapshot: Metadata<Snapshot>;
  readonly targets: Metadata<Targets>;
  readonly effectivity: Metadata<Targets>;
  /** Metadata files by name: every root, and the current files of the other roles. */
  readonly files: ReadonlyMap<string, Bytes>;
}

/** Reads and checks a repository; throws the TR- code of the first thing that does not hold. */
export async function loadRepository(source: RepositorySource, initialRoot: Bytes): Promise<Repository> {
  const files = new Map<string, Bytes>();
  const root = await walkRoots(source, initialRoot, files);
  const timestamp = parseTimestamp(await readMetadata(source, files, 'timestamp', null));
  verifySignatures(root, 'timestamp', timestamp);
  const snapshotFile = timestamp.signed.snapshotMeta;
  const snapshot = parseSnapshot(await readMetadata(source, files, 'snapshot', snapshotFile));
  verifySignatures(root, 'snapshot', snapshot);
  checkVersion('snapshot', snapshot.signed.version, snapshotFile);

  const readTargets = async (
    role: string,
    delegator: Metadata<Root> | Metadata<Targets>,
  ): Promise<Metadata<Targets>> => {
    const file = snapshot.signed.meta[`${role}.json`] as MetaFile;
    const metadata = parseTargets(await readMetadata(source, files, role, file));
    verifySignatures(delegator, role, metadata);
    checkVersion(role, metadata.signed.version, file);
    return metadata;
  };
  const targets = await readTargets('targets', root);
  const effectivity = await readTargets(EFFECTIVITY_ROLE, targets);
  return { root, timestamp, snapshot, targets, effectivity, files };
}

/** What a repository lists: the targets approvers signed, then what operations signed within their paths. */
export function listTargets(repository: Pick<Repository, 'targets' | 'effectivity'>): ReadonlyMap<string, TargetInfo> {
  const { targets, effectivity } = repository;
  const delegation = targets.signed.delegations?.roles?.[EFFECTIVITY_ROLE];
  const listed = new Map<string, TargetInfo>();
  for (const [path, target] of Object.entries(effectivity.signed.targets)) {
    if (delegation?.isDelegatedPath(path) === true) listed.set(path, toTargetInfo(path, target));
  }
  for (const [path, target] of Object.entries(targets.signed.targets)) listed.set(path, toTargetInfo(path, target));
  return listed;
}

export function toTrustState(repository: Repository): TrustState {
  return {
    rootVersion: repository.root.signed.version,
    targetsVersion: repository.targets.signed.version,
    snapshotVersion: repository.snapshot.signed.version,
    timestampVersion: repository.timestamp.signed.version,
    timestampExpiresAt: repository.timestamp.signed.expires,
    effectivityVersion: repository.effectivity.signed.version,
  };
}

/** The chunks of a listed target; the caller checks them. Throws TR-107. */
export async function openTarget(source: RepositorySource, target: TargetInfo): Promise<AsyncIterable<Bytes>> {
  const chunks = await source.open(targetFileName(target.path, target.sha256));
  if (chunks === null) throw new RefusedError('TR-107', `${target.path} is listed but missing`);
  return chunks;
}

export function toTargetInfo(
  path: string,
  target: { readonly length: number; readonly hashes: Record<string, string> },
): TargetInfo {
  return { path, length: target.length, sha256: target.hashes['sha256'] as string };
}

/**
 * Follows the roots from version 1 (TUF 5.3.4–5.3.8). The pinned root must be one of them; version 1 is believed only
 * because the pinned one follows from it or is it.
 */
async function walkRoots(
  source: RepositorySource,
  initialRoot: Bytes,
  files: Map<string, Bytes>,
): Promise<Metadata<Root>> {
  const pinned = parseRoot(initialRoot);
  let current: Metadata<Root> | null = null;
  for (let version = 1; version <= TRUST_LIMITS.maxRootRotations; version += 1) {
    const name = metadataFileName('root', version);
    const bytes = await readSourceFile(source, name, TRUST_LIMITS.maxMetadataBytes.root);
    if (bytes === null) break;
    const next = parseRoot(bytes);
    if (next.signed.version !== version) {
      throw new RefusedError('TR-106', `${name} holds root version ${next.signed.version}`);
    }
    if (current !== null) verifySignatures(current, 'root', next, 'TR-106');
    verifySignatures(next, 'root', next, 'TR-106');
    if (version === pinned.signed.version && !equalBytes(bytes, initialRoot)) {
      throw new RefusedError('TR-106', `${name} is not the root that was pinned`);
    }
    files.set(name, bytes);
    current = next;
  }
  if (current === null || current.signed.version < pinned.signed.version) {
    throw new RefusedError('TR-107', `root version ${(current?.signed.version ?? 0) + 1} is missing`);
  }
  return current;
}

async function readMetadata(
  source: RepositorySource,
  files: Map<string, Bytes>,
  role: string,
  file: MetaFile | null,
): Promise<Bytes> {
  const name = metadataFileName(role, file?.version ?? null);
  const type = role === 'timestamp' || role === 'snapshot' ? role : 'targets';
  const bytes = await readSourceFile(source, name, TRUST_LIMITS.maxMetadataBytes[type]);
  if (bytes === null) throw new RefusedError('TR-107', `${name} is missing`);
  if (file !== null && (bytes.length !== file.length || sha256Hex(bytes) !== file.hashes?.['sha256'])) {
    throw new RefusedError('TR-103', `${name} is not the file that was signed for`);
  }
  files.set(name, bytes);
  return bytes;
}

function checkVersion(role: string, version: number, file: MetaFile): void {
  if (version !== file.version) {
    throw new RefusedError('TR-103', `${role} has version ${version} where version ${file.version} was signed for`);
  }
}

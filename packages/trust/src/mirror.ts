// SPDX-License-Identifier: Apache-2.0
/**
 * A complete copy of a repository in another directory, for example on a stick (spec/trust-repository.md). The copy is
 * checked from the pinned root down while it is made, and a reader of the destination finds the old state or the new one.
 */
import { join } from 'node:path';
import type { Metadata, Root } from '@tufjs/models';
import { RefusedError, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { TrustError } from './error.ts';
import { readFile, type Files } from './files.ts';
import { TRUST_LIMITS } from './limits.ts';
import { parseTimestamp, verifySignatures } from './metadata.ts';
import { nodeFiles } from './node-files.ts';
import { writePublication } from './publication.ts';
import { listTargets, loadRepository, openTarget, toTrustState } from './repository.ts';
import { DirectorySource } from './source.ts';
import { metadataFileName, targetFileName } from './target-path.ts';
import type { TrustState } from './trust-state.ts';

const TIMESTAMP_FILE = metadataFileName('timestamp', null);
const DIRECTORIES = ['metadata', 'targets'];

export interface MirrorOptions {
  readonly initialRoot: Bytes;
  readonly files?: Files;
}

export interface MirrorResult {
  readonly state: TrustState;
  readonly metadataFiles: number;
  readonly targets: number;
  /** Bytes of all targets. */
  readonly targetBytes: number;
}

/**
 * Copies `repositoryDir` to `destinationDir`; what else is in the two directories of a repository there is removed
 * afterwards, so that a stick carries nothing unknown. Throws TR- codes for a source that does not verify, before the copy
 * becomes visible; TR-101 when the destination is newer; `ERR_TRUST_EXISTS` when it is a directory for something else.
 */
export async function mirror(
  repositoryDir: string,
  destinationDir: string,
  { initialRoot, files = nodeFiles }: MirrorOptions,
): Promise<MirrorResult> {
  const source = new DirectorySource(repositoryDir, files);
  const repository = await loadRepository(source, initialRoot);
  await checkDestination(files, destinationDir, repository.root, repository.timestamp.signed.version);
  const targets = [...listTargets(repository).values()];
  const isTimestamp = ([name]: readonly [string, Bytes]): boolean => name === TIMESTAMP_FILE;
  await writePublication({
    directory: destinationDir,
    files,
    contents: targets.map((target) => ({ ...target, open: () => openTarget(source, target) })),
    groups: [
      new Map([...repository.files].filter((file) => !isTimestamp(file))),
      new Map([...repository.files].filter(isTimestamp)),
    ],
  });
  const expected = new Set(repository.files.keys());
  for (const target of targets) expected.add(targetFileName(target.path, target.sha256));
  for (const directory of DIRECTORIES) await removeOthers(files, destinationDir, directory, expected);
  return {
    state: toTrustState(repository),
    metadataFiles: repository.files.size,
    targets: targets.length,
    targetBytes: targets.reduce((sum, target) => sum + target.length, 0),
  };
}

async function checkDestination(
  files: Files,
  destinationDir: string,
  root: Metadata<Root>,
  timestampVersion: number,
): Promise<void> {
  for (const { name, kind } of await files.list(destinationDir)) {
    if (kind !== 'directory' || !DIRECTORIES.includes(name)) {
      throw new TrustError('ERR_TRUST_EXISTS', `${destinationDir} holds ${name}, which belongs to no repository`);
    }
  }
  const bytes = await readFile(files, join(destinationDir, TIMESTAMP_FILE), TRUST_LIMITS.maxMetadataBytes.timestamp);
  const found = bytes === null ? 0 : readVersion(root, bytes);
  if (found > timestampVersion) {
    throw new RefusedError(
      'TR-101',
      `${destinationDir} has timestamp version ${found}, newer than ${timestampVersion}`,
    );
  }
}

/** The version of a timestamp, or 0 for one that does not verify and so protects nothing. */
function readVersion(root: Metadata<Root>, bytes: Bytes): number {
  try {
    const timestamp = parseTimestamp(bytes);
    verifySignatures(root, 'timestamp', timestamp);
    return timestamp.signed.version;
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return 0;
    throw cause;
  }
}

async function removeOthers(
  files: Files,
  destinationDir: string,
  directory: string,
  expected: ReadonlySet<string>,
): Promise<void> {
  for (const { name, kind } of await files.list(join(destinationDir, directory))) {
    const path = `${directory}/${name}`;
    if (kind === 'directory') await removeOthers(files, destinationDir, path, expected);
    else if (!expected.has(path)) await files.remove(join(destinationDir, path));
  }
}

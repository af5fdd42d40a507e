// SPDX-License-Identifier: Apache-2.0
/** Version 1 of everything: the one moment at which no earlier root vouches for the keys. */
import { join } from 'node:path';
import type { Bytes, Instant } from '@witnessmark/core';
import { TrustError } from './error.ts';
import { readFile, type Files } from './files.ts';
import { buildFirstRoot } from './first-root.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';
import { TRUST_LIMITS } from './limits.ts';
import { formatMetadata, verifySignatures } from './metadata.ts';
import { buildDelegatedTargets, buildSnapshot, buildTimestamp, toMetaFile, type RootKeys } from './metadata-builder.ts';
import { writePublication } from './publication.ts';
import { signMetadata, type MetadataSigner, type RepositorySigners } from './staged-metadata.ts';
import type { TargetContent } from './target-content.ts';
import { EFFECTIVITY_ROLE, metadataFileName } from './target-path.ts';

const TIMESTAMP_FILE = metadataFileName('timestamp', null);

export interface CreateRepositoryOptions {
  readonly directory: string;
  readonly files: Files;
  readonly keys: Pick<RootKeys, 'root' | 'targets'>;
  /** Enough signers of root and targets to meet both thresholds. */
  readonly approvers: readonly MetadataSigner[];
  readonly signers: RepositorySigners;
  readonly targets: readonly TargetContent[];
  /** Within the paths of the effectivity role. */
  readonly delegated: readonly TargetContent[];
  readonly lifetimes?: Lifetimes;
  readonly now: Instant;
}

/**
 * Creates a repository and returns its first root, which everybody who reads it must be given by another way. Throws
 * `ERR_TRUST_EXISTS` when a complete one is there, and TR-110, PL-102 or PL-111 for keys no root may have.
 */
export async function createRepository(options: CreateRepositoryOptions): Promise<Bytes> {
  const { directory, files, now } = options;
  const timestamp = await readFile(files, join(directory, TIMESTAMP_FILE), TRUST_LIMITS.maxMetadataBytes.timestamp);
  if (timestamp !== null) throw new TrustError('ERR_TRUST_EXISTS', `${directory} holds a repository already`);

  const { keys, approvers, signers, lifetimes = DEFAULT_LIFETIMES } = options;
  const first = buildFirstRoot({
    keys,
    online: signers.online.publicKey,
    effectivity: signers.effectivity.publicKey,
    targets: options.targets,
    lifetimes,
    now,
  });
  const root = await signMetadata(first.root, approvers);
  verifySignatures(root, 'root', root, 'TR-106');
  const targets = await signMetadata(first.targets, approvers);
  verifySignatures(root, 'targets', targets);
  const effectivity = await signMetadata(buildDelegatedTargets(options.delegated, 1, now + lifetimes.effectivity), [
    signers.effectivity,
  ]);

  const rootBytes = formatMetadata(root);
  const targetsBytes = formatMetadata(targets);
  const effectivityBytes = formatMetadata(effectivity);
  const listed = {
    'targets.json': toMetaFile(1, targetsBytes),
    [`${EFFECTIVITY_ROLE}.json`]: toMetaFile(1, effectivityBytes),
  };
  const snapshotBytes = formatMetadata(
    await signMetadata(buildSnapshot(listed, 1, now + lifetimes.snapshot), [signers.online]),
  );
  const timestampBytes = formatMetadata(
    await signMetadata(buildTimestamp(toMetaFile(1, snapshotBytes), 1, now + lifetimes.timestamp), [signers.online]),
  );
  const versioned = new Map([
    [metadataFileName('root', 1), rootBytes],
    [metadataFileName('targets', 1), targetsBytes],
    [metadataFileName(EFFECTIVITY_ROLE, 1), effectivityBytes],
    [metadataFileName('snapshot', 1), snapshotBytes],
  ]);
  await writePublication({
    directory,
    files,
    contents: [...options.targets, ...options.delegated],
    groups: [versioned, new Map([[TIMESTAMP_FILE, timestampBytes]])],
  });
  return rootBytes;
}

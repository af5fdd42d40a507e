// SPDX-License-Identifier: Apache-2.0
/** Which releases of a trust repository have sealed images. */
import { parseReleaseManifest } from '@witnessmark/attestation';
import { nodeFiles, releaseManifestPath, TrustAuthor } from '@witnessmark/trust';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';

const MANIFEST_PATH = /^releases\/(.+)\.json$/;

interface SealedReleasesOptions {
  readonly data: string | undefined;
  readonly repository?: string | undefined;
  readonly root?: string | undefined;
}

/** Ids of the releases whose images the repository holds sealed, from the pinned root down. */
export async function readSealedReleases(options: SealedReleasesOptions): Promise<ReadonlySet<string>> {
  const data = options.data === undefined ? undefined : DataDirectory.open(options.data);
  const directory = options.repository ?? data?.repository;
  const root = options.root ?? data?.pinnedRoot;
  if (directory === undefined) throw usageError('--data (or WITNESSMARK_DATA) or --repository is missing');
  if (root === undefined) throw usageError('--data (or WITNESSMARK_DATA) or --root is missing');
  const repository = await TrustAuthor.open({
    directory,
    initialRoot: readFile(root, DOCUMENT_BYTES),
    files: nodeFiles,
  });
  const sealed = new Set<string>();
  for (const path of repository.listTargets().keys()) {
    if (!MANIFEST_PATH.test(path)) continue;
    const { releaseId, components } = parseReleaseManifest(await repository.readTarget(path));
    const isSealed = components.some((component) => component.sealed !== undefined);
    if (isSealed && releaseManifestPath(releaseId) === path) sealed.add(releaseId);
  }
  return sealed;
}

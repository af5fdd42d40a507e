// SPDX-License-Identifier: Apache-2.0
/**
 * Writing a repository so that readers never see half of it. Every file but `timestamp.json` has a name of its own version
 * or digest, so it appears unseen; what makes the new state visible is one rename, after everything else is durable.
 */
import { dirname, join } from 'node:path';
import { hasCode, type Bytes } from '@witnessmark/core';
import { installFile, type Files } from './files.ts';
import { checkContent, verifyContent, type TargetContent } from './target-content.ts';
import { targetFileName } from './target-path.ts';

interface PublicationFiles {
  readonly directory: string;
  readonly files: Files;
  readonly contents: readonly TargetContent[];
  /** Metadata files by name, in groups: each group is durable before the next is begun. */
  readonly groups: readonly ReadonlyMap<string, Bytes>[];
}

/** Throws TR-105 for contents that are not what is listed; what was written by then is invisible. */
export async function writePublication({ directory, files, contents, groups }: PublicationFiles): Promise<void> {
  const metadataDirectory = join(directory, 'metadata');
  const missing = await selectMissing(files, directory, contents);
  const targetDirectories = new Set([...missing.keys()].map((path) => dirname(path)));
  for (const path of [metadataDirectory, ...targetDirectories]) await files.makeDirectory(path);
  for (const [path, content] of missing) {
    await installFile(files, path, checkContent(content, await content.open()));
  }
  for (const path of withParents(targetDirectories, directory)) await files.syncDirectory(path);
  for (const group of groups) {
    if (group.size === 0) continue;
    for (const [name, bytes] of group) await installFile(files, join(directory, name), [bytes]);
    await files.syncDirectory(metadataDirectory);
  }
}

/** Contents by the path they belong at, without those that are there. */
async function selectMissing(
  files: Files,
  directory: string,
  contents: readonly TargetContent[],
): Promise<ReadonlyMap<string, TargetContent>> {
  const missing = new Map<string, TargetContent>();
  for (const content of contents) {
    const path = join(directory, targetFileName(content.path, content.sha256));
    if (!(await isIntact(files, path, content))) missing.set(path, content);
  }
  return missing;
}

/** The directories and those above them, up to `base`, deepest first. */
function withParents(directories: Iterable<string>, base: string): readonly string[] {
  const all = new Set([base]);
  for (const path of directories) {
    for (let parent = path; parent.length > base.length; parent = dirname(parent)) all.add(parent);
  }
  return [...all].sort((left, right) => right.length - left.length);
}

/** Whether an earlier attempt, or an earlier release, left the very bytes there. */
async function isIntact(files: Files, path: string, content: TargetContent): Promise<boolean> {
  const file = await files.open(path);
  if (file === null) return false;
  try {
    await verifyContent(content, file.chunks);
    return true;
  } catch (cause) {
    if (hasCode(cause, 'TR-105')) return false;
    throw cause;
  }
}

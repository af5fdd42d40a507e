// SPDX-License-Identifier: Apache-2.0
/** Files of one directory, by a path somebody sent: plain names only, no links, nothing outside, nothing hidden. */
import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Readable } from 'node:stream';

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MAX_PATH_LENGTH = 512;

interface StaticFile {
  readonly length: number;
  readonly stream: Readable;
}

/** Whether the path stays below any directory it is joined to, on every file system. */
export function isPlainPath(path: string): boolean {
  return path.length <= MAX_PATH_LENGTH && path.split('/').every((segment) => SEGMENT.test(segment));
}

/** A regular file below `root`; null when there is none under this path. The caller reads or destroys the stream. */
export async function openStaticFile(root: string, path: string): Promise<StaticFile | null> {
  if (!isPlainPath(path)) return null;
  let file: FileHandle | null = null;
  try {
    const base = await realpath(root);
    const target = join(base, ...path.split('/'));
    // A link anywhere on the way would lead to another real path.
    if ((await realpath(target)) !== target || !target.startsWith(base + sep)) return null;
    file = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW);
    const status = await file.stat();
    if (!status.isFile()) {
      await file.close();
      return null;
    }
    return { length: status.size, stream: file.createReadStream() };
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG';
}

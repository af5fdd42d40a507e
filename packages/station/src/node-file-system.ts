// SPDX-License-Identifier: Apache-2.0
/** The adapter to a real disk. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import type { FileSystem, OpenFile } from './file-system.ts';

/** A file system rooted at `root`; files and directories are readable by their owner alone. */
export function openNodeFileSystem(root: string): FileSystem {
  const at = (path: string): string => join(root, path);
  return {
    async makeDirectory(path) {
      const topmost = await mkdir(at(path), { recursive: true, mode: 0o700 });
      if (topmost === undefined) return;
      // Each new name is durable once the directory that holds it is.
      for (let parent = dirname(resolve(at(path))); ; parent = dirname(parent)) {
        await syncPath(parent);
        if (parent === dirname(resolve(topmost))) return;
      }
    },
    list: (path) => readdir(at(path)),
    async read(path) {
      try {
        return new Uint8Array(await readFile(at(path)));
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async open(path, mode) {
      return toOpenFile(await open(at(path), mode === 'create' ? 'w' : 'a', 0o600));
    },
    rename: (from, to) => rename(at(from), at(to)),
    remove: (path) => rm(at(path)),
    syncDirectory: (path) => syncPath(at(path)),
  };
}

function toOpenFile(file: FileHandle): OpenFile {
  return {
    write: (bytes) => file.appendFile(bytes),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

async function syncPath(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

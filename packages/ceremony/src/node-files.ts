// SPDX-License-Identifier: Apache-2.0
/** The adapter to a real disk, and the lock that keeps two programs from holding one ceremony. */
import { createHash } from 'node:crypto';
import { constants, realpathSync } from 'node:fs';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import type { CeremonyFile, CeremonyFiles } from './ceremony-files.ts';

/** Files below `root`, readable by their owner alone. */
export function nodeCeremonyFiles(root: string): CeremonyFiles {
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
    read: (path, maxBytes) => readWhole(at(path), maxBytes),
    async open(path, mode) {
      return toCeremonyFile(await open(at(path), mode === 'create' ? 'w' : 'a', 0o600));
    },
    rename: (from, to) => rename(at(from), at(to)),
    syncDirectory: (path) => syncPath(at(path)),
  };
}

/**
 * Takes the directory of a ceremony for this process, until `release` or the end of the process, however it ends. The
 * directory must exist. Throws CE-108 when another process has it.
 */
export async function lockCeremony(root: string): Promise<{ readonly release: () => void }> {
  const name = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 40);
  const lock: Server = createServer();
  const locked = Promise.withResolvers<undefined>();
  lock.once('error', locked.reject);
  // A name in Linux's abstract socket space: free again when the process ends.
  lock.listen(`\0witnessmark-ceremony-${name}`, () => {
    locked.resolve(undefined);
  });
  try {
    await locked.promise;
  } catch (cause) {
    throw new RefusedError('CE-108', `another process holds the ceremony in ${root}`, { cause });
  }
  lock.unref();
  return { release: () => void lock.close() };
}

async function readWhole(path: string, maxBytes: number): Promise<Bytes | null> {
  const file = await openRegular(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw new RefusedError('CE-109', `${path} has ${size} bytes; at most ${maxBytes} are read`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

async function openRegular(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new RefusedError('CE-109', `${path} is not a regular file`);
}

function toCeremonyFile(file: FileHandle): CeremonyFile {
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

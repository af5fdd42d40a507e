// SPDX-License-Identifier: Apache-2.0
/** The file port on the file system of Node. */
import { constants, type Dirent } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Bytes } from '@witnessmark/core';
import { TrustError } from './error.ts';
import type { Chunks, DirectoryEntry, Files, OpenFile } from './files.ts';

const CHUNK_BYTES = 256 * 1024;
/** A link on a medium must not lead elsewhere, and a pipe must not block. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export const nodeFiles: Files = {
  async open(path: string): Promise<OpenFile | null> {
    try {
      const stats = await lstat(path);
      if (!stats.isFile()) throw new TrustError('ERR_TRUST_FILE', `${path} is not a regular file`);
      return { length: stats.size, chunks: readChunksOf(path) };
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw cause instanceof TrustError ? cause : fileError(path, cause);
    }
  },

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.map(toDirectoryEntry).sort((left, right) => (left.name < right.name ? -1 : 1));
    } catch (cause) {
      if (isMissing(cause)) return [];
      throw fileError(path, cause);
    }
  },

  async write(path: string, chunks: Chunks): Promise<void> {
    const handle = await open(path, 'w', 0o644);
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  rename,

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  },

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
  },

  async syncDirectory(path: string): Promise<void> {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Opens the file when the first chunk is asked for, so that nobody has to close what he never read. */
async function* readChunksOf(path: string): AsyncGenerator<Bytes> {
  const handle = await openRegular(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Looks again at what was opened: the name may have changed hands since it was looked at. */
async function openRegular(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ_FLAGS);
  } catch (cause) {
    throw fileError(path, cause);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new TrustError('ERR_TRUST_FILE', `${path} is not a regular file`);
}

function toDirectoryEntry(entry: Dirent): DirectoryEntry {
  return { name: entry.name, kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other' };
}

function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function fileError(path: string, cause: unknown): TrustError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new TrustError('ERR_TRUST_FILE', `${path} cannot be read (${code})`, { cause });
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The file port: the few operations every durable step here is built from, each of which may fail or be the last one before
 * a power cut.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Bytes } from '@witnessmark/core';
import type { ByteSource } from './archive/byte-source.ts';
import { BoundaryError } from './error.ts';

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;
/** A link must not lead elsewhere, and a pipe must not block. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that stays the same one while it is open, whatever happens to its name. */
export interface OpenedFile extends ByteSource {
  close(): Promise<void>;
}

export interface FoundEntry {
  /** As bytes: a file system may hold names that are no text. */
  readonly name: Bytes;
  /** Links, devices, pipes and sockets are `other`. */
  readonly kind: 'file' | 'directory' | 'other';
}

export interface BoundaryFiles {
  /** Null when there is none. Rejects with `ERR_BOUNDARY_FILE` for what is not a regular file. */
  open(path: string): Promise<OpenedFile | null>;
  /** Null when there is no such directory. */
  list(directory: string): Promise<readonly FoundEntry[] | null>;
  /** Creates the directory and its parents, for this user only. */
  makeDirectory(path: string): Promise<void>;
  /** Writes a new file, for this user only, and makes its bytes durable; rejects when the name is taken. */
  writeNew(path: string, content: Bytes): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; succeeds when there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export const nodeFiles: BoundaryFiles = {
  async open(path) {
    try {
      return await openRegular(path);
    } catch (cause) {
      if (cause instanceof BoundaryError) throw cause;
      if (errnoOf(cause) === 'ENOENT') return null;
      throw fileError(path, cause);
    }
  },

  async list(directory) {
    try {
      // A link in the place of the directory would show another one.
      if (!(await lstat(directory)).isDirectory()) return null;
      const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' });
      return entries.map((entry) => ({
        name: new Uint8Array(entry.name),
        kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other',
      }));
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return null;
      throw fileError(directory, cause);
    }
  },

  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY });
  },

  async writeNew(path, content) {
    const handle = await open(path, 'wx', PRIVATE_FILE);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  rename,

  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },

  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Reads a whole file; null when there is none. Throws `ERR_BOUNDARY_FILE` when it is larger than `maxBytes`. */
export async function readWhole(files: BoundaryFiles, path: string, maxBytes: number): Promise<Bytes | null> {
  const file = await files.open(path);
  if (file === null) return null;
  try {
    if (file.size > maxBytes) throw new BoundaryError('ERR_BOUNDARY_FILE', `${path} has more than ${maxBytes} bytes`);
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

async function openRegular(path: string): Promise<OpenedFile> {
  const handle = await open(path, READ_FLAGS);
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw new BoundaryError('ERR_BOUNDARY_FILE', `${path} is not a regular file`);
  }
  return {
    size: stats.size,
    read: (offset, length) => readExactly(handle, path, offset, length),
    close: () => handle.close(),
  };
}

async function readExactly(handle: FileHandle, path: string, offset: number, length: number): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) throw new BoundaryError('ERR_BOUNDARY_FILE', `${path} became shorter while it was read`);
    at += bytesRead;
  }
  return bytes;
}

function errnoOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}

function fileError(path: string, cause: unknown): BoundaryError {
  return new BoundaryError('ERR_BOUNDARY_FILE', `${path} cannot be read (${errnoOf(cause) ?? 'unknown'})`, { cause });
}

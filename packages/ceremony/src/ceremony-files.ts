// SPDX-License-Identifier: Apache-2.0
/**
 * What a ceremony needs from a disk, at the level of the calls that make bytes durable, so that a simulated disk can lose,
 * keep or tear whatever was not synced. Paths are relative to the directory of the one ceremony.
 */
import { RefusedError, WitnessmarkError, type Bytes } from '@witnessmark/core';

export interface CeremonyFile {
  /** Appends; not durable before {@link sync}. */
  write(bytes: Bytes): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface CeremonyFiles {
  /** Creates the directory and its parents, durably; not an error when it exists. */
  makeDirectory(path: string): Promise<void>;
  /** The whole file, or null when there is none. Rejects for one that is longer than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Bytes | null>;
  /** `create` starts an empty file, `append` goes on at the end of an existing one. */
  open(path: string, mode: 'create' | 'append'): Promise<CeremonyFile>;
  /** Replaces `to`; the new name is durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

/** Writes a file so that after a crash there is the old one or the new one, and returns when that is durable. */
export async function installFile(files: CeremonyFiles, path: string, bytes: Bytes): Promise<void> {
  const draft = `${path}.draft`;
  const file = await files.open(draft, 'create');
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(draft, path);
  await files.syncDirectory('.');
}

/** Does work on the disk; what the disk refuses becomes CE-108. */
export async function durably<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof WitnessmarkError || !isFileError(cause)) throw cause;
    throw new RefusedError('CE-108', `${doing} failed (${cause.code})`, { cause });
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The file port: the few operations from which every durable step here is built, each of which may fail or be the last
 * one before a power cut. Paths are absolute or relative to the process.
 */
import { concatBytes, type Bytes } from '@witnessmark/core';
import { dirname } from 'node:path';
import { TrustError } from './error.ts';

export type Chunks = AsyncIterable<Bytes> | Iterable<Bytes>;

export interface OpenFile {
  readonly length: number;
  /** The content, once; the file is open only inside the loop. */
  readonly chunks: AsyncIterable<Bytes>;
}

export interface DirectoryEntry {
  readonly name: string;
  /** Links and devices are `other`, whatever they lead to. */
  readonly kind: 'file' | 'directory' | 'other';
}

export interface Files {
  /** Null when there is no such file. Rejects with `ERR_TRUST_FILE` for links, directories and devices. */
  open(path: string): Promise<OpenFile | null>;
  /** What is in a directory, sorted by name; empty when it does not exist. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** Writes a file anew and makes its bytes durable before it resolves; its name needs {@link syncDirectory}. */
  write(path: string, chunks: Chunks): Promise<void>;
  /** Replaces `to` in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a directory with everything in it; succeeds when there is none. */
  remove(path: string): Promise<void>;
  /** Creates a directory and its parents. */
  makeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** A file being written; never a name anybody reads. */
function partialPath(path: string): string {
  return `${path}.partial`;
}

/** Writes or replaces a file so that a reader, and a restart, finds the old one or the new one. */
export async function replaceFile(files: Files, path: string, chunks: Chunks): Promise<void> {
  await installFile(files, path, chunks);
  await files.syncDirectory(dirname(path));
}

/** As {@link replaceFile}, for several files of one directory: the caller syncs it once. */
export async function installFile(files: Files, path: string, chunks: Chunks): Promise<void> {
  await files.write(partialPath(path), chunks);
  await files.rename(partialPath(path), path);
}

/** Reads a whole file; null when there is none. Throws `ERR_TRUST_FILE_TOO_LARGE`. */
export async function readFile(files: Files, path: string, maxBytes: number): Promise<Bytes | null> {
  const file = await files.open(path);
  if (file === null) return null;
  const bytes = await readChunks(file.chunks, maxBytes);
  if (bytes === null) throw new TrustError('ERR_TRUST_FILE_TOO_LARGE', `${path} has more than ${maxBytes} bytes`);
  return bytes;
}

/** Collects chunks; null as soon as there are more than `maxBytes`. */
export async function readChunks(chunks: Chunks, maxBytes: number): Promise<Bytes | null> {
  const parts: Bytes[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) return null;
    parts.push(chunk);
  }
  return concatBytes(...parts);
}

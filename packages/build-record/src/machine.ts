// SPDX-License-Identifier: Apache-2.0
/** The machine a build is measured on, as the few questions measuring asks. Adapter of the file system. */
import { createHash } from 'node:crypto';
import { lstatSync, openSync, closeSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { BuildRecordError } from './error.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Of a file read as text; those measured are small, the list of packages aside. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
}

export interface Machine {
  /** Null when there is no such file. */
  readText(path: string): string | null;
  /** Names, sorted; empty when there is no such directory. */
  list(path: string): readonly string[];
  /** Null when there is nothing. Links are not followed. */
  facts(path: string): FileFacts | null;
  readLink(path: string): string;
  /** The whole file, or null when there is none. */
  readBytes(path: string): Bytes | null;
  /** SHA-256 of a file, lower-case hexadecimal. */
  digest(path: string): string;
}

/** The machine whose root directory is at `root`. Reading throws `ERR_BUILD_RECORD_UNREADABLE`, never "nothing there". */
export function openMachine(root = '/'): Machine {
  const at = (path: string): string => join(root, path);
  return {
    readText: (path) =>
      attempt(path, () => {
        const bytes = readFileSync(at(path));
        if (bytes.length > MAX_TEXT_BYTES) throw new Error('too long');
        return bytes.toString('utf8');
      }),
    readBytes: (path) => attempt(path, () => new Uint8Array(readFileSync(at(path)))),
    list: (path) => attempt(path, () => readdirSync(at(path)).sort()) ?? [],
    facts: (path) =>
      attempt(path, () => {
        const stats = lstatSync(at(path));
        const kind = stats.isFile()
          ? 'file'
          : stats.isDirectory()
            ? 'directory'
            : stats.isSymbolicLink()
              ? 'link'
              : 'other';
        return { kind, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 };
      }),
    readLink: (path) => attempt(path, () => readlinkSync(at(path))) ?? '',
    digest: (path) => attempt(path, () => hashFile(at(path))) ?? 'missing',
  };
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** Absent is an answer; anything else that goes wrong means that nobody can tell. */
function attempt<T>(path: string, work: () => T): T | null {
  try {
    return work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENODEV') return null;
    throw new BuildRecordError('ERR_BUILD_RECORD_UNREADABLE', `${path} cannot be read`, { cause });
  }
}

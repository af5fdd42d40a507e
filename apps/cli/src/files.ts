// SPDX-License-Identifier: Apache-2.0
/** Reading with a limit, writing so that a file is there wholly or not at all. */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { CliError } from './error.ts';
import { errnoOf } from './exit-codes.ts';
import type { Session } from './session.ts';

/** More than any trusted root, policy or metadata file; their readers have limits of their own. */
export const DOCUMENT_BYTES: number = 8 * 1024 * 1024;

/** `-` stands for stdin. Throws `ERR_CLI_INPUT`. */
export async function readInput(session: Session, path: string, maxBytes: number): Promise<Bytes> {
  return path === '-' ? session.terminal.readInput(maxBytes) : readFile(path, maxBytes);
}

/** Reads a regular file; a larger one is refused before it is taken in. Throws `ERR_CLI_INPUT`. */
export function readFile(path: string, maxBytes: number): Bytes {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(file);
      if (!status.isFile()) throw inputError(path, 'is not a regular file');
      if (status.size > maxBytes) throw inputError(path, `has ${status.size} bytes; at most ${maxBytes} are read`);
      const bytes = new Uint8Array(status.size);
      for (let at = 0; at < bytes.length;) {
        const read = readSync(file, bytes, at, bytes.length - at, null);
        if (read === 0) throw inputError(path, 'became shorter while it was read');
        at += read;
      }
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw inputError(path, `cannot be read (${errnoOf(cause) ?? 'unknown'})`, cause);
  }
}

/** Replaces a file in one step; after a crash there is the old or the new one. */
export function writeFile(path: string, bytes: Bytes, mode = 0o644): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const file = openSync(temporary, 'w', mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function inputError(path: string, what: string, cause?: unknown): CliError {
  return new CliError('ERR_CLI_INPUT', `${path} ${what}`, { cause });
}

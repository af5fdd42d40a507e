// SPDX-License-Identifier: Apache-2.0
/** The file port for a thread that has nothing else to do: every step waits in the kernel. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { concatBytes, type Bytes } from '@witnessmark/core';
import type { FilePort } from './file-port.ts';
import { ignoreIfExists, undefinedIfMissing } from './node-files.ts';

/* eslint-disable @typescript-eslint/require-await -- the port is asynchronous because other implementations are */
export const blockingFiles: FilePort = {
  read: async (path) => attempt(() => Uint8Array.from(readFileSync(path)), undefinedIfMissing),
  list: async (directory) => attempt(() => readdirSync(directory), undefinedIfMissing) ?? [],
  makeDirectory: async (path) => {
    attempt(() => {
      mkdirSync(path);
    }, ignoreIfExists);
  },
  writeSynced: async (path, parts) => {
    const bytes = parts.length === 1 ? (parts[0] as Bytes) : concatBytes(...parts);
    const file = openSync(path, 'w', 0o644);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  rename: async (from, to) => {
    renameSync(from, to);
  },
  syncDirectory: async (path) => {
    const directory = openSync(path, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  },
  remove: async (path) => {
    rmSync(path, { recursive: true, force: true });
  },
};

function attempt<T, U>(run: () => T, recover: (error: NodeJS.ErrnoException) => U): T | U {
  try {
    return run();
  } catch (error) {
    return recover(error as NodeJS.ErrnoException);
  }
}

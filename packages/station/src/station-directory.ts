// SPDX-License-Identifier: Apache-2.0
/** Adapter: the directory of one station on a real disk, for one process at a time. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StationError } from './error.ts';
import type { FileSystem } from './file-system.ts';
import { RUNNING_FILE } from './journal.ts';
import { openNodeFileSystem } from './node-file-system.ts';

export interface StationDirectory {
  readonly files: FileSystem;
  /** Ends the work: verdicts given so far count as seen. */
  close(): void;
}

/**
 * Opens the directory and holds it; throws `ERR_STATION_LOCKED` when another process does. Two processes would each
 * take the other's open unit for an interrupted one. The lock is SQLite's on an empty file: the kernel drops it with
 * the process, so none is ever stale.
 */
export function openStationDirectory(path: string): StationDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(path, 'lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new StationError('ERR_STATION_LOCKED', `another process works in ${path}`, { cause });
  }
  return {
    files: openNodeFileSystem(path),
    close: () => {
      rmSync(join(path, RUNNING_FILE), { force: true });
      lock.close();
    },
  };
}

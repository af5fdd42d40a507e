// SPDX-License-Identifier: Apache-2.0
/** Adapter: the directory of one station on a real disk, for one process at a time. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StationError } from './error.ts';
import type { FileSystem } from './file-system.ts';
import { JOURNAL_DIRECTORY, JOURNAL_SUFFIX, RUNNING_FILE } from './journal.ts';
import { openNodeFileSystem } from './node-file-system.ts';

export interface StationDirectory {
  readonly files: FileSystem;
  /** What one slot keeps. Slot 1 keeps what a station with one place keeps, so that a second place orphans nothing. */
  slot(number: number): FileSystem;
  /** Throws `ERR_STATION_SLOT_OPEN` when a slot besides these holds units that are not finished. */
  requireSlots(numbers: readonly number[]): void;
  /** Ends the work: verdicts given so far count as seen. */
  close(): void;
  /** Lets go of it without having been the station. */
  release(): void;
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
  const folders = new Set(['.']);
  return {
    files: openNodeFileSystem(path),
    slot: (number) => {
      const folder = folderOf(number);
      folders.add(folder);
      mkdirSync(join(path, folder), { recursive: true, mode: 0o700 });
      return openNodeFileSystem(join(path, folder));
    },
    requireSlots: (numbers) => {
      const open = findOpenSlots(path).find((number) => !numbers.includes(number));
      if (open === undefined) return;
      const what = `slot ${open} holds units that are not finished; configure it, and let it finish them`;
      throw new StationError('ERR_STATION_SLOT_OPEN', `${path}: ${what}`);
    },
    close: () => {
      for (const folder of folders) rmSync(join(path, folder, RUNNING_FILE), { force: true });
      lock.close();
    },
    release: () => {
      lock.close();
    },
  };
}

function folderOf(slot: number): string {
  return slot === 1 ? '.' : `slot-${slot}`;
}

function findOpenSlots(path: string): readonly number[] {
  const numbers = readdirSync(path).flatMap((name) => (/^slot-[2-8]$/.test(name) ? [Number(name.slice(5))] : []));
  return [1, ...numbers].filter((slot) => {
    const folder = join(path, folderOf(slot), JOURNAL_DIRECTORY);
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(JOURNAL_SUFFIX)) : [];
    return names.some((name) => !isClosed(readFileSync(join(folder, name), 'utf8')));
  });
}

/** A transaction that ended keeps its file until its verdict was seen; nothing is left to do for it. */
function isClosed(text: string): boolean {
  return text.trimEnd().split('\n').at(-1)?.includes('"kind":"closed"') === true;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Makes SQLite's write-ahead log durable beside the thread that writes it. With `synchronous=FULL` a COMMIT syncs the log
 * itself, and everything else waits as long as the disk does; with `NORMAL` it leaves that out and nothing else
 * (https://sqlite.org/pragma.html#pragma_synchronous): checkpoints sync log and database as ever. The sync that was left out
 * is made here, of the same file, before a commit is answered.
 */
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from './error.ts';

export class WalSync {
  readonly #file: number;

  private constructor(file: number) {
    this.#file = file;
  }

  /**
   * For a database that is open: its log exists, and stays the same file as long. Syncs what is found there, for a process
   * that was killed may have committed what it did not sync. Throws `ERR_STORE_IO`.
   */
  static open(databasePath: string): WalSync {
    try {
      const file = openSync(`${databasePath}-wal`, 'r+');
      fdatasyncSync(file);
      syncDirectory(dirname(databasePath));
      return new WalSync(file);
    } catch (cause) {
      throw notSynced(cause);
    }
  }

  /** Resolves when all that was committed is durable. After `ERR_STORE_IO` nobody knows what is. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#file, (cause) => {
        if (cause === null) resolve();
        else reject(notSynced(cause));
      });
    });
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** A file's name, too, has to be there after a power cut. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function notSynced(cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('ERR_STORE_IO', `the database could not be synced: ${reason}`, { cause });
}

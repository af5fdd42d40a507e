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

  /**
   * For a database that is open: its log exists, and stays the same file as long. Syncs what is found there, for a process
   * that was killed may have committed what it did not sync.
   */
  constructor(databasePath: string) {
    this.#file = openSync(`${databasePath}-wal`, 'r+');
    fdatasyncSync(this.#file);
    // The log's name has to be there after a power cut, too.
    const directory = openSync(dirname(databasePath), 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }

  /** Resolves when all that was committed is durable. After `ERR_STORE_IO` nobody knows what is. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#file, (cause) => {
        if (cause === null) resolve();
        else reject(new StoreError('ERR_STORE_IO', `the database could not be synced: ${cause.message}`, { cause }));
      });
    });
  }

  close(): void {
    closeSync(this.#file);
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One writer per database. The lock is SQLite's own file lock on a small file beside the database, held for as long as
 * the writer lives: the kernel drops it with the process, so that no stale lock survives a crash.
 */
import { DatabaseSync } from 'node:sqlite';
import { RefusedError } from '@witnessmark/core';
import { isBusy } from './sqlite-error.ts';

export class WriterLock {
  readonly #holder: DatabaseSync;

  private constructor(holder: DatabaseSync) {
    this.#holder = holder;
  }

  /** Takes the lock or throws `LG-110`; never waits. */
  static acquire(databasePath: string): WriterLock {
    const holder = new DatabaseSync(`${databasePath}.lock`, { timeout: 0 });
    try {
      holder.exec('BEGIN EXCLUSIVE');
      return new WriterLock(holder);
    } catch (error) {
      holder.close();
      if (isBusy(error)) throw new RefusedError('LG-110', `another process writes ${databasePath}`);
      throw error;
    }
  }

  release(): void {
    this.#holder.close();
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps a reader at what is durable while a commit is not: SQLite shows a transaction to others as soon as it is committed,
 * and nobody is to be told what a power cut could still take back.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { runStatement, toStoreError } from './sqlite-error.ts';

export class ReaderHold {
  readonly #begin: StatementSync;
  readonly #look: StatementSync;
  readonly #end: StatementSync;

  constructor(reader: DatabaseSync) {
    this.#begin = reader.prepare('BEGIN');
    this.#look = reader.prepare('SELECT 1 FROM head');
    this.#end = reader.prepare('COMMIT');
  }

  /** From now on the reader sees what is committed at this moment; its first read takes the snapshot. */
  hold(): void {
    try {
      this.#begin.run();
      this.#look.get();
    } catch (error) {
      throw toStoreError(error);
    }
  }

  release(): void {
    runStatement(this.#end);
  }
}

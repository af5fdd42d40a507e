// SPDX-License-Identifier: Apache-2.0
/**
 * Applies the view changes of a group of entries inside the open transaction; an entry that the views refuse is refused
 * alone. Conflicts are rare, and a savepoint costs as much as an entry's changes do: the group is applied without any and,
 * when one of its entries is refused, again from the start with one for each.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { StoreError } from './error.ts';
import { ChangeExecutor } from './sqlite-changes.ts';
import { runStatement } from './sqlite-error.ts';
import type { CommitOutcome, CommitRequest, EntryChanges } from './store.ts';
import type { ViewChange } from './view-change.ts';

export class EntryApplier {
  readonly #changes: ChangeExecutor;
  readonly #begin: StatementSync;
  readonly #rollback: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #rollbackTo: StatementSync;

  constructor(writer: DatabaseSync) {
    this.#changes = new ChangeExecutor(writer);
    this.#begin = writer.prepare('BEGIN IMMEDIATE');
    this.#rollback = writer.prepare('ROLLBACK');
    this.#savepoint = writer.prepare('SAVEPOINT entry');
    this.#release = writer.prepare('RELEASE entry');
    this.#rollbackTo = writer.prepare('ROLLBACK TO entry');
  }

  /** Begins a transaction and leaves it open. Throws a `StoreError` when the database itself fails. */
  applyAll(request: CommitRequest): CommitOutcome {
    runStatement(this.#begin);
    try {
      return applyEach(request, (list) => {
        this.#apply(list);
        return undefined;
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    runStatement(this.#rollback);
    runStatement(this.#begin);
    return applyEach(request, (list) => this.#applyOrUndo(list));
  }

  /** Makes all changes of one entry or none; returns why it was refused. */
  #applyOrUndo(list: readonly ViewChange[]): Error | undefined {
    runStatement(this.#savepoint);
    try {
      this.#apply(list);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      runStatement(this.#rollbackTo);
      runStatement(this.#release);
      return error;
    }
    runStatement(this.#release);
    return undefined;
  }

  #apply(list: readonly ViewChange[]): void {
    for (const change of list) this.#changes.apply(change);
  }
}

/** `apply` makes an entry's changes or returns why it was refused. */
function applyEach(
  { expected, entries }: CommitRequest,
  apply: (list: readonly ViewChange[]) => Error | undefined,
): CommitOutcome {
  const accepted: number[] = [];
  const refused = new Map<number, Error>();
  const firstIndex = expected?.treeSize ?? 0;
  for (const [position, changes] of entries.entries()) {
    const list = listChanges(changes, firstIndex + accepted.length);
    const refusal = list instanceof Error ? list : list.length === 0 ? undefined : apply(list);
    if (refusal === undefined) accepted.push(position);
    else refused.set(position, refusal);
  }
  return { accepted, refused };
}

/** What an entry asks for, or why it refuses itself. */
function listChanges(changes: EntryChanges, index: number): readonly ViewChange[] | Error {
  try {
    return changes?.(index) ?? [];
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Whether the entry is to blame, and not the database. */
function isRefusal(error: unknown): error is Error {
  const isStorageFailure =
    error instanceof StoreError &&
    (error.code === 'ERR_STORE_IO' || error.code === 'ERR_STORE_FULL' || error.code === 'ERR_STORE_CORRUPT');
  return error instanceof Error && !isStorageFailure;
}

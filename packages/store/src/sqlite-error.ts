// SPDX-License-Identifier: Apache-2.0
/** SQLite's result codes (https://sqlite.org/rescode.html) as store errors, mapped in this one place. */
import type { StatementSync } from 'node:sqlite';
import { ConflictError, StoreError } from './error.ts';

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_NOTADB = 26;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;

/** The low byte of an extended result code is its primary code. */
const PRIMARY_CODE_MASK = 0xff;

interface SqliteFailure extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  readonly errcode: number;
}

function isSqliteFailure(error: unknown): error is SqliteFailure {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error;
}

export function isBusy(error: unknown): boolean {
  return isSqliteFailure(error) && (error.errcode & PRIMARY_CODE_MASK) === SQLITE_BUSY;
}

/** Translates what node:sqlite throws; other errors are returned as they are. */
export function toStoreError(error: unknown): Error {
  if (!isSqliteFailure(error)) return error instanceof Error ? error : new Error(String(error));
  if (error.errcode === SQLITE_CONSTRAINT_UNIQUE || error.errcode === SQLITE_CONSTRAINT_PRIMARYKEY) {
    return uniqueConflict(error);
  }
  switch (error.errcode & PRIMARY_CODE_MASK) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return new StoreError('ERR_STORE_ROW', `a row breaks the schema: ${error.message}`, { cause: error });
    case SQLITE_FULL:
      return new StoreError('ERR_STORE_FULL', 'the disk of the database is full', { cause: error });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new StoreError('ERR_STORE_CORRUPT', `the database file is damaged: ${error.message}`, { cause: error });
    default:
      return new StoreError('ERR_STORE_IO', `the database failed: ${error.message}`, { cause: error });
  }
}

/** Runs a statement that returns nothing; throws as {@link toStoreError} says. */
export function runStatement(statement: StatementSync): void {
  try {
    statement.run();
  } catch (error) {
    throw toStoreError(error);
  }
}

/** SQLite names the columns in its message: `UNIQUE constraint failed: event.device_id, event.seq`. */
function uniqueConflict(error: SqliteFailure): ConflictError {
  const named = /constraint failed: (.+)$/.exec(error.message)?.[1]?.split(', ') ?? [];
  const table = named[0]?.split('.')[0] ?? '';
  const columns = named.map((name) => name.slice(name.indexOf('.') + 1));
  return new ConflictError(`${table}: another row has this ${columns.join(' and ')}`, {
    kind: 'unique',
    table,
    columns,
    cause: error,
  });
}

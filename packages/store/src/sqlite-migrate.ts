// SPDX-License-Identifier: Apache-2.0
/** Brings a database to this program's schema, and refuses one that another history or a newer program made. */
import type { DatabaseSync } from 'node:sqlite';
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import { StoreError } from './error.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

const CREATE_LEDGER =
  'CREATE TABLE IF NOT EXISTS schema_migration (id INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT';

/** Applies what is missing in one transaction; throws `ERR_STORE_SCHEMA`. */
export function migrate(database: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(CREATE_LEDGER);
    const applied = checkApplied(database, migrations);
    const record = database.prepare('INSERT INTO schema_migration (id, name, checksum) VALUES (?, ?, ?)');
    for (const migration of migrations.slice(applied)) {
      database.exec(migration.sql);
      record.run(migration.id, migration.name, checksum(migration));
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Throws `ERR_STORE_SCHEMA` unless the database has exactly this program's schema; for readers, who must not write. */
export function checkSchema(database: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): void {
  if (checkApplied(database, migrations) !== migrations.length) {
    throw new StoreError('ERR_STORE_SCHEMA', 'the database has an older schema; open it for writing once');
  }
}

/** How many migrations the database has; all of them must be ours, in our order, with our text. */
function checkApplied(database: DatabaseSync, migrations: readonly Migration[]): number {
  const rows = database.prepare('SELECT id, checksum FROM schema_migration ORDER BY id').all();
  for (const [position, row] of rows.entries()) {
    const known = migrations[position];
    if (known === undefined) {
      throw new StoreError('ERR_STORE_SCHEMA', 'the database was made by a newer program; upgrade this one');
    }
    if (row['id'] !== known.id || row['checksum'] !== checksum(known)) {
      throw new StoreError('ERR_STORE_SCHEMA', `migration ${known.id} of the database is not the one of this program`);
    }
  }
  return rows.length;
}

function checksum(migration: Migration): string {
  return sha256Hex(encodeUtf8(migration.sql));
}

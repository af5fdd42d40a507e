// SPDX-License-Identifier: Apache-2.0
/** Executes view changes with prepared statements, one per shape of change. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ConflictError } from './error.ts';
import { toStoreError } from './sqlite-error.ts';
import type { CountChange, InsertChange, UpdateChange, UseChange, ViewChange } from './view-change.ts';
import { VIEW_TABLES, type Row, type ViewTable } from './view-tables.ts';

const COUNT =
  'INSERT INTO release_use (release_id, line, units) VALUES (?, ?, ?) ' +
  'ON CONFLICT (release_id, line) DO UPDATE SET units = units + excluded.units RETURNING units';

const USE =
  'UPDATE operator_session SET units = units + ?, last_used_at = MAX(last_used_at, ?) WHERE payload_digest = ?';
const USE_WHILE_OPEN = `${USE} AND state = 'open' AND units < batch_units`;

export class ChangeExecutor {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Makes one change inside the open transaction. Throws `ConflictError`, or `StoreError` as SQLite's codes say. */
  apply(change: ViewChange): void {
    try {
      switch (change.op) {
        case 'insert':
          this.#insert(change);
          return;
        case 'update':
          this.#update(change);
          return;
        case 'count':
          this.#count(change);
          return;
        case 'use':
          this.#use(change);
          return;
      }
    } catch (error) {
      throw toStoreError(error);
    }
  }

  #insert(change: InsertChange<ViewTable>): void {
    const { columns } = VIEW_TABLES[change.table];
    const statement = this.#prepare(`i ${change.table}`, () => {
      const marks = columns.map(() => '?').join(', ');
      return `INSERT INTO ${change.table} (${columns.join(', ')}) VALUES (${marks})`;
    });
    const row = change.row as unknown as Row;
    statement.run(...columns.map((column) => row[column] ?? null));
  }

  #update(change: UpdateChange<ViewTable>): void {
    const set = Object.entries(change.set as Row);
    const where = [...Object.entries(change.key as Row), ...Object.entries(change.expect as Row)];
    const statement = this.#prepare(`u ${change.table} ${columnNames(set)} ${columnNames(where)}`, () => {
      // Column names reach SQL text, so only the schema's own are let through.
      const assignments = set.map(([column]) => `${knownColumn(change.table, column)} = ?`).join(', ');
      const conditions = where.map(([column]) => `${knownColumn(change.table, column)} IS ?`).join(' AND ');
      return `UPDATE ${change.table} SET ${assignments} WHERE ${conditions}`;
    });
    const { changes } = statement.run(...set.map(([, value]) => value), ...where.map(([, value]) => value));
    if (changes !== 1 && (change.ifPresent !== true || this.#isPresent(change))) {
      throw new ConflictError(`${change.table}: no row is in the state the entry goes on from`, {
        kind: 'expectation',
        table: change.table,
        columns: [],
      });
    }
  }

  #isPresent({ table, key }: UpdateChange<ViewTable>): boolean {
    const entries = Object.entries(key as Row);
    const statement = this.#prepare(`p ${table} ${columnNames(entries)}`, () => {
      const conditions = entries.map(([column]) => `${knownColumn(table, column)} IS ?`).join(' AND ');
      return `SELECT 1 FROM ${table} WHERE ${conditions}`;
    });
    return statement.get(...entries.map(([, value]) => value)) !== undefined;
  }

  #count(change: CountChange): void {
    const statement = this.#prepare('c', () => COUNT);
    const row = statement.get(change.key.release_id, change.key.line, change.by);
    const units = row?.['units'] as number;
    if (change.max !== undefined && units > change.max) {
      throw new ConflictError(`release_use: ${units} units would pass the maximum of ${change.max}`, {
        kind: 'limit',
        table: change.table,
        columns: ['units'],
      });
    }
  }

  #use({ table, digest, units, at, whileOpen }: UseChange): void {
    const statement = this.#prepare(whileOpen === true ? 'o' : 's', () => (whileOpen === true ? USE_WHILE_OPEN : USE));
    const { changes } = statement.run(units, at, digest);
    if (changes === 1) return;
    throw new ConflictError(`${table}: no session is in the state the entry goes on from`, {
      kind: 'expectation',
      table,
      columns: [],
    });
  }

  #prepare(shape: string, sql: () => string): StatementSync {
    let statement = this.#statements.get(shape);
    if (statement === undefined) {
      statement = this.#database.prepare(sql());
      this.#statements.set(shape, statement);
    }
    return statement;
  }
}

function columnNames(entries: readonly (readonly [string, unknown])[]): string {
  let names = '';
  for (const [column] of entries) names += `${column},`;
  return names;
}

function knownColumn(table: ViewTable, column: string): string {
  const columns: readonly string[] = VIEW_TABLES[table].columns;
  if (!columns.includes(column)) throw new TypeError(`the table ${table} has no column ${column}`);
  return column;
}

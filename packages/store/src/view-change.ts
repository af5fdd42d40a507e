// SPDX-License-Identifier: Apache-2.0
/**
 * What an entry does to the views, as data: a pure projection computes the changes, any database executes them, and the
 * same entries give the same rows wherever they are replayed.
 */
import type { ViewRows, ViewTable } from './view-tables.ts';

/** Adds a whole row; a taken unique value is a conflict. */
export interface InsertChange<Table extends ViewTable> {
  readonly op: 'insert';
  readonly table: Table;
  readonly row: ViewRows[Table];
}

/**
 * Changes exactly one row: the one with `key` whose present values are `expect`; none is a conflict. With `ifPresent` it
 * is none only when a row with `key` is there.
 */
export interface UpdateChange<Table extends ViewTable> {
  readonly op: 'update';
  readonly table: Table;
  readonly key: Partial<ViewRows[Table]>;
  readonly expect: Partial<ViewRows[Table]>;
  readonly set: Partial<ViewRows[Table]>;
  readonly ifPresent?: true;
}

/** Counts a unit for a release on a line, from zero; passing `max` is a conflict. A replay from the log needs no `max`. */
export interface CountChange {
  readonly op: 'count';
  readonly table: 'release_use';
  readonly key: { readonly release_id: string; readonly line: string };
  readonly by: number;
  readonly max?: number;
}

/**
 * Notes that work was done in a session, found by its payload digest; none is a conflict. With `whileOpen` it has to be
 * open with units left, which a replay from the log need not ask again.
 */
export interface UseChange {
  readonly op: 'use';
  readonly table: 'operator_session';
  readonly digest: string;
  /** Units begun by it: one or none. */
  readonly units: 0 | 1;
  /** RFC 3339 with milliseconds; an earlier time than the one noted changes nothing. */
  readonly at: string;
  readonly whileOpen?: true;
}

export type ViewChange =
  { [Table in ViewTable]: InsertChange<Table> | UpdateChange<Table> }[ViewTable] | CountChange | UseChange;

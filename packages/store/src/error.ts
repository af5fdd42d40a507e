// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError, type ErrorDetails } from '@witnessmark/core';

export type StoreErrorCode =
  /** A view change cannot be made in the present state; the entry that asked for it is refused. */
  | 'ERR_STORE_CONFLICT'
  /** A row breaks the schema: a wrong type, an unknown state, a missing value. */
  | 'ERR_STORE_ROW'
  /** The head is not the one the caller built upon: somebody else wrote. */
  | 'ERR_STORE_STALE_HEAD'
  /** The disk is full. Nothing of the commit was stored. */
  | 'ERR_STORE_FULL'
  /** Reading or writing failed; what was stored is unknown until the store is opened again. */
  | 'ERR_STORE_IO'
  | 'ERR_STORE_CORRUPT'
  | 'ERR_STORE_SCHEMA'
  | 'ERR_STORE_DURABILITY'
  | 'ERR_STORE_CLOSED';

export class StoreError extends WitnessmarkError<StoreErrorCode> {}

export type ConflictKind =
  /** A unique value is taken already. */
  | 'unique'
  /** No row has the key and the values that were expected. */
  | 'expectation'
  /** A counter would pass its maximum. */
  | 'limit';

export interface ConflictDetails extends ErrorDetails {
  readonly kind: ConflictKind;
  readonly table: string;
  /** The columns of the constraint; empty when an expectation failed. */
  readonly columns: readonly string[];
}

/** The views do not allow what an entry asks for: a second device with one label, a step from a state that is gone. */
export class ConflictError extends StoreError {
  readonly kind: ConflictKind;
  readonly table: string;
  readonly columns: readonly string[];

  constructor(message: string, details: ConflictDetails) {
    super('ERR_STORE_CONFLICT', message, details);
    this.kind = details.kind;
    this.table = details.table;
    this.columns = details.columns;
  }

  /** Whether this is the violation of the unique constraint on exactly these columns. */
  isUnique(table: string, ...columns: readonly string[]): boolean {
    return (
      this.kind === 'unique' &&
      this.table === table &&
      this.columns.length === columns.length &&
      columns.every((column) => this.columns.includes(column))
    );
  }
}

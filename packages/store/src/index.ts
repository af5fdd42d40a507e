// SPDX-License-Identifier: Apache-2.0
export { DISK_RESERVES, DiskGuard, freeBytesOf } from './disk-guard.ts';
export { ConflictError, StoreError } from './error.ts';
export { openScratchStore, openSqliteStore, SqliteStore } from './sqlite-store.ts';
export { UNIT_STATES, VIEW_TABLE_NAMES, VIEW_TABLES } from './view-tables.ts';

export type { DiskGuardOptions, WorkKind } from './disk-guard.ts';
export type { ConflictKind, StoreErrorCode } from './error.ts';
export type { SqliteStoreOptions } from './sqlite-store.ts';
export type {
  CommitOutcome,
  CommitRequest,
  CommitSeal,
  DumpedRow,
  EntryChanges,
  JournalRow,
  Store,
  StoredHead,
  ViewReader,
} from './store.ts';
export type { CountChange, InsertChange, UpdateChange, UseChange, ViewChange } from './view-change.ts';
export type {
  DispositionRow,
  EventRow,
  OperatorSessionRow,
  RefusalRow,
  ReleaseUseRow,
  SiteRecordRow,
  SpoolRow,
  TallyRow,
  UnitRow,
  UnitState,
  ViewRows,
  ViewTable,
} from './view-tables.ts';

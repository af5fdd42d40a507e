// SPDX-License-Identifier: Apache-2.0
/**
 * The store's contract: the log's journal, its head and the views, changed together or not at all. Nothing above this
 * file knows which database is below. The store is not trusted for content: whoever can write to it can withhold or damage
 * rows, but the head is signed and every row can be derived again from the log, so that a change is seen.
 */
import type { Bytes, Instant } from '@witnessmark/core';
import type { ViewChange } from './view-change.ts';
import type {
  DispositionRow,
  EventRow,
  OperatorSessionRow,
  RefusalRow,
  SiteRecordRow,
  SpoolRow,
  TallyRow,
  UnitRow,
  ViewTable,
} from './view-tables.ts';

/** The newest tree head. */
export interface StoredHead {
  readonly treeSize: number;
  readonly rootHash: Bytes;
  /** The signed checkpoint note of this head. */
  readonly checkpoint: Bytes;
  readonly committedAt: Instant;
}

/** Consecutive entries as they were committed, in the format of a tlog-tiles entry bundle. */
export interface JournalRow {
  readonly firstIndex: number;
  readonly entryCount: number;
  readonly entries: Bytes;
}

/**
 * The changes an entry asks for, given the index it gets; undefined when it touches no view. May throw to refuse the entry.
 * Pure: it may be asked again, with another index.
 */
export type EntryChanges = ((index: number) => readonly ViewChange[]) | undefined;

export interface CommitSeal {
  readonly head: StoredHead;
  readonly journal: JournalRow;
  /** Journal rows that end at or below this index are no longer needed. */
  readonly pruneBelow: number;
}

export interface CommitRequest {
  /** The head this commit builds upon; undefined for the first. */
  readonly expected: Pick<StoredHead, 'treeSize' | 'rootHash'> | undefined;
  readonly entries: readonly EntryChanges[];
  /**
   * Called once, with the positions of the entries that were accepted, when there is one; names the head and journal
   * row to store with them.
   */
  readonly seal: (accepted: readonly number[]) => Promise<CommitSeal>;
}

export interface CommitOutcome {
  readonly accepted: readonly number[];
  /** Why each other position was refused; nothing of a refused entry is stored. */
  readonly refused: ReadonlyMap<number, Error>;
}

/** Reads of what is durable, for admission rules and queries. */
export interface ViewReader {
  unit(deviceId: string): Promise<UnitRow | undefined>;
  unitByLabel(labelSerial: string): Promise<UnitRow | undefined>;
  unitByPublicKey(publicKeyDigest: string): Promise<UnitRow | undefined>;
  event(eventId: string): Promise<EventRow | undefined>;
  eventByDigest(payloadDigest: string): Promise<EventRow | undefined>;
  /** A device's chain in order. */
  chain(deviceId: string): Promise<readonly EventRow[]>;
  /** The newest events of a station, newest first. */
  recentEvents(station: string, limit: number): Promise<readonly EventRow[]>;
  /** The newest events that closed a unit at a station after an entry, newest first. */
  recentEndings(station: string, afterIndex: number, limit: number): Promise<readonly EventRow[]>;
  /** The newest refusals of kind UNIT_FAIL after an entry, newest first: units that failed before their intent. */
  recentUnitFails(station: string, afterIndex: number, limit: number): Promise<readonly RefusalRow[]>;
  /** The newest LS-601 of a station. */
  latestFailureStop(station: string): Promise<RefusalRow | undefined>;
  /** What a station did since a time (RFC 3339 with milliseconds). */
  tally(station: string, since: string): Promise<readonly TallyRow[]>;
  session(sessionId: string): Promise<OperatorSessionRow | undefined>;
  sessionByDigest(payloadDigest: string): Promise<OperatorSessionRow | undefined>;
  /** The one that is open at a station, and the one of a person, wherever it is. */
  openSessionAt(station: string): Promise<OperatorSessionRow | undefined>;
  openSessionOf(operator: string): Promise<OperatorSessionRow | undefined>;
  /** Oldest first. */
  openSessions(limit: number): Promise<readonly OperatorSessionRow[]>;
  refusal(refusalId: string): Promise<RefusalRow | undefined>;
  openRefusals(station: string): Promise<readonly RefusalRow[]>;
  refusalsOf(deviceId: string): Promise<readonly RefusalRow[]>;
  disposition(dispositionId: string): Promise<DispositionRow | undefined>;
  dispositionsOf(deviceId: string): Promise<readonly DispositionRow[]>;
  /** Units begun under a release on a line. */
  releaseUse(releaseId: string, line: string): Promise<number>;
  siteRecord(recordId: string): Promise<SiteRecordRow | undefined>;
  siteRecordByDigest(payloadDigest: string): Promise<SiteRecordRow | undefined>;
  /** The newest of a kind, newest first. */
  recentSiteRecords(kind: string, limit: number): Promise<readonly SiteRecordRow[]>;
  /** The newest of a kind at a station. */
  newestSiteRecord(kind: string, station: string): Promise<SiteRecordRow | undefined>;
  /** Those about a subject, in the order of the log. */
  siteRecordsAbout(subjectDigest: string): Promise<readonly SiteRecordRow[]>;
  /** Those that name `relatedId`, in the order of the log. */
  siteRecordsRelatedTo(relatedId: string): Promise<readonly SiteRecordRow[]>;
  spool(name: string): Promise<SpoolRow | undefined>;
  /** Of a station and its slots. */
  spoolsOf(station: string): Promise<readonly SpoolRow[]>;
}

/** One view row in the form that two stores are compared by. */
export interface DumpedRow {
  readonly table: ViewTable;
  /** The values of the primary key, all of them text. */
  readonly key: readonly string[];
  /** JSON array of all values, columns in the order of the schema. */
  readonly text: string;
}

export interface Store {
  readonly views: ViewReader;
  head(): Promise<StoredHead | undefined>;
  /** The journal rows still kept, in order. */
  journal(): Promise<readonly JournalRow[]>;
  /**
   * Stores the accepted entries' view changes, one journal row and the head in one durable transaction. An entry whose
   * changes conflict is refused alone. Throws a `StoreError`: after `ERR_STORE_FULL` and errors of `seal` nothing is
   * stored, after any other the outcome is unknown until the store is opened again.
   */
  commit(request: CommitRequest): Promise<CommitOutcome>;
  /** Every view row, tables in the order of `VIEW_TABLE_NAMES`, rows by the bytes of their keys. */
  dump(): AsyncIterable<DumpedRow>;
  close(): Promise<void>;
}

// SPDX-License-Identifier: Apache-2.0
/** The store on `node:sqlite`: write-ahead log, synced before a commit is answered, one writer (https://sqlite.org/wal.html). */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { encodeHex, type Bytes } from '@witnessmark/core';
import { StoreError } from './error.ts';
import { EntryApplier } from './sqlite-entries.ts';
import { runStatement as run, toStoreError } from './sqlite-error.ts';
import { checkSchema, migrate } from './sqlite-migrate.ts';
import { SqliteViews } from './sqlite-views.ts';
import type {
  CommitOutcome,
  CommitRequest,
  CommitSeal,
  DumpedRow,
  JournalRow,
  Store,
  StoredHead,
  ViewReader,
} from './store.ts';
import { ReaderHold } from './reader-hold.ts';
import { WalCheckpointer } from './wal-checkpointer.ts';
import { WalSync } from './wal-sync.ts';
import { WriterLock } from './writer-lock.ts';

/** Two journalled entries to a page when they come one by one, few pages to a group when they come in thousands. */
const PAGE_BYTES = 8_192;
const CACHE_KIB = 32 * 1024;
/** Pages a commit touches besides its journal row: head, views, indexes. */
const PAGES_PER_COMMIT = 6;
const SYNCHRONOUS_NORMAL = 1;

export interface SqliteStoreOptions {
  readonly path: string;
  /** Needs no lock, and sees one consistent snapshot, that of the moment it was opened, while a writer goes on. */
  readonly readOnly?: boolean;
}

/** Opens or creates a store. Throws `LG-110` when another writer has it, or a `StoreError`. */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, readOnly = false } = options;
  const lock = readOnly ? undefined : WriterLock.acquire(path);
  let writer: DatabaseSync | undefined;
  let reader: DatabaseSync | undefined;
  try {
    writer = new DatabaseSync(path, { readOnly, timeout: 5_000 });
    if (readOnly) {
      // The snapshot is taken by the first read of the transaction.
      writer.exec('BEGIN');
      checkSchema(writer);
      return new SqliteStore({ writer, reader: writer });
    }
    makeDurable(writer);
    migrate(writer);
    reader = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    const durability = {
      sync: WalSync.open(path),
      checkpointer: new WalCheckpointer(path, writer),
      reader: new ReaderHold(reader),
    };
    return new SqliteStore({ writer, reader, lock, durability });
  } catch (error) {
    reader?.close();
    writer?.close();
    lock?.release();
    throw toStoreError(error);
  }
}

/** An empty store on a temporary file that vanishes when it is closed: for rebuilding views beside the real ones. */
export function openScratchStore(): SqliteStore {
  const writer = new DatabaseSync('');
  writer.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
  migrate(writer);
  return new SqliteStore({ writer, reader: writer });
}

interface Connections {
  readonly writer: DatabaseSync;
  /** Sees only what is committed, also while a commit waits for its signature. */
  readonly reader: DatabaseSync;
  readonly lock?: WriterLock | undefined;
  /** What a database needs that outlives its process. */
  readonly durability?: Durability | undefined;
}

interface Durability {
  readonly sync: WalSync;
  readonly checkpointer: WalCheckpointer;
  readonly reader: ReaderHold;
}

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous because other databases are */
export class SqliteStore implements Store {
  readonly views: ViewReader;
  readonly #views: SqliteViews;
  readonly #connections: Connections;
  readonly #entries: EntryApplier;
  readonly #statements: Statements;
  #state: 'open' | 'committing' | 'failed' | 'closed' = 'open';

  constructor(connections: Connections) {
    this.#connections = connections;
    this.#views = new SqliteViews(connections.reader);
    this.views = this.#views;
    this.#entries = new EntryApplier(connections.writer);
    this.#statements = prepareStatements(connections.writer);
  }

  async head(): Promise<StoredHead | undefined> {
    this.#requireOpen();
    return this.#readHead();
  }

  async journal(): Promise<readonly JournalRow[]> {
    this.#requireOpen();
    try {
      return this.#statements.journal.all().map((row) => ({
        firstIndex: row['first_index'] as number,
        entryCount: row['entry_count'] as number,
        entries: row['entries'] as Bytes,
      }));
    } catch (error) {
      throw toStoreError(error);
    }
  }

  async commit(request: CommitRequest): Promise<CommitOutcome> {
    this.#requireOpen();
    if (this.#state === 'committing') throw new TypeError('a commit is under way; commits do not overlap');
    this.#state = 'committing';
    try {
      const outcome = await this.#commit(request);
      this.#state = 'open';
      return outcome;
    } catch (error) {
      this.#recover(error, request);
      throw error;
    }
  }

  dump(): AsyncIterable<DumpedRow> {
    this.#requireOpen();
    return this.#views.dump();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { writer, reader, lock, durability } = this.#connections;
    await durability?.checkpointer.close();
    durability?.sync.close();
    if (reader !== writer) reader.close();
    writer.close();
    lock?.release();
  }

  async #commit(request: CommitRequest): Promise<CommitOutcome> {
    const { rollback } = this.#statements;
    const outcome = this.#entries.applyAll(request);
    if (outcome.accepted.length === 0) {
      run(rollback);
      return outcome;
    }
    const seal = await request.seal(outcome.accepted);
    this.#writeSeal(request, seal);
    await this.#commitDurably();
    this.#connections.durability?.checkpointer.afterCommit(seal.journal.entries.length + PAGES_PER_COMMIT * PAGE_BYTES);
    return outcome;
  }

  /** Readers stay held at the state before when a sync fails: nobody knows then what is durable. */
  async #commitDurably(): Promise<void> {
    const { durability } = this.#connections;
    durability?.reader.hold();
    try {
      run(this.#statements.commit);
    } catch (error) {
      durability?.reader.release();
      throw error;
    }
    await durability?.sync.sync();
    durability?.reader.release();
  }

  /** The head moves by compare-and-swap, so that a second writer, however it came in, loses. */
  #writeSeal({ expected }: CommitRequest, { head, journal, pruneBelow }: CommitSeal): void {
    const { insertHead, updateHead, insertJournal, pruneJournal } = this.#statements;
    try {
      const values = [head.treeSize, head.rootHash, head.checkpoint, head.committedAt] as const;
      const { changes } =
        expected === undefined
          ? insertHead.run(...values)
          : updateHead.run(...values, expected.treeSize, expected.rootHash);
      if (changes !== 1) throw new StoreError('ERR_STORE_STALE_HEAD', describeStale(expected?.treeSize ?? 0));
      insertJournal.run(journal.firstIndex, journal.entryCount, journal.entries);
      if (pruneBelow > 0) pruneJournal.run(pruneBelow);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  /** After a failure: nothing is stored if the transaction is gone and the head is still the expected one. */
  #recover(error: unknown, { expected }: CommitRequest): void {
    this.#state = 'failed';
    const { writer } = this.#connections;
    try {
      if (writer.isTransaction) run(this.#statements.rollback);
      const head = this.#readHead();
      const isUnchanged =
        head?.treeSize === expected?.treeSize &&
        (head === undefined || expected === undefined || encodeHex(head.rootHash) === encodeHex(expected.rootHash));
      const isHarmless = !(error instanceof StoreError) || error.code === 'ERR_STORE_FULL';
      if (isUnchanged && isHarmless) this.#state = 'open';
    } catch {
      // The first error says more than the one of the clean-up; the store stays failed.
    }
  }

  #readHead(): StoredHead | undefined {
    try {
      const row = this.#statements.head.get();
      if (row === undefined) return undefined;
      return {
        treeSize: row['tree_size'] as number,
        rootHash: row['root_hash'] as Bytes,
        checkpoint: row['checkpoint'] as Bytes,
        committedAt: row['committed_at'] as number,
      };
    } catch (error) {
      throw toStoreError(error);
    }
  }

  #requireOpen(): void {
    if (this.#state === 'closed') throw new StoreError('ERR_STORE_CLOSED', 'the store is closed');
    if (this.#state === 'failed') {
      throw new StoreError('ERR_STORE_IO', 'the store failed before; open it again to learn what is stored');
    }
  }
}

interface Statements {
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly head: StatementSync;
  readonly insertHead: StatementSync;
  readonly updateHead: StatementSync;
  readonly journal: StatementSync;
  readonly insertJournal: StatementSync;
  readonly pruneJournal: StatementSync;
}

function prepareStatements(writer: DatabaseSync): Statements {
  return {
    commit: writer.prepare('COMMIT'),
    rollback: writer.prepare('ROLLBACK'),
    head: writer.prepare('SELECT tree_size, root_hash, checkpoint, committed_at FROM head WHERE id = 1'),
    insertHead: writer.prepare(
      'INSERT INTO head (id, tree_size, root_hash, checkpoint, committed_at) VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    updateHead: writer.prepare(
      'UPDATE head SET tree_size = ?, root_hash = ?, checkpoint = ?, committed_at = ? ' +
        'WHERE id = 1 AND tree_size = ? AND root_hash = ?',
    ),
    journal: writer.prepare('SELECT first_index, entry_count, entries FROM journal ORDER BY first_index'),
    insertJournal: writer.prepare('INSERT INTO journal (first_index, entry_count, entries) VALUES (?, ?, ?)'),
    pruneJournal: writer.prepare('DELETE FROM journal WHERE first_index < ?1 AND first_index + entry_count <= ?1'),
  };
}

/** Sets what durability needs and reads it back: a pragma that is not understood is silently ignored. */
function makeDurable(writer: DatabaseSync): void {
  writer.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA trusted_schema = OFF`);
  // Savepoints keep what they might take back in memory instead of in a file.
  writer.exec('PRAGMA temp_store = MEMORY');
  const journalMode = writer.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  // The checkpointer decides when, so that no commit pays for it; and each commit is synced after it (wal-sync.ts).
  writer.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL');
  const synchronous = writer.prepare('PRAGMA synchronous').get()?.['synchronous'];
  if (journalMode !== 'wal' || synchronous !== SYNCHRONOUS_NORMAL) {
    throw new StoreError('ERR_STORE_DURABILITY', 'SQLite does not offer a write-ahead log that can be synced here');
  }
}

function describeStale(expected: number): string {
  return `the stored head is not the one of size ${expected} this commit builds upon`;
}

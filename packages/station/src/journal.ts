// SPDX-License-Identifier: Apache-2.0
/**
 * What a station must not forget (spec/station-journal.md): one file per open transaction, and the floor below which
 * neither time nor the log may fall. Every method that writes returns after the bytes are durable.
 */
import type { Bytes, Instant } from '@witnessmark/core';
import { uuid } from '@witnessmark/attestation';
import { StationError } from './error.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { raise, readFloor, writeFloor, type Seen, type StationFloor } from './floor.ts';
import {
  formatJournalRecord,
  JOURNAL_LIMITS,
  journalSeed,
  mayFollow,
  parseJournal,
  type JournalFact,
  type JournalRecord,
} from './journal-format.ts';
import { replaceFile } from './replace-file.ts';

export const JOURNAL_DIRECTORY = 'journal';
export const JOURNAL_SUFFIX = '.journal';
/** Refusals the line would not take: kept for people, out of the way of work. */
const REJECTED_SUFFIX = '.rejected';
/** There while a process works: found at the start, it says that the last one was cut off. */
export const RUNNING_FILE = 'running';

export interface Transaction {
  readonly id: string;
  readonly records: readonly JournalRecord[];
  /** Bytes that were being written when the station died were dropped. */
  readonly torn: boolean;
}

interface OpenTransaction {
  readonly id: string;
  readonly records: JournalRecord[];
  torn: boolean;
  digest: string;
  /** Null until something is appended after a restart. */
  file: OpenFile | null;
}

export class Journal {
  readonly #files: FileSystem;
  readonly #open = new Map<string, OpenTransaction>();
  #floor: StationFloor;
  #storedFloor: StationFloor;
  #failure: unknown = null;

  private constructor(files: FileSystem, floor: StationFloor) {
    this.#files = files;
    this.#floor = floor;
    this.#storedFloor = floor;
  }

  /**
   * Reads the directory; throws `ERR_STATION_JOURNAL_DAMAGED` for anything a crash does not explain. Transactions that
   * are closed are still there only if the last process was cut off, so that nobody may have seen its last verdict.
   */
  static async open(files: FileSystem): Promise<Journal> {
    await files.makeDirectory(JOURNAL_DIRECTORY);
    const journal = new Journal(files, await readFloor(files));
    const names = (await files.list(JOURNAL_DIRECTORY)).filter((name) => name.endsWith(JOURNAL_SUFFIX)).sort();
    for (const name of names) await journal.#readTransaction(name);
    await journal.#begin();
    return journal;
  }

  get floor(): StationFloor {
    return this.#floor;
  }

  /** Oldest first. */
  get transactions(): readonly Transaction[] {
    return [...this.#open.values()];
  }

  /** Starts a transaction: when this returns, its first record survives a power cut. */
  async begin(id: string, at: Instant, fact: JournalFact): Promise<Transaction> {
    if (this.#open.has(id)) throw new TypeError(`transaction ${id} has begun already`);
    if (this.#open.size >= JOURNAL_LIMITS.maxOpenTransactions) {
      throw new StationError('ERR_STATION_JOURNAL_FULL', `${this.#open.size} transactions wait to be recorded`);
    }
    requireOrder(undefined, fact);
    const transaction: OpenTransaction = { id, records: [], torn: false, digest: journalSeed(id), file: null };
    await this.#durably(async () => {
      transaction.file = await this.#files.open(pathOf(id), 'create');
      await this.#write(transaction, at, fact);
      await this.#files.syncDirectory(JOURNAL_DIRECTORY);
    });
    this.#open.set(id, transaction);
    return transaction;
  }

  async append(id: string, at: Instant, fact: JournalFact): Promise<void> {
    const transaction = this.#find(id);
    requireOrder(transaction.records.at(-1)?.fact, fact);
    await this.#durably(async () => {
      transaction.file ??= await this.#files.open(pathOf(id), 'append');
      await this.#write(transaction, at, fact);
    });
  }

  /** Forgets a transaction of which nothing is left to do. A crash may bring it back, unharmed. */
  async remove(id: string): Promise<void> {
    const transaction = this.#find(id);
    await this.#durably(async () => {
      await this.#close(transaction);
      await this.#files.remove(pathOf(id));
    });
    this.#open.delete(id);
  }

  /** Puts a refusal aside that the line will not take. */
  async reject(id: string): Promise<void> {
    const transaction = this.#find(id);
    await this.#durably(async () => {
      await this.#close(transaction);
      await this.#files.rename(pathOf(id), `${JOURNAL_DIRECTORY}/${id}${REJECTED_SUFFIX}`);
      await this.#files.syncDirectory(JOURNAL_DIRECTORY);
    });
    this.#open.delete(id);
  }

  /** Whether a write or sync failed: nothing is recorded here any more. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Raises the floor in memory; a lower value changes nothing. */
  raiseFloor(seen: Seen): void {
    this.#floor = raise(this.#floor, seen);
  }

  /** Replaces the stored floor, atomically, by the one in memory. */
  async saveFloor(): Promise<void> {
    const floor = this.#floor;
    if (floor === this.#storedFloor) return;
    await this.#durably(() => writeFloor(this.#files, floor));
    this.#storedFloor = floor;
  }

  /** Lets go of open files; nothing more is written. */
  async close(): Promise<void> {
    for (const transaction of this.#open.values()) await this.#close(transaction);
  }

  async #begin(): Promise<void> {
    if ((await this.#files.read(RUNNING_FILE)) !== null) return;
    for (const { id, records } of [...this.#open.values()]) {
      if (records.at(-1)?.fact.kind === 'closed') await this.remove(id);
    }
    await this.#durably(async () => {
      const file = await this.#files.open(RUNNING_FILE, 'create');
      await file.close();
      await this.#files.syncDirectory('.');
    });
  }

  async #readTransaction(name: string): Promise<void> {
    const id = name.slice(0, -JOURNAL_SUFFIX.length);
    if (!uuid.safeParse(id).success) {
      throw new StationError('ERR_STATION_JOURNAL_DAMAGED', `${name} is not the journal of a transaction`);
    }
    const bytes = (await this.#files.read(pathOf(id))) ?? new Uint8Array(0);
    const text = parseJournal(name, journalSeed(id), bytes);
    const torn = text.validLength < bytes.length;
    const transaction = { id, records: [...text.records], torn, digest: text.digest, file: null };
    if (torn || text.records.length === 0) {
      await this.#durably(() => this.#rewrite(transaction, bytes.subarray(0, text.validLength)));
    }
    if (text.records.length === 0) return;
    for (const { at } of text.records) this.raiseFloor({ evidenceAt: at });
    this.#raiseReceipt(text.records);
    this.#open.set(id, transaction);
  }

  /** Drops a torn tail. A file without any record never became a transaction: nothing was submitted for it. */
  async #rewrite(transaction: OpenTransaction, valid: Bytes): Promise<void> {
    const path = pathOf(transaction.id);
    if (valid.length > 0) {
      await replaceFile(this.#files, { path, draft: `${path}.draft` }, valid);
      return;
    }
    await this.#files.remove(path);
    await this.#files.syncDirectory(JOURNAL_DIRECTORY);
  }

  async #write(transaction: OpenTransaction, at: Instant, fact: JournalFact): Promise<void> {
    const file = transaction.file as OpenFile;
    const record: JournalRecord = { seq: transaction.records.length + 1, at, fact };
    const { line, digest } = formatJournalRecord(transaction.digest, record);
    await file.write(line);
    await file.sync();
    transaction.records.push(record);
    transaction.digest = digest;
    this.raiseFloor({ evidenceAt: at });
    this.#raiseReceipt(transaction.records);
  }

  /** Refusals do not count: they are made without a unit, and would hide that units were forgotten. */
  #raiseReceipt(records: readonly JournalRecord[]): void {
    if (records[0]?.fact.kind !== 'intended') return;
    for (const { fact } of records) {
      if (fact.kind === 'intentLogged' || fact.kind === 'closed') this.raiseFloor({ receipt: fact.entry.index });
    }
  }

  async #close(transaction: OpenTransaction): Promise<void> {
    await transaction.file?.close();
    transaction.file = null;
  }

  #find(id: string): OpenTransaction {
    const transaction = this.#open.get(id);
    if (transaction === undefined) throw new TypeError(`no transaction ${id} is open`);
    return transaction;
  }

  /** After one failed write or sync nobody knows what is on the disk; only a new process may read it again. */
  async #durably(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== null) throw storageError(this.#failure);
    try {
      await work();
    } catch (error) {
      this.#failure = error;
      throw storageError(error);
    }
  }
}

function requireOrder(previous: JournalFact | undefined, next: JournalFact): void {
  if (!mayFollow(previous, next)) throw new TypeError(`${next.kind} cannot follow ${previous?.kind ?? 'nothing'}`);
}

function pathOf(id: string): string {
  return `${JOURNAL_DIRECTORY}/${id}${JOURNAL_SUFFIX}`;
}

function storageError(cause: unknown): StationError {
  return new StationError('ERR_STATION_STORAGE', 'a record of the station could not be made durable', { cause });
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The custody journal: append-only segments of hash-chained batches, durable before `append` resolves. While one batch is
 * on its way to the disk, the token works on what the batch before allowed, and whatever arrives meanwhile goes into the
 * next one; so at most one batch can be torn. This thread waits for the disk itself: handing that over, and being told, takes
 * longer than a sync. Segments are filled with zeros first, because making a file longer costs more than the data. Adapter
 * of the file system; one process writes a directory at a time.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { RefusedError } from '@witnessmark/core';
import { formatBatch, hashOf, NO_HASH, readSegment, type JournalSegment } from './journal-segment.ts';
import { damaged, type IntentRecord, type JournalRecord } from './records.ts';

export interface JournalOptions {
  readonly dir: string;
  /** After this many bytes a new segment begins. */
  readonly segmentBytes?: number;
}

interface Waiting {
  readonly record: JournalRecord;
  /** Null for what nobody waits for. */
  readonly done: PromiseWithResolvers<undefined> | null;
}

const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024;
const MAX_BATCH_RECORDS = 1_024;
const MAX_DELAY_MS = 5;
const SEGMENT_NAME = /^journal-(\d{8})\.log$/;
/** Ids are remembered for the segment in use and the one before. */
const REMEMBERED_SEGMENTS = 2;

export class Journal {
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #lock: Server;
  /** What the newest segments hold, for whoever starts from it; emptied by `takeHistory`. */
  #history: JournalRecord[] = [];
  readonly #open = new Map<string, IntentRecord>();
  #waiting: Waiting[] = [];
  #file = -1;
  #number = 0;
  #position = 0;
  #previous = NO_HASH;
  #turn: NodeJS.Immediate | undefined;
  #delay: NodeJS.Timeout | undefined;
  #failure: RefusedError | null = null;

  private constructor(dir: string, segmentBytes: number, lock: Server) {
    this.#dir = dir;
    this.#segmentBytes = segmentBytes;
    this.#lock = lock;
  }

  /** Throws CU-156 when another process writes here or the disk fails, CU-157 when what is there is damaged. */
  static async open({ dir, segmentBytes = DEFAULT_SEGMENT_BYTES }: JournalOptions): Promise<Journal> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const journal = new Journal(dir, segmentBytes, await lockDirectory(dir));
    try {
      journal.#load();
      return journal;
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  /** The records of the newest segments, once. */
  takeHistory(): JournalRecord[] {
    const history = this.#history;
    this.#history = [];
    return history;
  }

  /** Intents that have no outcome. */
  openIntents(): IntentRecord[] {
    return [...this.#open.values()];
  }

  /** Resolves when the record is durable. Rejects with CU-156, and from then on always. */
  append(record: JournalRecord): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const done = Promise.withResolvers<undefined>();
    this.#waiting.push({ record, done });
    // What arrives in one turn of the event loop goes into one batch.
    this.#turn ??= setImmediate(this.#begin);
    return done.promise;
  }

  /** Goes to the disk with the next batch, after a few milliseconds at the latest. Lost when that fails, as everything is then. */
  appendLater(record: JournalRecord): void {
    if (this.#failure !== null) return;
    this.#waiting.push({ record, done: null });
    this.#delay ??= setTimeout(this.#begin, MAX_DELAY_MS);
  }

  /** Makes durable what waits. */
  flush(): void {
    this.#forgetTimers();
    while (this.#waiting.length > 0) this.#writeBatch();
  }

  close(): void {
    this.flush();
    this.#fail(new RefusedError('CU-156', 'the journal was closed'));
    if (this.#file !== -1) closeSync(this.#file);
    this.#file = -1;
    this.#lock.close();
  }

  readonly #begin = (): void => {
    this.#forgetTimers();
    this.#writeBatch();
    if (this.#waiting.length > 0) this.#turn ??= setImmediate(this.#begin);
  };

  #writeBatch(): void {
    const batch = this.#waiting.splice(0, MAX_BATCH_RECORDS);
    if (batch.length > 0) this.#finish(batch, this.#write(batch) ?? this.#sync());
  }

  #forgetTimers(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#delay);
    this.#turn = undefined;
    this.#delay = undefined;
  }

  #finish(batch: readonly Waiting[], failure: RefusedError | null): void {
    if (failure === null) {
      for (const { done } of batch) done?.resolve(undefined);
      return;
    }
    for (const { done } of batch) done?.reject(failure);
    this.#fail(failure);
  }

  #sync(): RefusedError | null {
    try {
      fdatasyncSync(this.#file);
      return null;
    } catch (cause) {
      return notDurable(cause);
    }
  }

  #write(batch: readonly Waiting[]): RefusedError | null {
    const records = batch.map(({ record }) => record);
    try {
      let bytes = formatBatch(this.#previous, records);
      if (this.#position + bytes.length > this.#segmentBytes) {
        this.#beginSegment(this.#number + 1);
        bytes = formatBatch(this.#previous, records);
      }
      writeSync(this.#file, bytes, 0, bytes.length, this.#position);
      this.#position += bytes.length;
      this.#previous = hashOf(bytes);
      for (const record of records) this.#keepOpen(record);
      return null;
    } catch (cause) {
      return notDurable(cause);
    }
  }

  #beginSegment(number: number): void {
    const path = join(this.#dir, segmentName(number));
    // Renamed when it has its head: a start never meets one without.
    const file = openSync(`${path}.new`, 'w', 0o600);
    if (this.#file !== -1) closeSync(this.#file);
    this.#file = file;
    writeSync(file, Buffer.alloc(this.#segmentBytes));
    const head = formatBatch(this.#previous, [
      { kind: 'segment', number, previous: this.#previous, open: this.openIntents() },
    ]);
    writeSync(file, head, 0, head.length, 0);
    fsyncSync(file);
    renameSync(`${path}.new`, path);
    syncDirectory(this.#dir);
    this.#number = number;
    this.#position = head.length;
    this.#previous = hashOf(head);
  }

  #load(): void {
    const names = segmentNames(this.#dir);
    const recent = names.slice(-REMEMBERED_SEGMENTS);
    for (const [index, name] of recent.entries()) this.#loadSegment(name, index === recent.length - 1, index === 0);
    if (this.#number === 0) this.#beginSegment(1);
  }

  #loadSegment(name: string, isLast: boolean, isFirst: boolean): void {
    const path = join(this.#dir, name);
    const segment = readSegment(readFileSync(path), isFirst ? null : this.#previous, isLast);
    this.#number = numberOf(name);
    this.#previous = segment.hash;
    this.#position = segment.end;
    for (const record of segment.records) this.#keepOpen(record);
    this.#history.push(...segment.records);
    if (!isLast) return;
    this.#file = openSync(path, 'r+');
    writeSync(this.#file, Buffer.alloc(segment.tornBytes), 0, segment.tornBytes, segment.end);
    fsyncSync(this.#file);
  }

  #keepOpen(record: JournalRecord): void {
    if (record.kind === 'intent') this.#open.set(record.id, record);
    else if (record.kind === 'segment') for (const intent of record.open) this.#open.set(intent.id, intent);
    else this.#open.delete(record.id);
  }

  #fail(failure: RefusedError): void {
    this.#failure ??= failure;
    for (const { done } of this.#waiting.splice(0)) done?.reject(this.#failure);
  }
}

/** After a failed fsync nobody knows what is on the disk: never retried, only started again. */
function notDurable(cause: unknown): RefusedError {
  return new RefusedError('CU-156', 'the journal could not be made durable', { cause });
}

/** Reads the whole journal, oldest first, each segment once; for accounts, which are not in a hurry. Throws CU-157. */
export function* readJournal(dir: string): Generator<JournalRecord> {
  let previous: string | null = null;
  let number: number | null = null;
  const names = segmentNames(dir);
  for (const [index, name] of names.entries()) {
    if (number !== null && numberOf(name) !== number + 1) throw damaged(`a gap before ${name}`);
    number = numberOf(name);
    const segment: JournalSegment = readSegment(readFileSync(join(dir, name)), previous, index === names.length - 1);
    previous = segment.hash;
    yield* segment.records;
  }
}

function segmentNames(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => SEGMENT_NAME.test(name))
    .toSorted();
}

function segmentName(number: number): string {
  return `journal-${String(number).padStart(8, '0')}.log`;
}

function numberOf(name: string): number {
  return Number(SEGMENT_NAME.exec(name)?.[1]);
}

function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A name in Linux's abstract socket space: taken by one process, and free again when that ends, however it ends. */
async function lockDirectory(dir: string): Promise<Server> {
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 40);
  const lock = createServer();
  const locked = Promise.withResolvers<undefined>();
  lock.once('error', locked.reject);
  lock.listen(`\0witnessmark-custody-${name}`, () => {
    locked.resolve(undefined);
  });
  try {
    await locked.promise;
  } catch (cause) {
    throw new RefusedError('CU-156', `another process writes the custody journal in ${dir}`, { cause });
  }
  lock.unref();
  return lock;
}

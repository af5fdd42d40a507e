// SPDX-License-Identifier: Apache-2.0
/**
 * What this station said while the line did not answer, in order, until the line has it (spec/offline-spool.md). Two files
 * speak of it: the statements that wait, and how far the spool has ever come. Whoever deletes or cuts one of them is found
 * out by the other, by the journal, or by the line. Every method that writes returns after the bytes are durable.
 */
import { formatEnvelope, parseEnvelope, WitnessmarkError, type Envelope, type PublicKey } from '@witnessmark/core';
import { StationError } from '../error.ts';
import type { FileSystem, OpenFile } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';
import { compareWithHead, damaged, missing, replaced, type SpoolBreach } from './spool-breach.ts';
import {
  follows,
  formatSpoolBase,
  formatSpoolHead,
  formatSpoolRecord,
  parseSpool,
  parseSpoolHead,
  SPOOL_LIMITS,
  SPOOL_START,
  type SpoolEnd,
  type SpoolRecord,
} from './spool-format.ts';

const DIRECTORY = 'spool';
const RECORDS = fileNamed(`${DIRECTORY}/records`);
const REQUEST = fileNamed(`${DIRECTORY}/request`);
const HEAD = fileNamed('spool-head');

export class Spool {
  readonly #files: FileSystem;
  #base: SpoolEnd = SPOOL_START;
  #records: SpoolRecord[] = [];
  /** As far as it has ever come; null before the first allowance, or when somebody took it away. */
  #head: SpoolEnd | null = null;
  #chain = '';
  #file: OpenFile | null = null;
  #breach: SpoolBreach | null = null;
  #failure: unknown = null;

  private constructor(files: FileSystem) {
    this.#files = files;
  }

  /** Reads what is there. Damage is no error but a breach, which people and the line have to hear of. */
  static async open(files: FileSystem, stationKey: PublicKey): Promise<Spool> {
    const spool = new Spool(files);
    await files.makeDirectory(DIRECTORY);
    await spool.#readHead();
    await spool.#readRecords(stationKey);
    return spool;
  }

  /** Where it ends, as this station knows; null when it knows of none. */
  get end(): SpoolEnd | null {
    return this.#head === null ? null : this.#last;
  }

  /** The last number the line is known to have. */
  get base(): SpoolEnd {
    return this.#base;
  }

  /** What waits for the line, oldest first. */
  get records(): readonly SpoolRecord[] {
    return this.#records;
  }

  /** What does not add up; null for a spool that is whole. */
  get breach(): SpoolBreach | null {
    return this.#breach;
  }

  get isFull(): boolean {
    return this.#records.length >= SPOOL_LIMITS.maxRecords;
  }

  /** Whether nothing failed here; after one failure only a new process may put anything there. */
  get isUsable(): boolean {
    return this.#failure === null;
  }

  /** Throws `ERR_STATION_STORAGE`: two statements must not be given one place because the first did not get there. */
  requireUsable(): void {
    if (!this.isUsable) throw this.#notDurable();
  }

  /** Notes what somebody else found out: the line, or the journal. */
  markBroken(breach: SpoolBreach): void {
    this.#breach ??= breach;
  }

  /** Puts a statement at the end; when this returns it is durable, and so is how far the spool has come. */
  async append(record: SpoolRecord): Promise<void> {
    if (this.#head === null || !follows(record, this.#last)) throw new TypeError('the statement has another place');
    await this.#durably(async () => {
      const { line, digest } = formatSpoolRecord(this.#chain, record);
      this.#file ??= await this.#files.open(RECORDS.path, 'append');
      await this.#file.write(line);
      await this.#file.sync();
      this.#chain = digest;
      this.#records.push(record);
      await this.#writeHead(record);
    });
  }

  /** Everything was delivered: the next statement follows the last, and nothing waits. */
  async settle(): Promise<void> {
    if (this.#records.length === 0) return;
    await this.#durably(() => this.#begin(this.#last));
  }

  /** Goes on where the line says. What still waits never fits any more; it is kept beside, for people. */
  async adopt(end: SpoolEnd, keepAs: string): Promise<void> {
    if (this.#breach === null && this.#head?.seq === end.seq && this.#head.digest === end.digest) return;
    await this.#durably(async () => {
      await this.#close();
      if ((await this.#files.read(RECORDS.path)) !== null && this.#isWorthKeeping) {
        await this.#files.rename(RECORDS.path, `${DIRECTORY}/${keepAs}.rejected`);
        await this.#files.syncDirectory(DIRECTORY);
      }
      await this.#begin(end);
      await this.#writeHead(end);
      await this.#forgetFirstRequest();
    });
    this.#breach = null;
  }

  /**
   * The request for the first allowance, from before it was sent: should its answer be lost, it is asked again as it was. Only
   * so a station that knows of no spool can be told from one whose spool somebody took away.
   */
  async readFirstRequest(): Promise<Envelope | null> {
    const bytes = await this.#files.read(REQUEST.path);
    try {
      return bytes === null ? null : parseEnvelope(bytes);
    } catch (error) {
      if (error instanceof WitnessmarkError) return null;
      throw error;
    }
  }

  async keepFirstRequest(request: Envelope): Promise<void> {
    await this.#durably(() => replaceFile(this.#files, REQUEST, formatEnvelope(request)));
  }

  /** Lets go of open files. */
  close(): Promise<void> {
    return this.#close();
  }

  get #last(): SpoolEnd {
    return this.#records.at(-1) ?? this.#base;
  }

  get #isWorthKeeping(): boolean {
    return this.#records.length > 0 || this.#breach !== null;
  }

  async #forgetFirstRequest(): Promise<void> {
    if ((await this.#files.read(REQUEST.path)) === null) return;
    await this.#files.remove(REQUEST.path);
    await this.#files.syncDirectory(DIRECTORY);
  }

  async #readHead(): Promise<void> {
    const bytes = await this.#files.read(HEAD.path);
    if (bytes === null) return;
    this.#head = parseSpoolHead(bytes);
    if (this.#head === null) {
      this.markBroken(replaced('how far the spool has come', 'a file that says nothing'));
    }
  }

  async #readRecords(stationKey: PublicKey): Promise<void> {
    const bytes = await this.#files.read(RECORDS.path);
    if (bytes === null) {
      const { seq } = this.#head ?? SPOOL_START;
      if (seq > 0) this.markBroken(missing(1, seq, 'no spool'));
      return;
    }
    const text = parseSpool(bytes, stationKey);
    if ('damage' in text) {
      this.#base = text.until;
      this.markBroken(damaged(text, this.#head));
      return;
    }
    if (text.validLength < bytes.length) {
      await this.#durably(() => replaceFile(this.#files, RECORDS, bytes.subarray(0, text.validLength)));
    }
    this.#base = text.base;
    this.#records = [...text.records];
    this.#chain = text.chain;
    const breach = compareWithHead(this.#base, this.#records, this.#head);
    if (breach !== null) this.markBroken(breach);
  }

  /** A file that begins anew at `end`. */
  async #begin(end: SpoolEnd): Promise<void> {
    await this.#close();
    const { line, digest } = formatSpoolBase(end);
    await replaceFile(this.#files, RECORDS, line);
    this.#base = { seq: end.seq, digest: end.digest };
    this.#records = [];
    this.#chain = digest;
  }

  async #writeHead({ seq, digest }: SpoolEnd): Promise<void> {
    await replaceFile(this.#files, HEAD, formatSpoolHead({ seq, digest }));
    this.#head = { seq, digest };
  }

  async #close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** After one failed write nobody knows what is on the disk; only a new process may read it again. */
  async #durably(work: () => Promise<void>): Promise<void> {
    if (this.#failure === null) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof TypeError) throw error;
        this.#failure = error;
      }
    }
    throw this.#notDurable();
  }

  #notDurable(): StationError {
    return new StationError('ERR_STATION_STORAGE', 'the spool could not be made durable', { cause: this.#failure });
  }
}

function fileNamed(path: string): { readonly path: string; readonly draft: string } {
  return { path, draft: `${path}.draft` };
}

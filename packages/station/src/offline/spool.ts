// SPDX-License-Identifier: Apache-2.0
/**
 * What this station said while the line did not answer, in order, until the line has it (spec/offline-spool.md). Two files
 * speak of it: the statements that wait, and how far the spool has ever come. Whoever deletes or cuts one of them is found
 * out by the other, by the journal, or by the line. Every method that writes returns after the bytes are durable.
 */
import {
  formatEnvelope,
  parseEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type PublicKey,
} from '@witnessmark/core';
import { StationError } from '../error.ts';
import type { FileSystem, OpenFile } from '../file-system.ts';
import {
  follows,
  formatSpoolBase,
  formatSpoolHead,
  formatSpoolRecord,
  parseSpool,
  parseSpoolHead,
  SPOOL_LIMITS,
  SPOOL_START,
  type SpoolDamage,
  type SpoolEnd,
  type SpoolRecord,
} from './spool-format.ts';

const DIRECTORY = 'spool';
const RECORDS_FILE = `${DIRECTORY}/records`;
const RECORDS_DRAFT = `${DIRECTORY}/records.draft`;
const REQUEST_FILE = `${DIRECTORY}/request`;
const REQUEST_DRAFT = `${DIRECTORY}/request.draft`;
const HEAD_FILE = 'spool-head';
const HEAD_DRAFT = 'spool-head.draft';

/** What does not add up, as a refusal says it. */
export interface SpoolBreach {
  readonly code: 'LS-312' | 'LS-313';
  readonly expected: string;
  readonly observed: string;
}

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
      this.#file ??= await this.#files.open(RECORDS_FILE, 'append');
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
      if ((await this.#files.read(RECORDS_FILE)) !== null && this.#isWorthKeeping) {
        await this.#files.rename(RECORDS_FILE, `${DIRECTORY}/${keepAs}.rejected`);
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
    const bytes = await this.#files.read(REQUEST_FILE);
    try {
      return bytes === null ? null : parseEnvelope(bytes);
    } catch (error) {
      if (error instanceof WitnessmarkError) return null;
      throw error;
    }
  }

  async keepFirstRequest(request: Envelope): Promise<void> {
    await this.#durably(() => this.#replace(REQUEST_DRAFT, REQUEST_FILE, formatEnvelope(request), DIRECTORY));
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
    if ((await this.#files.read(REQUEST_FILE)) === null) return;
    await this.#files.remove(REQUEST_FILE);
    await this.#files.syncDirectory(DIRECTORY);
  }

  async #readHead(): Promise<void> {
    const bytes = await this.#files.read(HEAD_FILE);
    if (bytes === null) return;
    this.#head = parseSpoolHead(bytes);
    if (this.#head === null) {
      this.markBroken({ code: 'LS-313', expected: 'how far the spool has come', observed: 'a file that says nothing' });
    }
  }

  async #readRecords(stationKey: PublicKey): Promise<void> {
    const bytes = await this.#files.read(RECORDS_FILE);
    if (bytes === null) {
      const { seq } = this.#head ?? SPOOL_START;
      if (seq > 0) this.markBroken(missing(1, seq, 'no spool'));
      return;
    }
    const text = parseSpool(bytes, stationKey);
    if ('damage' in text) {
      this.#breakAt(text);
      return;
    }
    if (text.validLength < bytes.length) await this.#durably(() => this.#rewrite(bytes.subarray(0, text.validLength)));
    this.#base = text.base;
    this.#records = [...text.records];
    this.#chain = text.chain;
    this.#compareWithHead();
  }

  /** The statements are written before the head: more of them are a crash, fewer are missing. */
  #compareWithHead(): void {
    const head = this.#head;
    if (head === null) {
      if (this.#last.seq > 0)
        this.markBroken(missing(1, this.#last.seq, 'nothing that says how far the spool has come'));
      return;
    }
    const { seq } = this.#last;
    if (seq < head.seq) {
      this.markBroken(missing(seq + 1, head.seq, `a spool that ends at ${seq}`));
      return;
    }
    const known = [this.#base, ...this.#records].find((place) => place.seq === head.seq);
    const isKnown = known === undefined ? head.seq < this.#base.seq : known.digest === head.digest;
    if (isKnown) return;
    this.markBroken({
      code: 'LS-313',
      expected: `record ${head.seq} as it was written`,
      observed: `another one under that number`,
    });
  }

  #breakAt({ damage, until }: SpoolDamage): void {
    const { seq } = this.#head ?? SPOOL_START;
    this.#base = until;
    const range = seq > until.seq ? `records ${until.seq + 1} to ${seq}` : `what follows record ${until.seq}`;
    this.markBroken({ code: 'LS-313', expected: `${range} of the spool as written`, observed: damage });
  }

  /** A file that begins anew at `end`. */
  async #begin(end: SpoolEnd): Promise<void> {
    await this.#close();
    const { line, digest } = formatSpoolBase(end);
    await this.#rewrite(line);
    this.#base = { seq: end.seq, digest: end.digest };
    this.#records = [];
    this.#chain = digest;
  }

  async #rewrite(bytes: Bytes): Promise<void> {
    await this.#replace(RECORDS_DRAFT, RECORDS_FILE, bytes, DIRECTORY);
  }

  async #writeHead({ seq, digest }: SpoolEnd): Promise<void> {
    await this.#replace(HEAD_DRAFT, HEAD_FILE, formatSpoolHead({ seq, digest }), '.');
    this.#head = { seq, digest };
  }

  async #replace(draft: string, path: string, bytes: Bytes, directory: string): Promise<void> {
    const file = await this.#files.open(draft, 'create');
    await file.write(bytes);
    await file.sync();
    await file.close();
    await this.#files.rename(draft, path);
    await this.#files.syncDirectory(directory);
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

export function missing(first: number, last: number, observed: string): SpoolBreach {
  const range = first >= last ? `record ${last}` : `records ${first} to ${last}`;
  return { code: 'LS-312', expected: `${range} of the spool`, observed };
}

/** The next place after an end, under an allowance. */
export function nextPlace(
  { seq, digest }: SpoolEnd,
  allowanceDigest: string,
): { allowanceDigest: { sha256: string }; seq: number; previousDigest: { sha256: string } | null } {
  return {
    allowanceDigest: { sha256: allowanceDigest },
    seq: seq + 1,
    previousDigest: digest === null ? null : { sha256: digest },
  };
}

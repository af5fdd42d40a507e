// SPDX-License-Identifier: Apache-2.0
/**
 * One ceremony on a disk: the script it began with and the journal of what happened. `record` returns when the fact is
 * durable, and refuses what does not follow before anything is written.
 */
import { formatInstant, RefusedError, type Bytes, type Clock } from '@witnessmark/core';
import { durably, installFile, type CeremonyFile, type CeremonyFiles } from './ceremony-files.ts';
import { checkFact, type CeremonyFact, type JournalRecord } from './facts.ts';
import { formatRecord, journalSeed, MAX_JOURNAL_BYTES, parseJournal, readCeremonyId } from './journal-format.ts';
import { parseScript, SCRIPT_LIMITS, type ReviewedScript } from './script.ts';
import { applyRecord, openState, replayRecords, type CeremonyState } from './state.ts';
import { buildTranscript, MAX_TRANSCRIPT_BYTES, transcriptSize } from './transcript.ts';
import type { RunSettings } from './run-settings.ts';

const SCRIPT_FILE = 'script.json';
export const JOURNAL_FILE = 'journal';

/** Room that must be left: before an act for its result, before words of people for what has to follow in any case. */
const RESERVES: Readonly<Partial<Record<CeremonyFact['kind'], number>>> = {
  intended: 16_384,
  exception: 8_192,
  paused: 8_192,
  resumed: 4_096,
};

export interface CeremonyStore {
  readonly files: CeremonyFiles;
  readonly clock: Clock;
}

export interface BeginOptions extends CeremonyStore {
  readonly reviewed: ReviewedScript;
  readonly settings: RunSettings;
}

export class Ceremony {
  readonly #files: CeremonyFiles;
  readonly #clock: Clock;
  #state: CeremonyState;
  #digest: string;
  #length: number;
  /** Null until something is appended. */
  #file: CeremonyFile | null = null;
  #failure: RefusedError | null = null;
  #isLeft: boolean;

  private constructor(
    { files, clock }: CeremonyStore,
    found: {
      readonly state: CeremonyState;
      readonly digest: string;
      readonly length: number;
      readonly isLeft: boolean;
    },
  ) {
    this.#files = files;
    this.#clock = clock;
    this.#state = found.state;
    this.#digest = found.digest;
    this.#length = found.length;
    this.#isLeft = found.isLeft;
  }

  /**
   * Begins a ceremony: when this resolves, a crash no longer forgets it. Throws CE-104 to CE-107 before anything is
   * written, CE-119 when one was begun here, CE-108 when the disk fails.
   */
  static async begin({ files, clock, reviewed, settings }: BeginOptions): Promise<Ceremony> {
    const { name, version } = reviewed.script;
    const fact = checkFact({
      kind: 'opened',
      script: { name, version, sha256: reviewed.sha256 },
      settings: toMutable(settings),
    });
    const record: JournalRecord = { seq: 1, at: clock.now(), fact };
    const state = openState(reviewed, record);
    const { line, digest } = formatRecord(journalSeed(settings.ceremonyId), record);
    return durably('beginning the journal', async () => {
      await files.makeDirectory('.');
      const found = await files.read(JOURNAL_FILE, MAX_JOURNAL_BYTES);
      if (found !== null && found.length > 0) {
        throw new RefusedError('CE-119', `a ceremony ${settings.ceremonyId} was begun here`);
      }
      await installFile(files, SCRIPT_FILE, reviewed.bytes);
      // Renamed when it has its first record: an opening never meets a journal without one.
      await installFile(files, JOURNAL_FILE, line);
      return new Ceremony({ files, clock }, { state, digest, length: line.length, isLeft: false });
    });
  }

  /**
   * Reads a ceremony as it was left, and drops what was being written when it ended. Throws CE-109 for what a crash does
   * not explain, CE-110 and others for records that do not follow from one another.
   */
  static async open({ files, clock }: CeremonyStore): Promise<Ceremony> {
    return durably('reading the journal', async () => {
      const script = await readWhole(files, SCRIPT_FILE, SCRIPT_LIMITS.json.maxBytes);
      const bytes = await readWhole(files, JOURNAL_FILE, MAX_JOURNAL_BYTES);
      const { records, digest, validLength } = parseJournal(readCeremonyId(bytes), bytes);
      const state = replayRecords(parseScript(script), records);
      if (validLength < bytes.length) await installFile(files, JOURNAL_FILE, bytes.subarray(0, validLength));
      return new Ceremony({ files, clock }, { state, digest, length: validLength, isLeft: true });
    });
  }

  get state(): CeremonyState {
    return this.#state;
  }

  /** Whether another program began it, and nobody has said yet that it goes on. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Returns when the fact is durable. Throws CE-108 when that failed, and from then on always; CE-110 to CE-117, CE-120. */
  async record(fact: CeremonyFact): Promise<CeremonyState> {
    if (this.#failure !== null) throw this.#failure;
    const record: JournalRecord = { seq: this.#state.records + 1, at: this.#clock.now(), fact: checkFact(fact) };
    const next = applyRecord(this.#state, record);
    const { line, digest } = formatRecord(this.#digest, record);
    this.#requireRoom(next, fact.kind, line.length);
    try {
      await durably(`recording "${fact.kind}"`, () => this.#append(line));
    } catch (error) {
      // After a failed sync nobody knows what is on the disk: never retried, only opened again.
      if (error instanceof RefusedError) this.#failure = error;
      throw error;
    }
    this.#state = next;
    this.#isLeft &&= fact.kind !== 'resumed';
    this.#digest = digest;
    this.#length += line.length;
    return next;
  }

  /** The payload of the transcript; the ceremony must be closed. Throws CE-127. */
  transcript(): Bytes {
    if (this.#state.phase !== 'closed') throw new RefusedError('CE-127', 'the ceremony is not closed');
    return buildTranscript(this.#state, this.#digest);
  }

  /** The journal as it is on the disk. */
  async readJournal(): Promise<Bytes> {
    return durably('reading the journal', () => readWhole(this.#files, JOURNAL_FILE, MAX_JOURNAL_BYTES));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #append(line: Bytes): Promise<void> {
    this.#file ??= await this.#files.open(JOURNAL_FILE, 'append');
    await this.#file.write(line);
    await this.#file.sync();
  }

  #requireRoom(next: CeremonyState, kind: CeremonyFact['kind'], lineLength: number): void {
    const reserve = RESERVES[kind];
    if (reserve === undefined) return;
    const size = transcriptSize(next);
    const hasRoom =
      size + reserve <= MAX_TRANSCRIPT_BYTES && this.#length + lineLength + 8 * reserve <= MAX_JOURNAL_BYTES;
    if (!hasRoom) {
      throw new RefusedError('CE-115', `the transcript has ${size} of at most ${MAX_TRANSCRIPT_BYTES} bytes`);
    }
  }
}

/** The clock of a journal may not be behind it; said before anybody is asked for anything. Throws CE-114. */
export function checkClock({ lastAt }: CeremonyState, clock: Clock): void {
  const now = clock.now();
  if (now >= lastAt) return;
  throw new RefusedError('CE-114', `it is ${formatInstant(now)}, and the last record is of ${formatInstant(lastAt)}`);
}

async function readWhole(files: CeremonyFiles, path: string, maxBytes: number): Promise<Bytes> {
  const bytes = await files.read(path, maxBytes);
  if (bytes === null) throw new RefusedError('CE-109', `there is no ${path} of a ceremony here`);
  return bytes;
}

/** The schema's types are mutable; nothing is changed. */
function toMutable(settings: RunSettings): Extract<CeremonyFact, { kind: 'opened' }>['settings'] {
  return structuredClone(settings) as Extract<CeremonyFact, { kind: 'opened' }>['settings'];
}

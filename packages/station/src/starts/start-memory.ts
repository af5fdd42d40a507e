// SPDX-License-Identifier: Apache-2.0
/**
 * What a station remembers of its starts (spec/station-journal.md, "Starts"): the newest one with a receipt, and the one
 * that is signed and has none yet. One small file, replaced as a whole; every method returns after it is durable.
 */
import { fromEnvelope, toEnvelope, type Bytes, type Envelope, type JsonValue } from '@witnessmark/core';
import { sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { StationError } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { formatChainedLine, readChainedLine } from '../journal-format.ts';
import { replaceFile } from '../replace-file.ts';

const FILE = 'starts';
const DRAFT = 'starts.draft';
const SEED = 'witnessmark station starts v1';
const MEDIA_TYPE = 'application/vnd.witnessmark.station-starts.v1+json';
const MAX_BYTES = 256 * 1024;

export interface RememberedStart {
  readonly sequence: number;
  /** SHA-256 of the statement's payload. */
  readonly digest: string;
  readonly index: number;
}

interface State {
  readonly last: RememberedStart | null;
  readonly open: Envelope | null;
}

const EMPTY: State = { last: null, open: null };

export class StartMemory {
  readonly #files: Pick<FileSystem, 'open' | 'rename' | 'syncDirectory'>;
  readonly #keyDigest: string;
  #state: State;
  #failure: unknown = null;

  /** Reads the file; what it says of another key is of no use. Throws `ERR_STATION_JOURNAL_DAMAGED`. */
  static async open(files: FileSystem, keyDigest: string): Promise<StartMemory> {
    const bytes = await files.read(FILE);
    return new StartMemory(files, keyDigest, bytes === null ? EMPTY : parseState(bytes, keyDigest));
  }

  private constructor(files: FileSystem, keyDigest: string, state: State) {
    this.#files = files;
    this.#keyDigest = keyDigest;
    this.#state = state;
  }

  /** The newest start that is known to be in the log. */
  get last(): RememberedStart | null {
    return this.#state.last;
  }

  /** The start that was signed, and of which nobody here knows yet whether it is in the log. */
  get open(): Envelope | null {
    return this.#state.open;
  }

  /** Before it is submitted. */
  async begin(envelope: Envelope): Promise<void> {
    await this.#save({ last: this.#state.last, open: envelope });
  }

  /** Its receipt was verified. */
  async acknowledge(start: RememberedStart): Promise<void> {
    await this.#save({ last: start, open: null });
  }

  /** The line refused it, so it is not in the log and never will be. */
  async abandon(): Promise<void> {
    await this.#save({ last: this.#state.last, open: null });
  }

  async #save(state: State): Promise<void> {
    // After one failed write nobody knows what is on the disk; only a new process may read it again.
    if (this.#failure !== null) throw storageError(this.#failure);
    try {
      await replaceFile(this.#files, { path: FILE, draft: DRAFT }, formatState(state, this.#keyDigest));
    } catch (error) {
      this.#failure = error;
      throw storageError(error);
    }
    this.#state = state;
  }
}

const schema = z.strictObject({
  mediaType: z.literal(MEDIA_TYPE),
  keyDigest: sha256Text,
  last: z.strictObject({ sequence: z.int().min(1), digest: sha256Text, index: z.int().min(0) }).nullable(),
  open: z.unknown(),
});

function formatState({ last, open }: State, keyDigest: string): Bytes {
  const value = { mediaType: MEDIA_TYPE, keyDigest, last, open: open === null ? null : fromEnvelope(open) };
  return formatChainedLine(SEED, value as unknown as JsonValue).line;
}

function parseState(bytes: Bytes, keyDigest: string): State {
  const value = bytes.length > MAX_BYTES ? null : readChainedLine(SEED, bytes)?.value;
  const stored = schema.safeParse(value);
  if (!stored.success) throw new StationError('ERR_STATION_JOURNAL_DAMAGED', `${FILE} is not one this program writes`);
  // A station that was enrolled again has a new key, and a new chain.
  if (stored.data.keyDigest !== keyDigest) return EMPTY;
  const { last, open } = stored.data;
  return { last, open: open === null ? null : toEnvelope(open as JsonValue) };
}

function storageError(cause: unknown): StationError {
  return new StationError('ERR_STATION_STORAGE', 'a start of the station could not be made durable', { cause });
}

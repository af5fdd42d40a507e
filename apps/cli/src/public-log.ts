// SPDX-License-Identifier: Apache-2.0
/** The public log as anybody reads it: a directory of tiles and a signed checkpoint. Nothing in it is believed unproven. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseTrustedRoot, toTrustedNoteKeys, type TrustedRoot } from '@witnessmark/attestation';
import {
  equalBytes,
  MAX_NOTE_BYTES,
  parseNote,
  RefusedError,
  WitnessmarkError,
  type Bytes,
  type NoteVerifierKey,
  type ReasonCode,
} from '@witnessmark/core';
import {
  entryBundlePath,
  Frontier,
  hashLeaf,
  MAX_ENTRY_BYTES,
  openCheckpoint,
  parseEntryBundle,
  Prover,
  TILE_WIDTH,
  TileHashReader,
  tilePath,
  tileWidth,
  verifyInclusion,
  type Checkpoint,
} from '@witnessmark/tlog';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';

const MAX_BUNDLE_BYTES = TILE_WIDTH * (MAX_ENTRY_BYTES + 2);

export interface LogPlace {
  readonly directory: string;
  readonly trustedRoot: TrustedRoot;
}

/** The log and the trusted root that options name. */
export function findLog(options: {
  readonly data: string | undefined;
  readonly log: string | undefined;
  readonly trust: string | undefined;
}): LogPlace {
  const data = options.data === undefined ? undefined : DataDirectory.open(options.data);
  const directory = options.log ?? data?.log;
  const trust = options.trust ?? data?.trustedRoot;
  if (directory === undefined) throw usageError('--data (or WITNESSMARK_DATA) or --log is missing');
  if (trust === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  return { directory, trustedRoot: parseTrustedRoot(readFile(trust, DOCUMENT_BYTES)) };
}

/** The key of the log whose checkpoint is there, from the trusted root. Throws EV-202 when it has none. */
export function findLogKey({ directory, trustedRoot }: LogPlace): NoteVerifierKey {
  const checkpoint = join(directory, 'checkpoint');
  if (!existsSync(checkpoint)) throw new RefusedError('LG-101', `${checkpoint} does not exist`);
  const origin = asFinding('LG-104', 'the checkpoint', () => {
    const { text } = parseNote(readFile(checkpoint, MAX_NOTE_BYTES));
    return text.slice(0, text.indexOf('\n'));
  });
  const trusted = toTrustedNoteKeys(trustedRoot, 'logs').find(({ key }) => key.name === origin);
  if (trusted === undefined) throw new RefusedError('EV-202', `${trustedRoot.name} has no key for the log ${origin}`);
  return trusted.key;
}

export class PublicLog {
  readonly head: Checkpoint;
  readonly logKey: NoteVerifierKey;
  readonly #directory: string;
  readonly #prover: Prover;

  /** Throws EV-202, or an LG code for a head that does not hold. */
  constructor(place: LogPlace) {
    this.#directory = place.directory;
    this.logKey = findLogKey(place);
    const note = readFile(join(place.directory, 'checkpoint'), MAX_NOTE_BYTES);
    this.head = asFinding('LG-105', 'the checkpoint', () => openCheckpoint(note, this.logKey));
    const { treeSize } = this.head;
    this.#prover = new Prover(
      treeSize,
      new TileHashReader({
        treeSize,
        readTile: ({ level, index, width }) =>
          this.#read(tilePath(level, index, width), tilePath(level, index, TILE_WIDTH), width * 32),
      }),
    );
  }

  /** An entry, proven by the signed head. Throws an LG code naming what is damaged. */
  readEntry(index: number): Bytes {
    const { treeSize, rootHash } = this.head;
    const bundle = Math.floor(index / TILE_WIDTH);
    const width = tileWidth(0, bundle, treeSize);
    const path = entryBundlePath(bundle, width);
    const bytes = this.#read(path, entryBundlePath(bundle, TILE_WIDTH), MAX_BUNDLE_BYTES);
    return asFinding('LG-102', `entry ${index} in ${path}`, () => {
      const entry = parseEntryBundle(bytes, width)[index % TILE_WIDTH] as Bytes;
      const proof = this.#prover.inclusionProof(index);
      verifyInclusion({ leafHash: hashLeaf(entry), index, treeSize, proof, rootHash });
      return entry;
    });
  }

  /**
   * Every entry in turn, each bundle read once, for whoever reads a whole log: only when the last one was taken is it
   * known that they are what the head signs. Throws LG-102 then, or as {@link readEntry} does.
   */
  *entries(): Generator<readonly [index: number, entry: Bytes]> {
    const { treeSize, rootHash } = this.head;
    const frontier = Frontier.empty();
    for (let first = 0; first < treeSize; first += TILE_WIDTH) {
      const bundle = first / TILE_WIDTH;
      const width = tileWidth(0, bundle, treeSize);
      const path = entryBundlePath(bundle, width);
      const bytes = this.#read(path, entryBundlePath(bundle, TILE_WIDTH), MAX_BUNDLE_BYTES);
      for (const [offset, entry] of asFinding('LG-102', path, () => parseEntryBundle(bytes, width)).entries()) {
        frontier.append(hashLeaf(entry));
        yield [first + offset, entry];
      }
    }
    if (equalBytes(frontier.root(), rootHash)) return;
    throw new RefusedError('LG-102', `the entries are not those of the head of ${this.head.origin}`);
  }

  /** A partial file may be gone once the full one exists, which begins with the same content. */
  #read(path: string, fullPath: string, maxBytes: number): Bytes {
    const found = [path, fullPath].find((name) => existsSync(join(this.#directory, name)));
    if (found === undefined) throw new RefusedError('LG-101', `${path} does not exist`);
    return readFile(join(this.#directory, found), maxBytes);
  }
}

function asFinding<T>(code: ReasonCode, what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw new RefusedError(code, `${what}: ${cause.message}`, { cause });
  }
}

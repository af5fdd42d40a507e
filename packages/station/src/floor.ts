// SPDX-License-Identifier: Apache-2.0
/** The floor of a station (spec/station-journal.md): neither time nor the log may ever fall below what it has seen. */
import { decodeHex, encodeHex, formatInstant, parseInstant, type Bytes, type Instant } from '@witnessmark/core';
import { instantText, sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { StationError } from './error.ts';
import type { FileSystem } from './file-system.ts';
import { formatChainedLine, readChainedLine } from './journal-format.ts';
import { replaceFile } from './replace-file.ts';

const FILE = { path: 'floor', draft: 'floor.draft' };
const SEED = 'witnessmark station floor v1';
const MEDIA_TYPE = 'application/vnd.witnessmark.station-floor.v1+json';

/** The largest tree head a station has verified. */
export interface SeenHead {
  readonly treeSize: number;
  readonly rootHash: Bytes;
}

export interface StationFloor {
  /** Time of the newest evidence this station signed; nothing new may be older. */
  readonly lastEvidenceAt: Instant;
  readonly head: SeenHead | null;
  /** The highest index in the log of a unit's statement of this station that it has a receipt for. */
  readonly lastReceipt: number | null;
}

/** What a floor may rise to. */
export interface Seen {
  readonly evidenceAt?: Instant;
  readonly head?: SeenHead;
  readonly receipt?: number;
}

/** The higher of both, one by one. */
export function raise({ lastEvidenceAt, head, lastReceipt }: StationFloor, seen: Seen): StationFloor {
  const isHigher = seen.head !== undefined && (head === null || seen.head.treeSize > head.treeSize);
  return {
    lastEvidenceAt: Math.max(lastEvidenceAt, seen.evidenceAt ?? 0),
    head: isHigher ? seen.head : head,
    lastReceipt: seen.receipt === undefined ? lastReceipt : Math.max(lastReceipt ?? 0, seen.receipt),
  };
}

const schema = z.strictObject({
  mediaType: z.literal(MEDIA_TYPE),
  lastEvidenceAt: instantText,
  head: z.strictObject({ treeSize: z.int().min(0), rootHash: sha256Text }).nullable(),
  /** Absent in what older versions wrote. */
  lastReceipt: z.int().min(0).nullable().default(null),
});

/** The lowest one where there is no file. Throws `ERR_STATION_JOURNAL_DAMAGED`. */
export async function readFloor(files: FileSystem): Promise<StationFloor> {
  const bytes = await files.read(FILE.path);
  if (bytes === null) return { lastEvidenceAt: 0, head: null, lastReceipt: null };
  const stored = schema.safeParse(readChainedLine(SEED, bytes)?.value);
  if (!stored.success) {
    throw new StationError('ERR_STATION_JOURNAL_DAMAGED', `${FILE.path} is not one this program writes`);
  }
  const { lastEvidenceAt, head, lastReceipt } = stored.data;
  return {
    lastEvidenceAt: parseInstant(lastEvidenceAt),
    head: head === null ? null : { treeSize: head.treeSize, rootHash: decodeHex(head.rootHash) },
    lastReceipt,
  };
}

/** Durable when it resolves. */
export async function writeFloor(
  files: FileSystem,
  { lastEvidenceAt, head, lastReceipt }: StationFloor,
): Promise<void> {
  const value = {
    mediaType: MEDIA_TYPE,
    lastEvidenceAt: formatInstant(lastEvidenceAt),
    head: head === null ? null : { treeSize: head.treeSize, rootHash: encodeHex(head.rootHash) },
    lastReceipt,
  };
  await replaceFile(files, FILE, formatChainedLine(SEED, value).line);
}

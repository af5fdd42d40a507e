// SPDX-License-Identifier: Apache-2.0
/** One file of the custody journal: hash-chained batches, then zeros (spec/custody-protocol.md). */
import { createHash } from 'node:crypto';
import { damaged, parseBatch, type JournalRecord } from './records.ts';

/** Before the first batch of all. */
export const NO_HASH = '0'.repeat(64);
const NEWLINE = 0x0a;
const HASH_LENGTH = 64;
const LENGTH_DIGITS = 8;
const HEADER_LENGTH = HASH_LENGTH + 1 + LENGTH_DIGITS + 1;
const HEADER = /^[0-9a-f]{64} ([0-9]{8}) $/;

export interface JournalSegment {
  readonly records: readonly JournalRecord[];
  readonly hash: string;
  /** Where the next batch goes. */
  readonly end: number;
  /** Bytes of a batch that was being written when the process ended. */
  readonly tornBytes: number;
}

/** `previous` is null when the segment before is not read; its head says what it continues. */
export function readSegment(bytes: Buffer, previous: string | null, isLast: boolean): JournalSegment {
  const records: JournalRecord[] = [];
  let offset = 0;
  let hash = previous;
  while (offset < bytes.length && bytes[offset] !== 0) {
    const end = offset + claimedLength(bytes, offset);
    const batch = readBatch(bytes.subarray(offset, end), hash);
    if (batch === null) {
      // A newline comes at the end of a batch and nowhere else; a length that was changed does not hide the next one.
      return torn(bytes, { records, hash, offset, end: Math.min(end, onlyLineEnd(bytes, offset)) }, isLast);
    }
    records.push(...batch);
    hash = hashOf(bytes.subarray(offset));
    offset = end;
  }
  if (!isZero(bytes.subarray(offset)))
    return torn(bytes, { records, hash, offset, end: onlyLineEnd(bytes, offset) }, isLast);
  if (hash === null || records.length === 0) throw damaged('a segment without a head');
  return { records, hash, end: offset, tornBytes: 0 };
}

/** Only the very last batch can have been interrupted: behind it there are zeros and nothing else. */
function torn(
  bytes: Buffer,
  at: { records: JournalRecord[]; hash: string | null; offset: number; end: number },
  isLast: boolean,
): JournalSegment {
  if (!isLast || !isZero(bytes.subarray(at.end)) || at.hash === null || at.records.length === 0) {
    throw damaged(`a batch at byte ${at.offset} that does not continue the one before`);
  }
  return { records: at.records, hash: at.hash, end: at.offset, tornBytes: Math.min(at.end, bytes.length) - at.offset };
}

/** What a line says of its own length; one line when it does not say. */
function claimedLength(bytes: Buffer, offset: number): number {
  const header = HEADER.exec(bytes.subarray(offset, offset + HEADER_LENGTH).toString('latin1'));
  if (header !== null) return HEADER_LENGTH + Number(header[1]) + 1;
  return onlyLineEnd(bytes, offset) - offset;
}

/** The end of the first line, or of the bytes. */
function onlyLineEnd(bytes: Buffer, offset: number): number {
  const newline = bytes.indexOf(NEWLINE, offset);
  return newline === -1 ? bytes.length : newline + 1;
}

/** The records of a line, or null when it is not what was written here. */
function readBatch(line: Buffer, previous: string | null): JournalRecord[] | null {
  if (line.at(-1) !== NEWLINE || line.length <= HEADER_LENGTH) return null;
  const json = line.subarray(HEADER_LENGTH, -1);
  let records: JournalRecord[];
  try {
    records = parseBatch(new Uint8Array(json));
  } catch {
    return null;
  }
  const head = records[0];
  const before = previous ?? (head?.kind === 'segment' ? head.previous : NO_HASH);
  return line.subarray(0, HEADER_LENGTH).toString('latin1') === formatHeader(before, json) ? records : null;
}

/** The hash of the batch before and the JSON, the length of the JSON, the JSON, a newline. */
export function formatBatch(previous: string, records: readonly JournalRecord[]): Buffer {
  const json = Buffer.from(JSON.stringify(records));
  return Buffer.concat([Buffer.from(formatHeader(previous, json), 'latin1'), json, Buffer.of(NEWLINE)]);
}

function formatHeader(previous: string, json: Buffer): string {
  const hash = createHash('sha256').update(previous).update(json).digest('hex');
  return `${hash} ${String(json.length).padStart(LENGTH_DIGITS, '0')} `;
}

export function hashOf(line: Buffer): string {
  return line.subarray(0, HASH_LENGTH).toString('latin1');
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

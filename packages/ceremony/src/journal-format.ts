// SPDX-License-Identifier: Apache-2.0
/** The lines of a ceremony journal (spec/ceremony-transcript.md, "The journal"): a digest, chained to the line before, and a record. */
import {
  decodeUtf8,
  encodeUtf8,
  formatInstant,
  formatJson,
  parseStrictJson,
  RefusedError,
  sha256Hex,
  type Bytes,
  type JsonLimits,
  type JsonValue,
} from '@witnessmark/core';
import { toRecord, type JournalRecord } from './facts.ts';

export const MAX_JOURNAL_BYTES: number = 1024 * 1024;

const RECORD_LIMITS: JsonLimits = { maxBytes: 128 * 1024, maxDepth: 12, maxValues: 4_000 };
const CHAIN_DOMAIN = 'witnessmark ceremony journal v1';
const DIGEST_LENGTH = 64;
const NEWLINE = 0x0a;

export interface JournalText {
  readonly records: readonly JournalRecord[];
  /** The chain's value after the last record. */
  readonly digest: string;
  /** Length of the bytes that hold `records`; what follows was never acknowledged. */
  readonly validLength: number;
}

/** The chain's value before the first record. */
export function journalSeed(ceremonyId: string): string {
  return sha256Hex(encodeUtf8(`${CHAIN_DOMAIN}\n${ceremonyId}\n`));
}

export function formatRecord(previous: string, { seq, at, fact }: JournalRecord): { line: Bytes; digest: string } {
  const text = decodeUtf8(formatJson({ seq, at: formatInstant(at), fact: fact as unknown as JsonValue }));
  const digest = chain(previous, text);
  return { line: encodeUtf8(`${digest} ${text}\n`), digest };
}

/**
 * Reads a journal. A last line that was being written when the power went – without its end, or with a hole in it – is
 * left out: nobody was told that it is there. Anything else that breaks the chain throws CE-109.
 */
export function parseJournal(ceremonyId: string, bytes: Bytes): JournalText {
  if (bytes.length > MAX_JOURNAL_BYTES) throw damaged('it is too large');
  const records: JournalRecord[] = [];
  let digest = journalSeed(ceremonyId);
  let validLength = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, validLength);
    const line = bytes.subarray(validLength, end + 1);
    const isLast = end === bytes.length - 1;
    if (end < 0 || (isLast && line.includes(0))) return { records, digest, validLength };
    const record = readLine(digest, line, records.length + 1);
    records.push(record.record);
    digest = record.digest;
    validLength = end + 1;
  }
}

/**
 * The ceremony a journal says it belongs to. Nothing vouches for it yet: it only gives the seed, and with another one no
 * record continues the chain. Throws CE-109.
 */
export function readCeremonyId(bytes: Bytes): string {
  const end = bytes.subarray(0, RECORD_LIMITS.maxBytes).indexOf(NEWLINE);
  if (end <= DIGEST_LENGTH) throw damaged('it holds no record');
  try {
    const { fact } = toRecord(parseStrictJson(bytes.subarray(DIGEST_LENGTH + 1, end), RECORD_LIMITS));
    if (fact.kind === 'opened') return fact.settings.ceremonyId;
  } catch (cause) {
    throw damaged('record 1 is not one this program writes', cause);
  }
  throw damaged('record 1 is not an opening');
}

function readLine(previous: string, line: Bytes, seq: number): { record: JournalRecord; digest: string } {
  try {
    const text = decodeUtf8(line);
    const body = text.slice(DIGEST_LENGTH + 1, -1);
    const digest = chain(previous, body);
    if (text !== `${digest} ${body}\n`) throw damaged(`record ${seq} breaks the chain`);
    const record = toRecord(parseStrictJson(encodeUtf8(body), RECORD_LIMITS));
    if (record.seq !== seq) throw damaged(`record ${record.seq} stands at place ${seq}`);
    return { record, digest };
  } catch (cause) {
    if (cause instanceof RefusedError) throw cause;
    throw damaged(`record ${seq} is not one this program writes`, cause);
  }
}

function chain(previous: string, text: string): string {
  return sha256Hex(encodeUtf8(`${previous}\n${text}\n`));
}

function damaged(what: string, cause?: unknown): RefusedError {
  return new RefusedError('CE-109', `the journal of the ceremony: ${what}`, { cause });
}

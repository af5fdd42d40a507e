// SPDX-License-Identifier: Apache-2.0
/** The lines of a station journal (spec/station-journal.md): each is a digest, chained to the line before, and a JSON record. */
import {
  decodeUtf8,
  encodeUtf8,
  formatInstant,
  formatJson,
  fromEnvelope,
  isReasonCode,
  parseInstant,
  parseStrictJson,
  sha256Hex,
  toEnvelope,
  type Bytes,
  type Envelope,
  type Instant,
  type JsonLimits,
  type JsonValue,
  type ReasonCode,
} from '@witnessmark/core';
import { instantText, releaseManifestSchema, uuid, type ReleaseManifest } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { z } from 'zod';
import { StationError } from './error.ts';

export const JOURNAL_LIMITS = {
  /** A transaction writes at most five records; envelopes have at most 64 KiB. */
  maxFileBytes: 4 * 1024 * 1024,
  /** What may wait for the line before the station stops taking new work. */
  maxOpenTransactions: 256,
} as const;

const RECORD_LIMITS: JsonLimits = { maxBytes: 1024 * 1024, maxDepth: 16, maxValues: 20_000 };
const CHAIN_DOMAIN = 'witnessmark station journal v1';
const DIGEST_LENGTH = 64;
const NEWLINE = 0x0a;

/** What happened, in the order a unit's transaction meets it. Refusals have two records: `refused` and `closed`. */
export type JournalFact =
  | {
      /** The station is about to submit this intent. */
      readonly kind: 'intended';
      readonly intent: Envelope;
      readonly permit: Envelope;
      /** The id of the event that will close the intent, however often that event has to be made. */
      readonly eventId: string;
      readonly manifest: ReleaseManifest;
    }
  /** The intent is in the log. From here on the device may have been touched. */
  | { readonly kind: 'intentLogged'; readonly entry: LoggedEntry }
  /** The intent is in the spool, because the line did not answer. From here on the device may have been touched. */
  | { readonly kind: 'intentSpooled' }
  /** Every component was read back and is the released one; from here on the device may be locked against reading. */
  | { readonly kind: 'measured'; readonly measurement: Envelope }
  /** The closing event is signed and about to be submitted. */
  | { readonly kind: 'eventSigned'; readonly event: Envelope }
  /** A refusal of the station is signed and about to be submitted. */
  | { readonly kind: 'refused'; readonly refusal: Envelope }
  /** The last statement is in the log; nothing is left to do. */
  | { readonly kind: 'closed'; readonly entry: LoggedEntry }
  /** The line refused the intent, so nothing was done and nothing will be. */
  | { readonly kind: 'abandoned'; readonly code: ReasonCode };

/** Which record may follow which; a transaction begins with `intended` or `refused`. */
const SUCCESSORS: Readonly<Record<JournalFact['kind'], readonly JournalFact['kind'][]>> = {
  intended: ['intentLogged', 'intentSpooled', 'abandoned'],
  intentSpooled: ['measured', 'eventSigned'],
  intentLogged: ['measured', 'eventSigned'],
  measured: ['eventSigned'],
  eventSigned: ['closed'],
  refused: ['closed'],
  closed: [],
  abandoned: [],
};

export interface JournalRecord {
  readonly seq: number;
  readonly at: Instant;
  readonly fact: JournalFact;
}

interface JournalText {
  readonly records: readonly JournalRecord[];
  /** Length of the bytes that hold `records`; what follows was never acknowledged. */
  readonly validLength: number;
  /** The chain's value after the last record. */
  readonly digest: string;
}

/** The chain's value before the first record of a transaction. */
export function journalSeed(transactionId: string): string {
  return sha256Hex(encodeUtf8(`${CHAIN_DOMAIN}\n${transactionId}\n`));
}

export function mayFollow(previous: JournalFact | undefined, { kind }: JournalFact): boolean {
  return previous === undefined ? kind === 'intended' || kind === 'refused' : SUCCESSORS[previous.kind].includes(kind);
}

export function formatJournalRecord(previous: string, record: JournalRecord): { line: Bytes; digest: string } {
  return formatChainedLine(previous, toJson(record));
}

/**
 * Reads a journal. A last line without its end is a torn tail and left out: nobody was told that it is there. Anything
 * else that breaks the chain throws `ERR_STATION_JOURNAL_DAMAGED`, because a crash does not do that.
 */
export function parseJournal(name: string, seed: string, bytes: Bytes): JournalText {
  if (bytes.length > JOURNAL_LIMITS.maxFileBytes) throw damaged(name, 'the file is too large');
  const records: JournalRecord[] = [];
  let digest = seed;
  let validLength = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, validLength);
    if (end < 0) return { records, validLength, digest };
    const line = readChainedLine(digest, bytes.subarray(validLength, end + 1));
    if (line === null) throw damaged(name, `record ${records.length + 1} breaks the chain`);
    const record = toRecord(name, records.length + 1, line.value);
    if (!mayFollow(records.at(-1)?.fact, record.fact)) throw damaged(name, `record ${record.seq} is out of order`);
    records.push(record);
    digest = line.digest;
    validLength = end + 1;
  }
}

/** One digest line: SHA-256 over the previous digest and the text, a space, the text, a newline. */
export function formatChainedLine(previous: string, value: JsonValue): { line: Bytes; digest: string } {
  const text = decodeUtf8(formatJson(value));
  const digest = chain(previous, text);
  return { line: encodeUtf8(`${digest} ${text}\n`), digest };
}

/** The value of a digest line that continues `previous`, or null when it does not. */
export function readChainedLine(previous: string, line: Bytes): { value: JsonValue; digest: string } | null {
  let text: string;
  try {
    text = decodeUtf8(line);
  } catch {
    return null;
  }
  const body = text.slice(DIGEST_LENGTH + 1, -1);
  const digest = chain(previous, body);
  if (text !== `${digest} ${body}\n`) return null;
  return { value: parseStrictJson(encodeUtf8(body), RECORD_LIMITS), digest };
}

function chain(previous: string, text: string): string {
  return sha256Hex(encodeUtf8(`${previous}\n${text}\n`));
}

const envelope = z.unknown().transform((value) => toEnvelope(value as JsonValue));
const entry = z.strictObject({ index: z.int().min(0), envelope, proof: z.string() });
const reasonCode = z.string().refine(isReasonCode);
const header = { seq: z.int().min(1), at: instantText };

const recordSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...header,
    kind: z.literal('intended'),
    intent: envelope,
    permit: envelope,
    eventId: uuid,
    manifest: releaseManifestSchema,
  }),
  z.strictObject({ ...header, kind: z.literal('intentLogged'), entry }),
  z.strictObject({ ...header, kind: z.literal('intentSpooled') }),
  z.strictObject({ ...header, kind: z.literal('measured'), measurement: envelope }),
  z.strictObject({ ...header, kind: z.literal('eventSigned'), event: envelope }),
  z.strictObject({ ...header, kind: z.literal('refused'), refusal: envelope }),
  z.strictObject({ ...header, kind: z.literal('closed'), entry }),
  z.strictObject({ ...header, kind: z.literal('abandoned'), code: reasonCode }),
]);

function toRecord(name: string, seq: number, value: JsonValue): JournalRecord {
  try {
    const { seq: stated, at, ...fact } = recordSchema.parse(value);
    if (stated !== seq) throw new TypeError(`record ${stated} stands at place ${seq}`);
    return { seq, at: parseInstant(at), fact };
  } catch (cause) {
    throw damaged(name, `record ${seq} is not one this program writes`, cause);
  }
}

function toJson({ seq, at, fact }: JournalRecord): JsonValue {
  const head = { seq, at: formatInstant(at), kind: fact.kind };
  switch (fact.kind) {
    case 'intended':
      return {
        ...head,
        intent: fromEnvelope(fact.intent),
        permit: fromEnvelope(fact.permit),
        eventId: fact.eventId,
        manifest: fact.manifest,
      };
    case 'intentLogged':
    case 'closed':
      return { ...head, entry: toEntryJson(fact.entry) };
    case 'intentSpooled':
      return head;
    case 'measured':
      return { ...head, measurement: fromEnvelope(fact.measurement) };
    case 'eventSigned':
      return { ...head, event: fromEnvelope(fact.event) };
    case 'refused':
      return { ...head, refusal: fromEnvelope(fact.refusal) };
    case 'abandoned':
      return { ...head, code: fact.code };
  }
}

function toEntryJson({ index, envelope: logged, proof }: LoggedEntry): JsonValue {
  return { index, envelope: fromEnvelope(logged), proof };
}

function damaged(name: string, what: string, cause?: unknown): StationError {
  return new StationError('ERR_STATION_JOURNAL_DAMAGED', `${name}: ${what}; keep the disk as it is`, { cause });
}

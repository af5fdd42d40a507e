// SPDX-License-Identifier: Apache-2.0
/** The lines of a spool (spec/offline-spool.md): where it begins, then each statement in its order, chained like a journal. */
import {
  formatInstant,
  fromEnvelope,
  parseInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  toEnvelope,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type JsonValue,
  type PublicKey,
} from '@witnessmark/core';
import {
  instantText,
  parseStatementHeader,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  refusal,
  sha256Text,
  toStatement,
  uuid,
  type SpoolPlace,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { formatChainedLine, readChainedLine } from '../journal-format.ts';

export const SPOOL_LIMITS = {
  /** Statements that may wait; envelopes have at most 64 KiB, and those of units a tenth of it. */
  maxRecords: 256,
  maxFileBytes: 16 * 1024 * 1024,
} as const;

const SPOOL_SEED = 'witnessmark station spool v1';
const HEAD_SEED = 'witnessmark station spool head v1';
const BASE_MEDIA_TYPE = 'application/vnd.witnessmark.station-spool.v1+json';
const HEAD_MEDIA_TYPE = 'application/vnd.witnessmark.station-spool-head.v1+json';
const NEWLINE = 0x0a;

/** An end of a spool: 0 and null before its first statement. */
export interface SpoolEnd {
  readonly seq: number;
  /** SHA-256 of the payload of the statement with that number, lower-case hexadecimal. */
  readonly digest: string | null;
}

export const SPOOL_START: SpoolEnd = { seq: 0, digest: null };

/** What waits for the line. */
export interface SpoolRecord extends SpoolEnd {
  readonly digest: string;
  readonly kind: 'intent' | 'event' | 'refusal';
  /** Of the unit's journal; of the refusal itself. */
  readonly transactionId: string;
  readonly place: SpoolPlace;
  readonly envelope: Envelope;
  readonly at: Instant;
}

interface SpoolText {
  readonly base: SpoolEnd;
  readonly records: readonly SpoolRecord[];
  /** Length of the bytes that hold them; what follows was never acknowledged. */
  readonly validLength: number;
  readonly chain: string;
}

/** Why a spool cannot be what this station left. */
export interface SpoolDamage {
  readonly damage: string;
  /** What is readable before it. */
  readonly until: SpoolEnd;
}

const end = { seq: z.int().min(0), digest: sha256Text.nullable() };
const baseSchema = z.strictObject({ mediaType: z.literal(BASE_MEDIA_TYPE), ...end });
const headSchema = z.strictObject({ mediaType: z.literal(HEAD_MEDIA_TYPE), ...end });
const recordSchema = z.strictObject({
  seq: z.int().min(1),
  at: instantText,
  transactionId: uuid,
  statement: z.unknown().transform((value) => toEnvelope(value as JsonValue)),
});

export function formatSpoolBase({ seq, digest }: SpoolEnd): { line: Bytes; digest: string } {
  return formatChainedLine(SPOOL_SEED, { mediaType: BASE_MEDIA_TYPE, seq, digest });
}

export function formatSpoolRecord(
  chain: string,
  { seq, at, transactionId, envelope }: SpoolRecord,
): { line: Bytes; digest: string } {
  const value = { seq, at: formatInstant(at), transactionId, statement: fromEnvelope(envelope) };
  return formatChainedLine(chain, value);
}

export function formatSpoolHead({ seq, digest }: SpoolEnd): Bytes {
  return formatChainedLine(HEAD_SEED, { mediaType: HEAD_MEDIA_TYPE, seq, digest }).line;
}

/** Null for bytes that are no head of this program. */
export function parseSpoolHead(bytes: Bytes): SpoolEnd | null {
  const head = headSchema.safeParse(readLine(HEAD_SEED, bytes)?.value);
  return head.success ? { seq: head.data.seq, digest: head.data.digest } : null;
}

/** Reads a spool of the station with this key. A last line without its end is a torn tail and left out. */
export function parseSpool(bytes: Bytes, stationKey: PublicKey): SpoolText | SpoolDamage {
  if (bytes.length > SPOOL_LIMITS.maxFileBytes) return { damage: 'it is too large', until: SPOOL_START };
  let at = bytes.indexOf(NEWLINE) + 1;
  const first = readLine(SPOOL_SEED, bytes.subarray(0, at));
  const base = baseSchema.safeParse(first?.value);
  if (first === null || !base.success) return { damage: 'its beginning is not readable', until: SPOOL_START };
  let { digest: chain } = first;
  let until: SpoolEnd = { seq: base.data.seq, digest: base.data.digest };
  const records: SpoolRecord[] = [];
  for (;;) {
    const stop = bytes.indexOf(NEWLINE, at);
    if (stop < 0) return { base: toEnd(base.data), records, validLength: at, chain };
    const line = readLine(chain, bytes.subarray(at, stop + 1));
    if (line === null) return { damage: `what follows record ${until.seq} is not what was written there`, until };
    const record = readRecord(line.value, stationKey);
    if (record === null) return { damage: `what follows record ${until.seq} is no statement of this station`, until };
    if (!follows(record, until)) return { damage: `record ${record.seq} does not follow record ${until.seq}`, until };
    records.push(record);
    until = record;
    chain = line.digest;
    at = stop + 1;
  }
}

/** A statement that has a place in a spool; null for any other. Its signature was verified. */
export function toSpoolRecord(envelope: Envelope, transactionId: string, at: Instant): SpoolRecord | null {
  const header = parseStatementHeader(envelope.payload);
  const digest = sha256Hex(envelope.payload);
  const record = (kind: SpoolRecord['kind'], place: SpoolPlace | undefined): SpoolRecord | null =>
    place === undefined ? null : { kind, place, seq: place.seq, digest, transactionId, envelope, at };
  switch (header.predicateType) {
    case PREDICATE_TYPES.provisioningIntent:
      return record('intent', toStatement(provisioningIntent, header).predicate.offline);
    case PREDICATE_TYPES.provisioningEvent:
      return record('event', toStatement(provisioningEvent, header).predicate.offline);
    case PREDICATE_TYPES.refusal:
      return record('refusal', toStatement(refusal, header).predicate.offline);
    default:
      return null;
  }
}

/** Whether a statement continues a spool that ends there. */
export function follows({ place }: Pick<SpoolRecord, 'place'>, { seq, digest }: SpoolEnd): boolean {
  return place.seq === seq + 1 && (place.previousDigest?.sha256 ?? null) === digest;
}

/** The next place after an end, under an allowance. */
export function nextPlace({ seq, digest }: SpoolEnd, allowanceDigest: string): SpoolPlace {
  return {
    allowanceDigest: { sha256: allowanceDigest },
    seq: seq + 1,
    previousDigest: digest === null ? null : { sha256: digest },
  };
}

function readRecord(value: JsonValue, stationKey: PublicKey): SpoolRecord | null {
  try {
    const { seq, at, transactionId, statement } = recordSchema.parse(value);
    verifyEnvelope(statement, { keys: [stationKey], threshold: 1, payloadType: STATEMENT_PAYLOAD_TYPE });
    const record = toSpoolRecord(statement, transactionId, parseInstant(at));
    return record?.seq === seq ? record : null;
  } catch (error) {
    if (error instanceof WitnessmarkError || error instanceof z.ZodError) return null;
    throw error;
  }
}

function readLine(chain: string, line: Bytes): { value: JsonValue; digest: string } | null {
  try {
    return readChainedLine(chain, line);
  } catch (error) {
    if (error instanceof WitnessmarkError) return null;
    throw error;
  }
}

function toEnd({ seq, digest }: SpoolEnd): SpoolEnd {
  return { seq, digest };
}

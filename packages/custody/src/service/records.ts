// SPDX-License-Identifier: Apache-2.0
/** The records of the custody journal (spec/custody-protocol.md), and the account that follows from them. */
import {
  isReasonCode,
  parseStrictJson,
  RefusedError,
  type Bytes,
  type JsonLimits,
  type JsonValue,
  type ReasonCode,
} from '@witnessmark/core';
import { Fields } from '../strict-fields.ts';

/** Written and durable before the token is asked. */
export interface IntentRecord {
  readonly kind: 'intent';
  readonly id: string;
  readonly at: string;
  readonly client: string;
  readonly key: string;
  readonly keyid: string;
  readonly purpose: string;
  /** SHA-256 of the message. */
  readonly digest: string;
}

export type OutcomeRecord =
  | { readonly kind: 'result'; readonly id: string; readonly signature: string }
  /** Nothing was signed. */
  | { readonly kind: 'failure'; readonly id: string; readonly code: ReasonCode }
  /** Nobody can tell whether it was signed. */
  | { readonly kind: 'unknown'; readonly id: string; readonly code: ReasonCode };

/** First in each segment, so that a start needs no older one. */
export interface SegmentRecord {
  readonly kind: 'segment';
  readonly number: number;
  /** Hash of the last batch of the segment before; zeros in the first. */
  readonly previous: string;
  /** Intents without an outcome when the segment began. */
  readonly open: readonly IntentRecord[];
}

export type JournalRecord = SegmentRecord | IntentRecord | OutcomeRecord;

const JOURNAL_LIMITS = {
  batch: { maxBytes: 4 * 1024 * 1024, maxDepth: 6, maxValues: 200_000 } satisfies JsonLimits,
  maxRecords: 10_000,
  maxOpen: 4_096,
};

const KINDS = ['segment', 'intent', 'result', 'failure', 'unknown'] as const;

/** Reads one batch. Throws CU-157. */
export function parseBatch(bytes: Bytes): JournalRecord[] {
  const value = parseStrictJson(bytes, JOURNAL_LIMITS.batch);
  if (!Array.isArray(value) || value.length > JOURNAL_LIMITS.maxRecords) throw damaged('a batch that is not a list');
  return (value as readonly JsonValue[]).map(parseRecord);
}

function parseRecord(value: JsonValue, index: number): JournalRecord {
  const fields = new Fields(value, `record ${index}`, damaged);
  const kind = fields.oneOf('kind', KINDS);
  const record =
    kind === 'segment' ? parseSegment(fields) : kind === 'intent' ? parseIntent(fields) : parseOutcome(kind, fields);
  fields.end();
  return record;
}

function parseSegment(fields: Fields): SegmentRecord {
  return {
    kind: 'segment',
    number: fields.counter('number'),
    previous: fields.sha256('previous'),
    open: fields.array('open', JOURNAL_LIMITS.maxOpen).map((value) => {
      const own = new Fields(value, 'open', damaged);
      own.oneOf('kind', ['intent']);
      const intent = parseIntent(own);
      own.end();
      return intent;
    }),
  };
}

function parseIntent(fields: Fields): IntentRecord {
  return {
    kind: 'intent',
    id: fields.uuid('id'),
    at: fields.instant('at'),
    client: fields.text('client', 128),
    key: fields.text('key', 128),
    keyid: fields.sha256('keyid'),
    purpose: fields.text('purpose', 128),
    digest: fields.sha256('digest'),
  };
}

function parseOutcome(kind: OutcomeRecord['kind'], fields: Fields): OutcomeRecord {
  const id = fields.uuid('id');
  if (kind === 'result') return { kind, id, signature: fields.text('signature', 256) };
  const code = fields.text('code', 8);
  if (!isReasonCode(code)) throw damaged('a code nobody knows');
  return { kind, id, code };
}

export function damaged(detail: string): RefusedError {
  return new RefusedError('CU-157', `the custody journal holds ${detail}`);
}

// SPDX-License-Identifier: Apache-2.0
/** What a line does for a station, whether it lives in the same process or behind HTTP (spec/http-api.md). */
import type { Bytes, Envelope, Instant, ReasonCode } from '@witnessmark/core';

/** A statement that is in the log, with what anybody needs to check that. */
export interface LoggedEntry {
  readonly index: number;
  /** As logged: with the line's countersignature. */
  readonly envelope: Envelope;
  /** https://c2sp.org/tlog-proof */
  readonly proof: string;
}

/** Statements that travel with a submitted one and are not logged themselves. */
export interface Attachments {
  /** Needed with an intent: the permit whose digest the intent names. */
  readonly permit?: Envelope;
}

export interface LineTime {
  readonly now: Instant;
}

/**
 * Every method rejects with a `LineRefusedError` when the rules say no, and with an `ApiError` when there is no usable
 * answer. Both `requestPermit` and `submit` may be repeated with the same statement: the answer is the same, the effect once.
 */
export interface LineService {
  /** A permit request signed by the station; answers with a permit signed by the line. */
  requestPermit(request: Envelope): Promise<Envelope>;
  /** A session, intent, event, refusal or disposition; resolves when it is durable in the log. */
  submit(statement: Envelope, attachments?: Attachments): Promise<LoggedEntry>;
  time(): Promise<LineTime>;
  /** The unit evidence file by device id or label serial; null for a unit the line does not know. */
  unitEvidence(unit: string): Promise<Bytes | null>;
}

export const UNIT_STATES = ['open', 'passed', 'failed', 'held', 'quarantined', 'scrapped'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

/** Where a unit stands, as the line's views say; the log is the truth. */
export interface UnitSummary {
  readonly deviceId: string;
  readonly labelSerial: string;
  readonly sku: string;
  readonly state: UnitState;
  readonly attempts: number;
  readonly releaseId: string;
  readonly station: string;
  /** The last link of the unit's chain. */
  readonly head: { readonly seq: number; readonly digest: string };
  readonly openTransaction: string | null;
}

/** A line stop that waits for a disposition. */
export interface OpenStop {
  readonly refusalId: string;
  /** SHA-256 of the refusal statement's payload; a disposition names it. */
  readonly refusalDigest: string;
  readonly code: ReasonCode;
  readonly deviceId: string | null;
  readonly station: string;
  readonly line: string;
  readonly index: number;
}

/** What supervisors and tools read; nothing here changes anything. */
export interface LineViews {
  /** By device id or label serial; null for a unit the line does not know. */
  unit(unit: string): Promise<UnitSummary | null>;
  openStops(): Promise<readonly OpenStop[]>;
  /** The latest checkpoint note; null while the log is empty. */
  checkpoint(): Promise<Bytes | null>;
}

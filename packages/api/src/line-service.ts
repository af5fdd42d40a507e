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
  /** Needed with an intent or an unsealing: the permit whose digest it names. */
  readonly permit?: Envelope;
}

export interface LineTime {
  readonly now: Instant;
  /** The break-glass in force, which records made there now must carry; `station` is null for the whole line. */
  readonly breakGlass: { readonly digest: string; readonly station: string | null } | null;
}

/**
 * Every method rejects with a `LineRefusedError` when the rules say no, and with an `ApiError` when there is no usable
 * answer. Both `requestPermit` and `submit` may be repeated with the same statement: the answer is the same, the effect once.
 */
export interface LineService {
  /** A permit request signed by the station; answers with a permit signed by the line. */
  requestPermit(request: Envelope): Promise<Envelope>;
  /** A session, intent, event, refusal, disposition or site record; resolves when it is durable in the log. */
  submit(statement: Envelope, attachments?: Attachments): Promise<LoggedEntry>;
  time(): Promise<LineTime>;
  /** The unit evidence file by device id or label serial; null for a unit the line does not know. */
  unitEvidence(unit: string): Promise<Bytes | null>;
}

/** The content key of one sealed image, wrapped for the transport key that was asked with. */
export interface WrappedContentKey {
  /** Name of the image, as the release manifest has it. */
  readonly image: string;
  /** KeyAgreeRecipientInfo, DER (spec/sealed-image.md). */
  readonly recipientInfo: Bytes;
}

export interface UnsealedImages {
  /** The unsealing as it was logged before a key was touched. */
  readonly entry: LoggedEntry;
  readonly contentKeys: readonly WrappedContentKey[];
}

/** Rejects as {@link LineService} does, and may be repeated in the same way: one unsealing, however often it is answered. */
export interface UnsealingService {
  /** An unsealing signed by the station, with the permit it names. */
  unseal(statement: Envelope, attachments: Attachments): Promise<UnsealedImages>;
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

/** A logged statement that is no link of a unit's chain. */
export interface SiteRecordView {
  readonly id: string;
  readonly kind: string;
  /** As the line's views say: later records may have changed it. */
  readonly state: string;
  readonly relatedId: string | null;
  readonly station: string | null;
  readonly actor: string;
  /** RFC 3339. */
  readonly at: string;
  /** SHA-256 of the statement's payload. */
  readonly digest: string;
  readonly index: number;
  readonly envelope: Envelope;
}

/** What one place of a station did since a time. A unit that was tried twice was begun twice. */
export interface SlotTally {
  /** Null at a station with one place. */
  readonly slot: number | null;
  readonly begun: number;
  /** Of them, further attempts at the same unit. */
  readonly retests: number;
  readonly passed: number;
  readonly failed: number;
  readonly held: number;
  readonly aborted: number;
  /** Scans that ended in a refusal. */
  readonly refused: number;
  /** Of everything that did not pass, by code. */
  readonly failures: readonly { readonly code: string; readonly count: number }[];
}

export interface StationTally {
  readonly station: string;
  /** RFC 3339: one shift ago. */
  readonly since: string;
  readonly slots: readonly SlotTally[];
}

/** What supervisors and tools read; nothing here changes anything. */
export interface LineViews {
  /** By device id or label serial; null for a unit the line does not know. */
  unit(unit: string): Promise<UnitSummary | null>;
  openStops(): Promise<readonly OpenStop[]>;
  /** What each enrolled station did in one shift up to now. */
  stationTallies(): Promise<readonly StationTally[]>;
  /** The newest records of a kind, newest first. */
  siteRecords(kind: string): Promise<readonly SiteRecordView[]>;
  /** The latest checkpoint note; null while the log is empty. */
  checkpoint(): Promise<Bytes | null>;
}

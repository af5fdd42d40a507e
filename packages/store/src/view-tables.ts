// SPDX-License-Identifier: Apache-2.0
/**
 * The views: what the log's entries say, arranged so that rules are constraints (spec/evidence-log.md, "Views").
 * Every row derives from log entries alone. Rows carry the database's own column names.
 */

export const UNIT_STATES = ['open', 'passed', 'failed', 'held', 'quarantined', 'scrapped'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

/** Where a device stands: one row per device id; label and public key belong to one device each. */
export interface UnitRow {
  readonly device_id: string;
  readonly label_serial: string | null;
  readonly public_key_digest: string | null;
  readonly hardware_uid: string;
  readonly sku: string;
  readonly state: UnitState;
  /** Number and payload digest of the newest link of the device's chain. */
  readonly head_seq: number;
  readonly head_digest: string;
  readonly attempts: number;
  readonly release_id: string | null;
  readonly line: string;
  readonly station: string;
  readonly open_transaction: string | null;
  readonly open_intent_index: number | null;
  readonly last_index: number;
}

/** A link of a device's chain: an intent or an event. `event_id` is the request id that made it. */
export interface EventRow {
  readonly event_id: string;
  readonly device_id: string;
  readonly seq: number;
  readonly kind: 'intent' | 'event';
  readonly type: string;
  readonly outcome: string | null;
  readonly code: string | null;
  readonly log_index: number;
  readonly payload_digest: string;
  readonly station: string;
  readonly operator: string;
  readonly at: string;
  /** The place at a station that has several. */
  readonly slot: number | null;
  /** The attempt at the release, from 1 on; null in what was logged before it was kept here. */
  readonly attempt: number | null;
}

/** Who answers for a station, and until when: one open session for each station and for each person. */
export interface OperatorSessionRow {
  readonly session_id: string;
  readonly operator: string;
  readonly role: string;
  readonly credential: 'piv' | 'badge-pin' | 'software-key';
  readonly credential_key_digest: string;
  readonly station: string;
  readonly line: string;
  readonly opened_at: string;
  readonly expires_at: string;
  /** The person comes back after a pause this long, or after so many units. */
  readonly idle_minutes: number;
  readonly batch_units: number;
  /** Begun in it so far, and when it was last worked in. */
  readonly units: number;
  readonly last_used_at: string;
  readonly state: 'open' | 'ended';
  readonly payload_digest: string;
  readonly log_index: number;
}

export interface RefusalRow {
  readonly refusal_id: string;
  readonly code: string;
  readonly kind: string;
  readonly device_id: string | null;
  readonly label_serial: string | null;
  readonly station: string;
  readonly line: string;
  readonly log_index: number;
  readonly payload_digest: string;
  readonly at: string;
  readonly state: 'open' | 'closed';
  readonly disposition_id: string | null;
  readonly slot: number | null;
}

export interface DispositionRow {
  readonly disposition_id: string;
  readonly refusal_id: string;
  readonly action: string;
  readonly code: string;
  readonly device_id: string | null;
  readonly station: string;
  readonly line: string;
  readonly decided_by: string;
  readonly at: string;
  readonly log_index: number;
  readonly payload_digest: string;
}

/** How many units were begun under a release on a line; quotas are limits on it. */
export interface ReleaseUseRow {
  readonly release_id: string;
  readonly line: string;
  readonly units: number;
}

/**
 * A logged statement that is no link of a unit's chain. What `state`, `related_id`, `station` and `actor` mean is for the
 * rule of its kind to say.
 */
export interface SiteRecordRow {
  readonly record_id: string;
  readonly kind: string;
  readonly subject_digest: string;
  readonly state: string;
  readonly related_id: string | null;
  /** Null when it is about the whole line. */
  readonly station: string | null;
  readonly line: string;
  readonly actor: string;
  readonly at: string;
  readonly log_index: number;
  readonly payload_digest: string;
}

/** The spool of a station, or of a slot of it: how far it was delivered, and the allowance it goes on under. */
export interface SpoolRow {
  readonly name: string;
  readonly station: string;
  readonly line: string;
  readonly seq: number;
  /** SHA-256 of the payload of the last statement that was accounted for; null before the first. */
  readonly head_digest: string | null;
  readonly allowance_digest: string;
  readonly allowance_number: number;
  /** Begun under that allowance. */
  readonly units: number;
  /** `broken` from a gap until the next allowance. */
  readonly state: 'kept' | 'broken';
  readonly last_index: number;
}

/** How many links or refusals of one kind a station made since some time, by place. */
export interface TallyRow {
  readonly slot: number | null;
  readonly kind: 'intent' | 'event' | 'refusal';
  /** Of an event. */
  readonly outcome: string | null;
  readonly code: string | null;
  /** Whether it belongs to a further attempt. */
  readonly retest: boolean;
  readonly count: number;
}

export interface ViewRows {
  readonly unit: UnitRow;
  readonly event: EventRow;
  readonly operator_session: OperatorSessionRow;
  readonly refusal: RefusalRow;
  readonly disposition: DispositionRow;
  readonly release_use: ReleaseUseRow;
  readonly site_record: SiteRecordRow;
  readonly spool: SpoolRow;
}

export type ViewTable = keyof ViewRows;
export type ColumnValue = string | number | null;
export type Row = Readonly<Record<string, ColumnValue>>;

type Definitions = {
  readonly [Table in ViewTable]: {
    readonly columns: readonly (keyof ViewRows[Table] & string)[];
    readonly primaryKey: readonly (keyof ViewRows[Table] & string)[];
  };
};

export const VIEW_TABLES: Definitions = {
  unit: {
    columns: [
      'device_id',
      'label_serial',
      'public_key_digest',
      'hardware_uid',
      'sku',
      'state',
      'head_seq',
      'head_digest',
      'attempts',
      'release_id',
      'line',
      'station',
      'open_transaction',
      'open_intent_index',
      'last_index',
    ],
    primaryKey: ['device_id'],
  },
  event: {
    columns: [
      'event_id',
      'device_id',
      'seq',
      'kind',
      'type',
      'outcome',
      'code',
      'log_index',
      'payload_digest',
      'station',
      'operator',
      'at',
      'slot',
      'attempt',
    ],
    primaryKey: ['event_id'],
  },
  operator_session: {
    columns: [
      'session_id',
      'operator',
      'role',
      'credential',
      'credential_key_digest',
      'station',
      'line',
      'opened_at',
      'expires_at',
      'idle_minutes',
      'batch_units',
      'units',
      'last_used_at',
      'state',
      'payload_digest',
      'log_index',
    ],
    primaryKey: ['session_id'],
  },
  refusal: {
    columns: [
      'refusal_id',
      'code',
      'kind',
      'device_id',
      'label_serial',
      'station',
      'line',
      'log_index',
      'payload_digest',
      'at',
      'state',
      'disposition_id',
      'slot',
    ],
    primaryKey: ['refusal_id'],
  },
  disposition: {
    columns: [
      'disposition_id',
      'refusal_id',
      'action',
      'code',
      'device_id',
      'station',
      'line',
      'decided_by',
      'at',
      'log_index',
      'payload_digest',
    ],
    primaryKey: ['disposition_id'],
  },
  release_use: { columns: ['release_id', 'line', 'units'], primaryKey: ['release_id', 'line'] },
  site_record: {
    columns: [
      'record_id',
      'kind',
      'subject_digest',
      'state',
      'related_id',
      'station',
      'line',
      'actor',
      'at',
      'log_index',
      'payload_digest',
    ],
    primaryKey: ['record_id'],
  },
  spool: {
    columns: [
      'name',
      'station',
      'line',
      'seq',
      'head_digest',
      'allowance_digest',
      'allowance_number',
      'units',
      'state',
      'last_index',
    ],
    primaryKey: ['name'],
  },
};

export const VIEW_TABLE_NAMES: readonly ViewTable[] = Object.keys(VIEW_TABLES) as ViewTable[];

// SPDX-License-Identifier: Apache-2.0
/** The schema's history for SQLite. A migration that was released is never edited: the checksum of each is kept and compared. */

export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

const JOURNAL_AND_HEAD = `
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  tree_size INTEGER NOT NULL CHECK (tree_size > 0),
  root_hash BLOB NOT NULL CHECK (length(root_hash) = 32),
  checkpoint BLOB NOT NULL,
  committed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
  first_index INTEGER PRIMARY KEY CHECK (first_index >= 0),
  entry_count INTEGER NOT NULL CHECK (entry_count > 0),
  entries BLOB NOT NULL
) STRICT;
`;

const VIEWS = `
CREATE TABLE unit (
  device_id TEXT PRIMARY KEY NOT NULL,
  label_serial TEXT UNIQUE,
  public_key_digest TEXT UNIQUE,
  hardware_uid TEXT NOT NULL,
  sku TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'passed', 'failed', 'held', 'quarantined', 'scrapped')),
  head_seq INTEGER NOT NULL CHECK (head_seq >= 1),
  head_digest TEXT NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  release_id TEXT,
  line TEXT NOT NULL,
  station TEXT NOT NULL,
  open_transaction TEXT,
  open_intent_index INTEGER,
  last_index INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  event_id TEXT PRIMARY KEY NOT NULL,
  device_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  kind TEXT NOT NULL CHECK (kind IN ('intent', 'event')),
  type TEXT NOT NULL,
  outcome TEXT,
  code TEXT,
  log_index INTEGER NOT NULL UNIQUE,
  payload_digest TEXT NOT NULL UNIQUE,
  station TEXT NOT NULL,
  operator TEXT NOT NULL,
  at TEXT NOT NULL,
  UNIQUE (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_by_station ON event (station, log_index);

CREATE TABLE operator_session (
  session_id TEXT PRIMARY KEY NOT NULL,
  operator TEXT NOT NULL,
  role TEXT NOT NULL,
  credential_key_digest TEXT NOT NULL,
  station TEXT NOT NULL,
  line TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  payload_digest TEXT NOT NULL UNIQUE,
  log_index INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE refusal (
  refusal_id TEXT PRIMARY KEY NOT NULL,
  code TEXT NOT NULL,
  kind TEXT NOT NULL,
  device_id TEXT,
  label_serial TEXT,
  station TEXT NOT NULL,
  line TEXT NOT NULL,
  log_index INTEGER NOT NULL UNIQUE,
  payload_digest TEXT NOT NULL UNIQUE,
  at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  disposition_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_open ON refusal (station, log_index) WHERE state = 'open';
CREATE INDEX refusal_by_device ON refusal (device_id, log_index) WHERE device_id IS NOT NULL;

CREATE TABLE disposition (
  disposition_id TEXT PRIMARY KEY NOT NULL,
  refusal_id TEXT NOT NULL,
  action TEXT NOT NULL,
  code TEXT NOT NULL,
  device_id TEXT,
  station TEXT NOT NULL,
  line TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  at TEXT NOT NULL,
  log_index INTEGER NOT NULL UNIQUE,
  payload_digest TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE INDEX disposition_by_device ON disposition (device_id, log_index) WHERE device_id IS NOT NULL;

CREATE TABLE release_use (
  release_id TEXT NOT NULL,
  line TEXT NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 0),
  PRIMARY KEY (release_id, line)
) STRICT, WITHOUT ROWID;
`;

/** Statements that are no link of a unit's chain: one row each, whatever their type. */
const SITE_RECORDS = `
CREATE TABLE site_record (
  record_id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  subject_digest TEXT NOT NULL,
  state TEXT NOT NULL,
  related_id TEXT,
  station TEXT,
  line TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  log_index INTEGER NOT NULL UNIQUE,
  payload_digest TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE INDEX site_record_by_kind ON site_record (kind, log_index);
CREATE INDEX site_record_by_subject ON site_record (subject_digest, log_index);
CREATE INDEX site_record_by_related ON site_record (related_id, log_index) WHERE related_id IS NOT NULL;
CREATE UNIQUE INDEX site_record_one_opening ON site_record (line)
  WHERE kind = 'break-glass-opening' AND state <> 'reviewed';
CREATE UNIQUE INDEX site_record_one_unsealing ON site_record (related_id) WHERE kind = 'image-unsealing';
`;

/** A start names the one before it, and no two name the same: of two copies of a station one goes on. */
const STATION_STARTS = `
CREATE INDEX site_record_by_station ON site_record (station, kind, log_index) WHERE station IS NOT NULL;
CREATE UNIQUE INDEX site_record_one_successor ON site_record (related_id) WHERE kind = 'station-start';
`;

/** A device has one label that counts, whoever prints. */
const ONE_LABEL = `
CREATE UNIQUE INDEX site_record_one_label ON site_record (subject_digest)
  WHERE kind = 'label-event' AND state IN ('printed', 'scanned');
`;

/** Sessions end and are counted; no station has two that are open, and no person. One badge belongs to one person. */
const SIGN_INS = `
DROP TABLE operator_session;
CREATE TABLE operator_session (
  session_id TEXT PRIMARY KEY NOT NULL,
  operator TEXT NOT NULL,
  role TEXT NOT NULL,
  credential TEXT NOT NULL CHECK (credential IN ('piv', 'badge-pin', 'software-key')),
  credential_key_digest TEXT NOT NULL,
  station TEXT NOT NULL,
  line TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  idle_minutes INTEGER NOT NULL CHECK (idle_minutes >= 1),
  batch_units INTEGER NOT NULL CHECK (batch_units >= 1),
  units INTEGER NOT NULL CHECK (units >= 0),
  last_used_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'ended')),
  payload_digest TEXT NOT NULL UNIQUE,
  log_index INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX operator_session_one_at_station ON operator_session (station) WHERE state = 'open';
CREATE UNIQUE INDEX operator_session_one_of_operator ON operator_session (operator) WHERE state = 'open';
CREATE UNIQUE INDEX site_record_one_badge ON site_record (subject_digest)
  WHERE kind = 'badge-event' AND state IN ('enrolled', 'locked');
`;

/** Where the spool of each station ends as far as it was delivered, and what is left of its allowance. */
const SPOOLS = `
CREATE TABLE spool (
  name TEXT PRIMARY KEY NOT NULL,
  station TEXT NOT NULL,
  line TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  head_digest TEXT,
  allowance_digest TEXT NOT NULL UNIQUE,
  allowance_number INTEGER NOT NULL CHECK (allowance_number >= 1),
  units INTEGER NOT NULL CHECK (units >= 0),
  state TEXT NOT NULL CHECK (state IN ('kept', 'broken')),
  last_index INTEGER NOT NULL,
  CHECK ((seq = 0) = (head_digest IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX spool_by_station ON spool (station);
`;

/** Which place of a station and which attempt a link is of, and how units ended at a station, for rules and counts. */
const CONDUCT = `
ALTER TABLE event ADD COLUMN slot INTEGER;
ALTER TABLE event ADD COLUMN attempt INTEGER;
ALTER TABLE refusal ADD COLUMN slot INTEGER;
CREATE INDEX event_ending ON event (station, log_index) WHERE kind = 'event';
CREATE INDEX event_by_station_and_time ON event (station, at);
CREATE INDEX refusal_failure ON refusal (station, log_index) WHERE kind = 'UNIT_FAIL';
CREATE INDEX refusal_row ON refusal (station, log_index) WHERE code = 'LS-601' AND kind = 'LINE_STOP';
CREATE INDEX refusal_by_station_and_time ON refusal (station, at);
`;

export const MIGRATIONS: readonly Migration[] = [
  { id: 1, name: 'journal and head', sql: JOURNAL_AND_HEAD },
  { id: 2, name: 'views', sql: VIEWS },
  { id: 3, name: 'site records', sql: SITE_RECORDS },
  { id: 4, name: 'station starts', sql: STATION_STARTS },
  { id: 5, name: 'one label', sql: ONE_LABEL },
  { id: 6, name: 'sign-ins', sql: SIGN_INS },
  { id: 7, name: 'spools', sql: SPOOLS },
  { id: 8, name: 'conduct of stations', sql: CONDUCT },
];

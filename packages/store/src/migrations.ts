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

export const MIGRATIONS: readonly Migration[] = [
  { id: 1, name: 'journal and head', sql: JOURNAL_AND_HEAD },
  { id: 2, name: 'views', sql: VIEWS },
  { id: 3, name: 'site records', sql: SITE_RECORDS },
];

// SPDX-License-Identifier: Apache-2.0
/** Typed reads of the views, and the canonical dump that two databases are compared by. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { toStoreError } from './sqlite-error.ts';
import type { DumpedRow, ViewReader } from './store.ts';
import {
  VIEW_TABLE_NAMES,
  VIEW_TABLES,
  type ColumnValue,
  type DispositionRow,
  type EventRow,
  type OperatorSessionRow,
  type RefusalRow,
  type SiteRecordRow,
  type SpoolRow,
  type TallyRow,
  type UnitRow,
  type ViewRows,
  type ViewTable,
} from './view-tables.ts';

/** A device's chain and its refusals are short; the bound keeps a damaged or hostile database from filling memory. */
const MAX_ROWS = 10_000;

/** In an order of its own, so that equal views give equal answers. */
const TALLY =
  'SELECT slot, kind, outcome, code, COALESCE(attempt, 1) > 1 AS retest, COUNT(*) AS count FROM event ' +
  'WHERE station = ? AND at >= ? GROUP BY 1, 2, 3, 4, 5 UNION ALL ' +
  "SELECT slot, 'refusal', NULL, code, 0, COUNT(*) FROM refusal " +
  'WHERE station = ? AND at >= ? GROUP BY 1, 4 ORDER BY 1, 2, 3, 4, 5 LIMIT ?';

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous because other databases are */
export class SqliteViews implements ViewReader {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async unit(deviceId: string): Promise<UnitRow | undefined> {
    return this.#one('unit', 'device_id = ?', deviceId);
  }

  async unitByLabel(labelSerial: string): Promise<UnitRow | undefined> {
    return this.#one('unit', 'label_serial = ?', labelSerial);
  }

  async unitByPublicKey(publicKeyDigest: string): Promise<UnitRow | undefined> {
    return this.#one('unit', 'public_key_digest = ?', publicKeyDigest);
  }

  async event(eventId: string): Promise<EventRow | undefined> {
    return this.#one('event', 'event_id = ?', eventId);
  }

  async eventByDigest(payloadDigest: string): Promise<EventRow | undefined> {
    return this.#one('event', 'payload_digest = ?', payloadDigest);
  }

  async chain(deviceId: string): Promise<readonly EventRow[]> {
    return this.#many('event', 'device_id = ? ORDER BY seq', MAX_ROWS, deviceId);
  }

  async recentEvents(station: string, limit: number): Promise<readonly EventRow[]> {
    return this.#many('event', 'station = ? ORDER BY log_index DESC', Math.min(limit, MAX_ROWS), station);
  }

  async recentEndings(station: string, afterIndex: number, limit: number): Promise<readonly EventRow[]> {
    const condition = "station = ? AND kind = 'event' AND log_index > ? ORDER BY log_index DESC";
    return this.#many('event', condition, Math.min(limit, MAX_ROWS), station, afterIndex);
  }

  async recentUnitFails(station: string, afterIndex: number, limit: number): Promise<readonly RefusalRow[]> {
    const condition = "station = ? AND kind = 'UNIT_FAIL' AND log_index > ? ORDER BY log_index DESC";
    return this.#many('refusal', condition, Math.min(limit, MAX_ROWS), station, afterIndex);
  }

  async latestFailureStop(station: string): Promise<RefusalRow | undefined> {
    return this.#one(
      'refusal',
      "station = ? AND code = 'LS-601' AND kind = 'LINE_STOP' ORDER BY log_index DESC",
      station,
    );
  }

  async tally(station: string, since: string): Promise<readonly TallyRow[]> {
    try {
      const rows = this.#database.prepare(TALLY).all(station, since, station, since, MAX_ROWS);
      return rows.map((row) => ({ ...(row as unknown as TallyRow), retest: row['retest'] === 1 }));
    } catch (error) {
      throw toStoreError(error);
    }
  }

  async session(sessionId: string): Promise<OperatorSessionRow | undefined> {
    return this.#one('operator_session', 'session_id = ?', sessionId);
  }

  async sessionByDigest(payloadDigest: string): Promise<OperatorSessionRow | undefined> {
    return this.#one('operator_session', 'payload_digest = ?', payloadDigest);
  }

  async openSessionAt(station: string): Promise<OperatorSessionRow | undefined> {
    return this.#one('operator_session', "station = ? AND state = 'open'", station);
  }

  async openSessionOf(operator: string): Promise<OperatorSessionRow | undefined> {
    return this.#one('operator_session', "operator = ? AND state = 'open'", operator);
  }

  async openSessions(limit: number): Promise<readonly OperatorSessionRow[]> {
    return this.#many('operator_session', "state = 'open' ORDER BY log_index", Math.min(limit, MAX_ROWS));
  }

  async refusal(refusalId: string): Promise<RefusalRow | undefined> {
    return this.#one('refusal', 'refusal_id = ?', refusalId);
  }

  async openRefusals(station: string): Promise<readonly RefusalRow[]> {
    return this.#many('refusal', "station = ? AND state = 'open' ORDER BY log_index", MAX_ROWS, station);
  }

  async refusalsOf(deviceId: string): Promise<readonly RefusalRow[]> {
    return this.#many('refusal', 'device_id = ? ORDER BY log_index', MAX_ROWS, deviceId);
  }

  async disposition(dispositionId: string): Promise<DispositionRow | undefined> {
    return this.#one('disposition', 'disposition_id = ?', dispositionId);
  }

  async dispositionsOf(deviceId: string): Promise<readonly DispositionRow[]> {
    return this.#many('disposition', 'device_id = ? ORDER BY log_index', MAX_ROWS, deviceId);
  }

  async releaseUse(releaseId: string, line: string): Promise<number> {
    return this.#one('release_use', 'release_id = ? AND line = ?', releaseId, line)?.units ?? 0;
  }

  async siteRecord(recordId: string): Promise<SiteRecordRow | undefined> {
    return this.#one('site_record', 'record_id = ?', recordId);
  }

  async siteRecordByDigest(payloadDigest: string): Promise<SiteRecordRow | undefined> {
    return this.#one('site_record', 'payload_digest = ?', payloadDigest);
  }

  async recentSiteRecords(kind: string, limit: number): Promise<readonly SiteRecordRow[]> {
    return this.#many('site_record', 'kind = ? ORDER BY log_index DESC', Math.min(limit, MAX_ROWS), kind);
  }

  async newestSiteRecord(kind: string, station: string): Promise<SiteRecordRow | undefined> {
    return this.#one('site_record', 'kind = ? AND station = ? ORDER BY log_index DESC', kind, station);
  }

  async siteRecordsAbout(subjectDigest: string): Promise<readonly SiteRecordRow[]> {
    return this.#many('site_record', 'subject_digest = ? ORDER BY log_index', MAX_ROWS, subjectDigest);
  }

  async siteRecordsRelatedTo(relatedId: string): Promise<readonly SiteRecordRow[]> {
    return this.#many('site_record', 'related_id = ? ORDER BY log_index', MAX_ROWS, relatedId);
  }

  async spool(name: string): Promise<SpoolRow | undefined> {
    return this.#one('spool', 'name = ?', name);
  }

  async spoolsOf(station: string): Promise<readonly SpoolRow[]> {
    return this.#many('spool', 'station = ? ORDER BY name', MAX_ROWS, station);
  }

  /** SQLite's BINARY collation orders text by its UTF-8 bytes. */
  async *dump(): AsyncIterable<DumpedRow> {
    for (const table of VIEW_TABLE_NAMES) {
      const { columns, primaryKey } = VIEW_TABLES[table];
      const statement = this.#database.prepare(
        `SELECT ${columns.join(', ')} FROM ${table} ORDER BY ${primaryKey.join(', ')}`,
      );
      for (const row of statement.iterate()) {
        const values = columns.map((column) => row[column] as ColumnValue);
        yield { table, key: primaryKey.map((column) => String(row[column])), text: JSON.stringify(values) };
      }
    }
  }

  #one<Table extends ViewTable>(
    table: Table,
    condition: string,
    ...values: SQLInputValue[]
  ): ViewRows[Table] | undefined {
    return this.#many(table, condition, 1, ...values)[0];
  }

  #many<Table extends ViewTable>(
    table: Table,
    condition: string,
    limit: number,
    ...values: SQLInputValue[]
  ): readonly ViewRows[Table][] {
    const shape = `${table} ${condition}`;
    let statement = this.#statements.get(shape);
    try {
      if (statement === undefined) {
        const columns = VIEW_TABLES[table].columns.join(', ');
        statement = this.#database.prepare(`SELECT ${columns} FROM ${table} WHERE ${condition} LIMIT ?`);
        this.#statements.set(shape, statement);
      }
      return statement.all(...values, limit) as unknown as readonly ViewRows[Table][];
    } catch (error) {
      throw toStoreError(error);
    }
  }
}

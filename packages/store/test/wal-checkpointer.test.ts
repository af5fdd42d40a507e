// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WalCheckpointer } from '../src/wal-checkpointer.ts';
import { withTemporaryDirectory } from './fixtures.ts';

const ROW_BYTES = 50_000;
const LIMITS = { backgroundBytes: 500_000, foregroundBytes: 1_000_000_000 };

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
  database.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT');
  return database;
}

describe('WalCheckpointer', () => {
  it(
    'keeps the write-ahead log short while the writer goes on',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      const database = openDatabase(path);
      const checkpointer = new WalCheckpointer(path, database, LIMITS);
      const insert = database.prepare('INSERT INTO entry (body) VALUES (?)');
      let rows = 0;
      // Goes on until the log was started anew: its file stays as it is while the rows grow.
      for (let before = -1; rows < 20_000 && before !== statSync(`${path}-wal`).size;) {
        before = statSync(`${path}-wal`).size;
        insert.run(new Uint8Array(ROW_BYTES).fill(rows & 0xff));
        rows += 1;
        checkpointer.afterCommit(ROW_BYTES);
        await turn();
      }
      expect(rows).toBeLessThan(20_000);
      await checkpointer.close();
      expect(database.prepare('SELECT count(*) AS n FROM entry').get()).toEqual({ n: rows });
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      database.close();
    }),
  );

  it(
    'checkpoints in the writer when it must',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      const database = openDatabase(path);
      const checkpointer = new WalCheckpointer(path, database, { backgroundBytes: 1e9, foregroundBytes: 100_000 });
      const insert = database.prepare('INSERT INTO entry (body) VALUES (?)');
      for (let row = 0; row < 50; row += 1) {
        insert.run(new Uint8Array(ROW_BYTES));
        checkpointer.afterCommit(ROW_BYTES);
      }
      expect(statSync(`${path}-wal`).size).toBeLessThan(10 * ROW_BYTES);
      await checkpointer.close();
      database.close();
    }),
  );
});

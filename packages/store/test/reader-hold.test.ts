// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ReaderHold } from '../src/reader-hold.ts';
import { withTemporaryDirectory } from './fixtures.ts';

describe('ReaderHold', () => {
  it(
    'I3: lets a reader see what others committed only after its release',
    withTemporaryDirectory((directory) => {
      const path = join(directory, 'line.db');
      const writer = new DatabaseSync(path);
      writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE head (id INTEGER PRIMARY KEY)');
      const reader = new DatabaseSync(path, { readOnly: true });
      const hold = new ReaderHold(reader);
      const count = reader.prepare('SELECT count(*) AS n FROM head');
      for (let rows = 0; rows < 3; rows += 1) {
        hold.hold();
        writer.exec('INSERT INTO head DEFAULT VALUES');
        expect(count.get()).toEqual({ n: rows });
        hold.release();
        expect(count.get()).toEqual({ n: rows + 1 });
      }
      reader.close();
      writer.close();
      return Promise.resolve();
    }),
  );
});

// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, truncateSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ConflictError, openScratchStore, openSqliteStore, SqliteStore, VIEW_TABLES } from '../src/index.ts';
import {
  commitEntries,
  dumpOf,
  eventRow,
  insertUnit,
  refusalRow,
  rootOf,
  unitRow,
  withTemporaryDirectory,
} from './fixtures.ts';

describe('openSqliteStore', () => {
  it(
    'keeps what was committed, and reads back durable settings',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      const store = openSqliteStore({ path });
      expect(await store.head()).toBeUndefined();
      await commitEntries(store, [() => [insertUnit('a')], undefined]);
      await store.close();

      const again = openSqliteStore({ path });
      expect(await again.head()).toEqual({
        treeSize: 2,
        rootHash: rootOf(2),
        checkpoint: Uint8Array.of(1, 2, 3),
        committedAt: 1_002,
      });
      expect(await again.journal()).toEqual([{ firstIndex: 0, entryCount: 2, entries: Uint8Array.of(0, 1, 2) }]);
      expect(await again.views.unit('device-a')).toEqual(unitRow('a'));
      await again.close();
      const plain = new DatabaseSync(path);
      expect(plain.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
      plain.close();
    }),
  );

  it(
    'LG-110: refuses a second writer, lets readers in, and frees the lock on close',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      const store = openSqliteStore({ path });
      await commitEntries(store, [() => [insertUnit('a')]]);
      expect(() => openSqliteStore({ path })).toThrow(expect.objectContaining({ code: 'LG-110' }) as Error);
      const reader = openSqliteStore({ path, readOnly: true });
      expect(await reader.views.unit('device-a')).toEqual(unitRow('a'));
      await reader.close();
      await store.close();
      await openSqliteStore({ path }).close();
    }),
  );

  it(
    'refuses a schema it does not know',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      await openSqliteStore({ path }).close();
      const edit = (sql: string): void => {
        const database = new DatabaseSync(path);
        database.exec(sql);
        database.close();
      };
      const schemaError = expect.objectContaining({ code: 'ERR_STORE_SCHEMA' }) as Error;
      edit("INSERT INTO schema_migration VALUES (99, 'future', 'x')");
      expect(() => openSqliteStore({ path })).toThrow(schemaError);
      edit("DELETE FROM schema_migration WHERE id = 99; UPDATE schema_migration SET checksum = 'edited' WHERE id = 2");
      expect(() => openSqliteStore({ path })).toThrow(schemaError);
      edit('DELETE FROM schema_migration WHERE id = 2');
      expect(() => openSqliteStore({ path, readOnly: true })).toThrow(schemaError);
      // Nothing holds the lock after a refusal.
      expect(() => openSqliteStore({ path })).not.toThrow(expect.objectContaining({ code: 'LG-110' }) as Error);
    }),
  );

  it('declares the columns the schema has', () => {
    const database = new DatabaseSync(':memory:');
    for (const migration of readMigrations()) database.exec(migration);
    for (const [table, { columns, primaryKey }] of Object.entries(VIEW_TABLES)) {
      const info = database.prepare(`PRAGMA table_info(${table})`).all();
      expect(info.map((row) => row['name'])).toEqual(columns);
      const keys = info.filter((row) => row['pk'] !== 0).sort((a, b) => Number(a['pk']) - Number(b['pk']));
      expect(keys.map((row) => row['name'])).toEqual(primaryKey);
    }
    database.close();
  });

  it.skipIf(!hasProgram('strace'))(
    'I3: answers a commit when all that was written to the log is synced, not before',
    withTemporaryDirectory((directory) => {
      const { calls } = traceCommits(directory, { commits: 8 });
      let written = 0;
      let answers = 0;
      for (const call of calls) {
        if (call === 'write') written += 1;
        else if (call === 'sync') written = 0;
        else {
          expect(written, `answer ${answers}`).toBe(0);
          answers += 1;
        }
      }
      expect(answers).toBe(8);
      expect(calls.filter((call) => call === 'write').length).toBeGreaterThanOrEqual(8);
      return Promise.resolve();
    }),
  );

  it.skipIf(!hasProgram('strace'))(
    'I3: syncs the log it finds, for whoever wrote it may have been killed before that',
    withTemporaryDirectory((directory) => {
      // The process ends without closing its store.
      traceCommits(directory, { commits: 2 });
      expect(traceCommits(directory, { commits: 0 }).calls).toContain('sync');
      return Promise.resolve();
    }),
  );

  it.skipIf(!hasProgram('strace'))(
    'I3, A68: after a sync failed, commits nothing more and shows nobody what it may not have kept',
    withTemporaryDirectory((directory) => {
      const { output } = traceCommits(directory, { commits: 4, failingSync: 2 });
      expect(output.trim().split('\n')).toEqual(['answer seen', 'ERR_STORE_IO', 'ERR_STORE_IO', 'ERR_STORE_IO']);
      return Promise.resolve();
    }),
  );
});

describe('SqliteStore.commit', () => {
  it(
    'I3: shows nothing of a commit that is not durable yet',
    withTemporaryDirectory(async (directory) => {
      const store = openSqliteStore({ path: join(directory, 'line.db') });
      const answer = commitEntries(store, [() => [insertUnit('a')]]).then(() => 'answered');
      for (;;) {
        const row = await store.views.unit('device-a');
        if ((await Promise.race([answer, setImmediate('on its way')])) === 'answered') break;
        expect(row).toBeUndefined();
      }
      expect(await store.views.unit('device-a')).toEqual(unitRow('a'));
      await store.close();
    }),
  );

  it(
    'I8: refuses a conflicting entry alone, with nothing of it stored',
    withTemporaryDirectory(async (directory) => {
      const store = openSqliteStore({ path: join(directory, 'line.db') });
      const indexes: number[] = [];
      const outcome = await commitEntries(store, [
        () => [insertUnit('a')],
        // The event row is fine, the label is taken: both must go.
        (index) => [
          { op: 'insert', table: 'event', row: eventRow('b', index) },
          insertUnit('b', { label_serial: 'LABEL-a' }),
        ],
        (index) => {
          indexes.push(index);
          return [insertUnit('c', { last_index: index })];
        },
      ]);
      expect(outcome.accepted).toEqual([0, 2]);
      expect(indexes).toEqual([1]);
      const conflict = outcome.refused.get(1);
      expect(conflict).toBeInstanceOf(ConflictError);
      expect((conflict as ConflictError).isUnique('unit', 'label_serial')).toBe(true);
      expect((conflict as ConflictError).isUnique('unit', 'device_id')).toBe(false);
      expect(await store.views.event('event-b')).toBeUndefined();
      expect(await store.views.unitByLabel('LABEL-a')).toEqual(unitRow('a'));
      expect(await store.views.unitByLabel('LABEL-c')).toEqual(unitRow('c', { last_index: 1 }));
      expect((await store.head())?.treeSize).toBe(2);
      await store.close();
    }),
  );

  it.each([
    ['unit', ['device_id'], [insertUnit('a', { label_serial: 'other' })]],
    ['unit', ['label_serial'], [insertUnit('b', { label_serial: 'LABEL-a' })]],
    ['unit', ['public_key_digest'], [insertUnit('b', { public_key_digest: 'key-a' })]],
    ['event', ['event_id'], [{ op: 'insert', table: 'event', row: eventRow('a', 9, { seq: 2, payload_digest: 'x' }) }]],
    [
      'event',
      ['device_id', 'seq'],
      [{ op: 'insert', table: 'event', row: eventRow('a', 9, { event_id: 'y', payload_digest: 'x' }) }],
    ],
  ] as const)('I8: %s %j is unique', async (table, columns, changes) => {
    const store = openScratchStore();
    await commitEntries(store, [
      () => [insertUnit('a', { public_key_digest: 'key-a' }), { op: 'insert', table: 'event', row: eventRow('a', 0) }],
    ]);
    const before = await dumpOf(store);
    const outcome = await commitEntries(store, [() => changes]);
    expect(outcome.accepted).toEqual([]);
    expect((outcome.refused.get(0) as ConflictError).isUnique(table, ...columns)).toBe(true);
    expect(await dumpOf(store)).toEqual(before);
    await store.close();
  });

  it('updates exactly the row in the expected state, null included', async () => {
    const store = openScratchStore();
    await commitEntries(store, [() => [insertUnit('a')]]);
    const update = (expect: Record<string, unknown>, state: 'passed' | 'held') => () =>
      [{ op: 'update', table: 'unit', key: { device_id: 'device-a' }, expect, set: { state } }] as const;
    const good = await commitEntries(store, [update({ head_seq: 1, open_transaction: null }, 'passed')]);
    expect(good.accepted).toEqual([0]);
    expect((await store.views.unit('device-a'))?.state).toBe('passed');
    for (const wrong of [{ head_seq: 2 }, { open_transaction: 'x' }, { state: 'open' }]) {
      const outcome = await commitEntries(store, [update(wrong, 'held')]);
      expect(outcome.refused.get(0)).toMatchObject({ kind: 'expectation', table: 'unit' });
    }
    expect((await store.views.unit('device-a'))?.state).toBe('passed');
    await store.close();
  });

  it('counts up to a maximum and not past it', async () => {
    const store = openScratchStore();
    const count = (max?: number) => () =>
      [
        {
          op: 'count',
          table: 'release_use',
          key: { release_id: 'R1', line: 'L1' },
          by: 1,
          ...(max === undefined ? {} : { max }),
        },
      ] as const;
    const outcome = await commitEntries(store, [count(2), count(2), count(2), count()]);
    expect(outcome.accepted).toEqual([0, 1, 3]);
    expect(outcome.refused.get(2)).toMatchObject({ kind: 'limit', table: 'release_use', columns: ['units'] });
    expect(await store.views.releaseUse('R1', 'L1')).toBe(3);
    expect(await store.views.releaseUse('R1', 'L2')).toBe(0);
    await store.close();
  });

  it('refuses an entry whose rows break the schema, or whose changes throw, alone', async () => {
    const store = openScratchStore();
    const outcome = await commitEntries(store, [
      () => [insertUnit('a', { state: 'shiny' as never })],
      () => [insertUnit('b', { last_index: 'x' as never })],
      () => [
        {
          op: 'update',
          table: 'unit',
          key: { device_id: 'a' },
          expect: { ['1=1; --']: 1 } as never,
          set: { sku: 'x' },
        },
      ],
      () => {
        throw new RangeError('no');
      },
      () => [insertUnit('c')],
    ]);
    expect(outcome.accepted).toEqual([4]);
    expect(outcome.refused.get(0)).toMatchObject({ code: 'ERR_STORE_ROW' });
    expect(outcome.refused.get(1)).toMatchObject({ code: 'ERR_STORE_ROW' });
    expect(outcome.refused.get(2)).toBeInstanceOf(TypeError);
    expect(outcome.refused.get(3)).toBeInstanceOf(RangeError);
    await store.close();
  });

  it('I4: loses the compare-and-swap against a head it does not expect, stores nothing and goes on no further', async () => {
    const store = openScratchStore();
    await commitEntries(store, [undefined]);
    const before = await dumpOf(store);
    const stale = { treeSize: 1, rootHash: rootOf(7) };
    await expect(commitEntries(store, [() => [insertUnit('a')]], { expected: stale })).rejects.toMatchObject({
      code: 'ERR_STORE_STALE_HEAD',
    });
    await expect(store.head()).rejects.toMatchObject({ code: 'ERR_STORE_IO' });
    expect(before).toEqual([]);
    await store.close();
    const fresh = openScratchStore();
    await commitEntries(fresh, [undefined]);
    await expect(commitEntries(fresh, [undefined], { expected: undefined })).rejects.toMatchObject({
      code: 'ERR_STORE_STALE_HEAD',
    });
    await fresh.close();
  });

  it('stores nothing when sealing fails, and goes on', async () => {
    const store = openScratchStore();
    const refusal = new Error('the token is away');
    const failing = store.commit({
      expected: undefined,
      entries: [() => [insertUnit('a')]],
      seal: () => Promise.reject(refusal),
    });
    await expect(failing).rejects.toBe(refusal);
    expect(await dumpOf(store)).toEqual([]);
    expect((await commitEntries(store, [() => [insertUnit('a')]])).accepted).toEqual([0]);
    await store.close();
  });

  it(
    'shows readers nothing of a commit that waits for its signature',
    withTemporaryDirectory(async (directory) => {
      const store = openSqliteStore({ path: join(directory, 'line.db') });
      let sign = (): void => undefined;
      const signed = new Promise<void>((resolve) => (sign = resolve));
      const commit = store.commit({
        expected: undefined,
        entries: [() => [insertUnit('a')]],
        seal: async () => {
          await signed;
          const head = { treeSize: 1, rootHash: rootOf(1), checkpoint: rootOf(0), committedAt: 1 };
          return { head, journal: { firstIndex: 0, entryCount: 1, entries: rootOf(0) }, pruneBelow: 0 };
        },
      });
      expect(await store.views.unit('device-a')).toBeUndefined();
      await expect(commitEntries(store, [undefined])).rejects.toBeInstanceOf(TypeError);
      sign();
      await commit;
      expect(await store.views.unit('device-a')).toEqual(unitRow('a'));
      await store.close();
    }),
  );

  it('drops journal rows only when all of their entries are below the mark', async () => {
    const store = openScratchStore();
    await commitEntries(store, [undefined, undefined]);
    await commitEntries(store, [undefined, undefined]);
    await commitEntries(store, [undefined], { pruneBelow: 3 });
    expect((await store.journal()).map((row) => row.firstIndex)).toEqual([2, 4]);
    await store.close();
  });

  it(
    'A68: a full disk stores nothing, and the store goes on when there is room again',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      await openSqliteStore({ path }).close();
      // SQLite's page limit is its own way to run out of space.
      const writer = new DatabaseSync(path);
      const store = new SqliteStore({ writer, reader: writer });
      await commitEntries(store, [() => [insertUnit('a')]]);
      const { page_count: pages } = writer.prepare('PRAGMA page_count').get() as { page_count: number };
      writer.exec(`PRAGMA max_page_count = ${pages}`);
      const large = 'x'.repeat(100_000);
      const attempt = commitEntries(store, [() => [insertUnit('b')], () => [insertUnit('c', { sku: large })]]);
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_STORE_FULL' });
      expect((await store.head())?.treeSize).toBe(1);
      expect(await dumpOf(store)).toHaveLength(1);
      writer.exec('PRAGMA max_page_count = 1000000');
      expect((await commitEntries(store, [() => [insertUnit('c', { sku: large })]])).accepted).toEqual([0]);
      await store.close();
    }),
  );
});

describe('SqliteStore after damage', () => {
  it(
    'opens a torn write-ahead log as a clean, older prefix: only a head held elsewhere can tell',
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, 'line.db');
      const store = openSqliteStore({ path });
      for (let n = 0; n < 5; n += 1) await commitEntries(store, [() => [insertUnit(String(n))]]);
      const copy = join(directory, 'copy.db');
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      truncateSync(`${copy}-wal`, statSync(`${copy}-wal`).size - 100);
      await store.close();
      const restored = openSqliteStore({ path: copy });
      expect((await restored.head())?.treeSize).toBe(4);
      expect((await dumpOf(restored)).length).toBe(4);
      await restored.close();
    }),
  );
});

describe('dump', () => {
  it('is the same for the same changes in stores with other histories, and names every column', async () => {
    const [left, right] = [openScratchStore(), openScratchStore()];
    await commitEntries(left, [() => [insertUnit('a')], () => [insertUnit('b')], () => [insertUnit('é')]]);
    await commitEntries(right, [() => [insertUnit('é')]]);
    await commitEntries(right, [() => [insertUnit('b')], () => [insertUnit('a')]]);
    const dump = await dumpOf(left);
    expect(dump).toEqual(await dumpOf(right));
    expect(dump[0]).toBe(
      'unit ["device-a","LABEL-a",null,"uid-a","GW-210","open",1,"digest-a",1,"R1","L1","S1",null,null,0]',
    );
    await left.close();
    await right.close();
  });
});

describe('views', () => {
  it('answer by every key the line asks with', async () => {
    const store = openScratchStore();
    const session = {
      session_id: 'session-1',
      operator: 'o.meier',
      role: 'operator',
      credential: 'piv' as const,
      credential_key_digest: 'k',
      station: 'S1',
      line: 'L1',
      opened_at: '2026-03-04T05:06:07.000Z',
      expires_at: '2026-03-04T13:06:07.000Z',
      idle_minutes: 30,
      batch_units: 2,
      units: 0,
      last_used_at: '2026-03-04T05:06:07.000Z',
      state: 'open' as const,
      payload_digest: 'session-digest',
      log_index: 4,
    };
    const disposition = {
      disposition_id: 'disposition-1',
      refusal_id: 'refusal-a',
      action: 'allowRetry',
      code: 'LS-101',
      device_id: 'device-a',
      station: 'S1',
      line: 'L1',
      decided_by: 's.keller',
      at: '2026-03-04T05:06:07.000Z',
      log_index: 5,
      payload_digest: 'disposition-digest',
    };
    await commitEntries(store, [
      () => [insertUnit('a', { public_key_digest: 'key-a' }), { op: 'insert', table: 'event', row: eventRow('a', 0) }],
      () => [
        {
          op: 'insert',
          table: 'event',
          row: eventRow('a', 1, { event_id: 'event-a2', seq: 2, kind: 'event', payload_digest: 'second' }),
        },
      ],
      () => [{ op: 'insert', table: 'refusal', row: refusalRow('a', 2) }],
      () => [{ op: 'insert', table: 'refusal', row: refusalRow('b', 3, { state: 'closed', station: 'S2' }) }],
      () => [{ op: 'insert', table: 'operator_session', row: session }],
      () => [{ op: 'insert', table: 'disposition', row: disposition }],
    ]);
    const { views } = store;
    expect((await views.unitByPublicKey('key-a'))?.device_id).toBe('device-a');
    expect((await views.chain('device-a')).map((row) => row.seq)).toEqual([1, 2]);
    expect((await views.recentEvents('S1', 1)).map((row) => row.log_index)).toEqual([1]);
    expect((await views.eventByDigest('second'))?.event_id).toBe('event-a2');
    expect(await views.session('session-1')).toEqual(session);
    expect(await views.sessionByDigest('session-digest')).toEqual(session);
    expect((await views.openRefusals('S1')).map((row) => row.refusal_id)).toEqual(['refusal-a']);
    expect(await views.openRefusals('S2')).toEqual([]);
    expect((await views.refusal('refusal-b'))?.state).toBe('closed');
    expect((await views.refusalsOf('device-a')).length).toBe(1);
    expect(await views.disposition('disposition-1')).toEqual(disposition);
    expect(await views.dispositionsOf('device-a')).toEqual([disposition]);
    expect(await views.unit('device-z')).toBeUndefined();
    await store.close();
  });
});

function readMigrations(): readonly string[] {
  const source = readFileSync(new URL('../src/migrations.ts', import.meta.url), 'utf8');
  return [...source.matchAll(/= `([^`]+)`;/g)].map((match) => match[1] as string);
}

interface TracedCommits {
  /** What the process did to the write-ahead log, in order; `answer` is what it printed for each commit. */
  readonly calls: readonly ('write' | 'sync' | 'answer')[];
  readonly output: string;
}

/** Commits in a process of its own under strace, which makes the syncs of commits fail from that number on. */
function traceCommits(
  directory: string,
  { commits, failingSync }: { readonly commits: number; readonly failingSync?: number },
): TracedCommits {
  const trace = join(directory, 'trace');
  const script = `
    import { writeSync } from 'node:fs';
    const { openSqliteStore } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)});
    const { commitEntries, insertUnit } = await import(${JSON.stringify(new URL('./fixtures.ts', import.meta.url).href)});
    const store = openSqliteStore({ path: ${JSON.stringify(join(directory, 'line.db'))} });
    for (let n = 0; n < ${commits}; n += 1) {
      const changes = () => [insertUnit(String(n))];
      const text = await commitEntries(store, [changes]).then(() => 'answer', (error) => error.code);
      const isSeen = (await store.views.unit('device-' + n)) !== undefined;
      writeSync(1, text + (isSeen ? ' seen' : '') + '\\n');
    }
    process.exit(0);`;
  const inject = failingSync === undefined ? [] : ['-e', `inject=fdatasync:error=EIO:when=${failingSync}+`];
  const result = spawnSync(
    'strace',
    [
      '-f',
      '-y',
      '-qq',
      '-s',
      '16',
      '-o',
      trace,
      '-e',
      'trace=write,pwrite64,fdatasync',
      ...inject,
      process.execPath,
    ].concat(['--conditions=@witnessmark/source', '--input-type=module-typescript', '--eval', script]),
    // strace counts by thread: the one for files makes the syncs of commits, and no others.
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  );
  expect(result.status, result.stderr.toString()).toBe(0);
  const calls = readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line.includes('"answer seen\\n"')) return ['answer' as const];
      if (/ pwrite64\(.*-wal>/.test(line)) return ['write' as const];
      // A call of one thread that another interrupts is in two lines: it has happened in the second.
      if (/ fdatasync\(.*-wal>\) += 0| fdatasync resumed>\) += 0/.test(line)) return ['sync' as const];
      return [];
    });
  return { calls, output: result.stdout.toString() };
}

function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(join(directory, name)));
}

// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { openScratchStore, openSqliteStore } from '@witnessmark/store';
import { formatCheckpoint, formatEntryBundle, hashLeaf, hashSubtree, parseEntryBundle } from '@witnessmark/tlog';
import { EvidenceLog, fsck, rebuildStore, TileStorage, type FsckOptions, type FsckReport } from '../src/index.ts';
import {
  appendUnit,
  appendUnits,
  openLog,
  ORIGIN,
  projectUnit,
  refusal,
  SettableClock,
  signer,
  stationKey,
  temporaryDirectory,
  unitEntries,
  unitEntry,
} from './fixtures.ts';

/** Two full bundles, a partial one, and entries that are only in the journal. */
const PUBLISHED = 600;
const SIZE = 605;

const { directory: base, remove } = temporaryDirectory();
const original = join(base, 'original');
let copies = 0;

beforeAll(async () => {
  mkdirSync(original);
  const { log, store } = await openLog(original, { limits: { maxGroupEntries: 256 } });
  const entries = await unitEntries(SIZE);
  await appendUnits(log, entries.slice(0, PUBLISHED));
  await log.publish();
  await Promise.all(entries.slice(PUBLISHED).map((entry, at) => appendUnit(log, entry, `u${PUBLISHED + at}`)));
  await store.close();
});
afterAll(remove);

function copy(): string {
  copies += 1;
  const directory = join(base, `copy-${copies}`);
  cpSync(original, directory, { recursive: true });
  return directory;
}

/** Hashes and signatures, and with `database` the store and the views as well. */
async function check(
  directory: string,
  options: Partial<FsckOptions> & { database?: boolean } = {},
): Promise<FsckReport> {
  const { database = true, ...rest } = options;
  return fsck({
    directory: join(directory, 'log'),
    logKey: signer.verifierKey,
    workers: 1,
    ...(database
      ? {
          openStore: () => openSqliteStore({ path: join(directory, 'line.db'), readOnly: true }),
          projection: projectUnit,
        }
      : {}),
    ...rest,
  });
}

describe('fsck of the public log', () => {
  it('finds nothing in a sound log', async () => {
    const seen: number[] = [];
    const trustedKeys = [stationKey.publicKey];
    const report = await check(copy(), { trustedKeys, onProgress: (entries) => seen.push(entries) });
    expect(report.findings).toEqual([]);
    expect(report.checkpoint?.treeSize).toBe(PUBLISHED);
    expect(seen.at(-1)).toBe(512);
  });

  it('A56, A70: names each entry, tile and bundle in which one bit was flipped', async () => {
    const cases: readonly (readonly [path: string, at: number, found: readonly string[]])[] = [
      ['tile/entries/000', 5, ['LG-102 entry 0']],
      ['tile/entries/001', 50, ['LG-102 entry 256']],
      ['tile/entries/002.p/88', 9, ['LG-102 entry 512']],
      ['tile/0/000', 32 * 9 + 1, ['LG-103 tile/0/000']],
      ['tile/0/001', 0, ['LG-103 tile/0/001']],
      ['tile/0/002.p/88', 32 * 87, ['LG-103 tile/0/002.p/88']],
      ['tile/1/000.p/2', 3, ['LG-103 tile/1/000.p/2']],
      // A length: the bundle cannot be split any more.
      ['tile/entries/000', 0, ['LG-102 tile/entries/000']],
      ['tile/entries/002.p/88', 0, ['LG-102 tile/entries/002.p/88']],
    ];
    const directory = copy();
    for (const [path, at, found] of cases) {
      const file = join(directory, 'log', path);
      const sound = readFileSync(file);
      flip(file, at);
      expect(named(await check(directory, { database: false })), path).toEqual(found);
      writeFileSync(file, sound);
    }
    expect(named(await check(directory, { database: false }))).toEqual([]);
  });

  it('A57: names what is missing, empty, cut or swapped', async () => {
    const directory = copy();
    const at = (path: string): string => join(directory, 'log', path);
    const attempt = async (path: string, damage: (file: string) => void): Promise<readonly string[]> => {
      const sound = readFileSync(at(path));
      damage(at(path));
      const found = named(await check(directory, { database: false }));
      writeFileSync(at(path), sound);
      return found;
    };
    const paths = ['tile/entries/001', 'tile/entries/002.p/88', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2'];
    for (const path of paths) {
      const code = path.includes('entries') ? 'LG-102' : 'LG-103';
      expect(
        await attempt(path, (file) => {
          rmSync(file);
        }),
      ).toEqual([`LG-101 ${path}`]);
      expect(
        await attempt(path, (file) => {
          writeFileSync(file, '');
        }),
      ).toEqual([`${code} ${path}`]);
      expect(
        await attempt(path, (file) => {
          truncateSync(file, readFileSync(file).length - 1);
        }),
      ).toEqual([`${code} ${path}`]);
    }
    expect(
      await attempt('tile/0/001', (file) => {
        cpSync(at('tile/0/000'), file);
      }),
    ).toEqual(['LG-103 tile/0/001']);
    const swapped = await attempt('tile/entries/001', (file) => {
      cpSync(at('tile/entries/000'), file);
    });
    expect(swapped).toHaveLength(256);
    expect(swapped[0]).toBe('LG-102 entry 256');
    expect(
      await attempt('checkpoint', (file) => {
        rmSync(file);
      }),
    ).toEqual(['LG-101 checkpoint']);
    expect(
      await attempt('checkpoint', (file) => {
        writeFileSync(file, '');
      }),
    ).toEqual(['LG-105 checkpoint']);
  });

  it('A57: names two exchanged entries and a removed one', async () => {
    const directory = copy();
    const file = join(directory, 'log/tile/entries/000');
    const entries = parseEntryBundle(readFileSync(file), 256);
    const [first, second, ...rest] = entries as [Bytes, Bytes, ...Bytes[]];
    writeFileSync(file, formatEntryBundle([second, first, ...rest]));
    expect(named(await check(directory, { database: false }))).toEqual(['LG-102 entry 0', 'LG-102 entry 1']);
    writeFileSync(file, formatEntryBundle([second, ...rest]));
    expect(named(await check(directory, { database: false }))).toEqual(['LG-102 tile/entries/000']);
  });

  it('A58: sees a rewritten history: consistent tiles do not lead to the signed root', async () => {
    const directory = copy();
    const bundle = join(directory, 'log/tile/entries/000');
    const entries = parseEntryBundle(readFileSync(bundle), 256);
    const rewritten = [await unitEntry('other'), ...entries.slice(1)];
    writeFileSync(bundle, formatEntryBundle(rewritten));
    writeFileSync(join(directory, 'log/tile/0/000'), Buffer.concat(rewritten.map(hashLeaf)));
    expect(named(await check(directory, { database: false }))).toEqual([
      'LG-103 tile/0/000',
      'LG-102 tile/entries/000',
    ]);
    // With the tile above rewritten too, nothing is left that fits the signature.
    await rewriteAbove(directory);
    expect(named(await check(directory, { database: false }))).toContain('LG-104 checkpoint');
  });

  it('LG-105: refuses a checkpoint of another key', async () => {
    const directory = copy();
    const other = new NoteSigner(ORIGIN, generateSoftwareKey('ed25519'));
    const rootHash = hashLeaf(encodeUtf8('x'));
    const note = await other.sign(formatCheckpoint({ origin: ORIGIN, treeSize: PUBLISHED, rootHash }));
    writeFileSync(join(directory, 'log/checkpoint'), note);
    const report = await check(directory, { database: false });
    expect(report.checkpoint).toBeUndefined();
    expect(named(report)).toEqual(['LG-105 checkpoint']);
  });

  it('LG-109, LG-111: names entries that no trusted key signed, and such that are no envelopes', async () => {
    const directory = join(base, 'unsigned');
    mkdirSync(directory);
    const { log, close } = await openLog(directory);
    const stranger = generateSoftwareKey('ecdsa-sha2-nistp256');
    const entries = [...(await unitEntries(257)), await unitEntry('x', 'x', stranger), encodeUtf8('no envelope')];
    await Promise.all(entries.map((entry) => log.append({ entry })));
    await close();
    const trustedKeys = [stationKey.publicKey];
    const report = await check(directory, { database: false, trustedKeys });
    expect(named(report)).toEqual(['LG-111 entry 258', 'LG-109 entry 257']);
    expect(named(await check(directory, { database: false, trustedKeys: [stranger.publicKey] }))).toHaveLength(258);
    expect(named(await check(directory, { database: false }))).toEqual([]);
  });

  it('reads a larger log in threads', async () => {
    const directory = join(base, 'large');
    mkdirSync(directory);
    const { log, close } = await openLog(directory, { limits: { maxQueuedEntries: 20_000 } });
    const entries = Array.from({ length: 40 * 256 + 7 }, (_, number) => encodeUtf8(`${number}`));
    await Promise.all(entries.map((entry) => log.append({ entry })));
    await close();
    expect(named(await check(directory, { database: false, workers: 2 }))).toEqual([]);
    flip(join(directory, 'log/tile/entries/037'), 2);
    flip(join(directory, 'log/tile/0/002'), 32);
    rmSync(join(directory, 'log/tile/0/009'));
    expect(named(await check(directory, { database: false, workers: 2 }))).toEqual([
      'LG-103 tile/0/002',
      'LG-101 tile/0/009',
      `LG-102 entry ${37 * 256}`,
    ]);
  });

  it('bounds its findings', async () => {
    const directory = join(base, 'many');
    mkdirSync(directory);
    const { log, close } = await openLog(directory);
    const entries = Array.from({ length: 1_200 }, (_, number) => encodeUtf8(`${number}`));
    await Promise.all(entries.map((entry) => log.append({ entry })));
    await close();
    const report = await check(directory, { database: false, trustedKeys: [] });
    expect(report.findings).toHaveLength(1_000);
    expect(report.omitted).toBe(200);
  });
});

describe('fsck of the database', () => {
  it.each([
    ["UPDATE unit SET state = 'scrapped' WHERE device_id = 'device-u3'", ['LG-106 unit device-u3']],
    ["UPDATE unit SET label_serial = NULL WHERE device_id = 'device-u3'", ['LG-106 unit device-u3']],
    [
      "UPDATE unit SET device_id = 'device-é' WHERE device_id = 'device-u3'",
      ['LG-106 unit device-u3', 'LG-106 unit device-é'],
    ],
    ["DELETE FROM unit WHERE device_id = 'device-u602'", ['LG-106 unit device-u602']],
    ["INSERT INTO release_use VALUES ('R1', 'L1', 3)", ['LG-106 release_use R1 L1']],
    ['UPDATE head SET tree_size = tree_size - 1', ['LG-104 stored head']],
    ['UPDATE head SET root_hash = zeroblob(32)', ['LG-104 stored head']],
    ["UPDATE head SET checkpoint = x'00'", ['LG-105 stored head']],
    ['DELETE FROM head', ['LG-107 stored head']],
    ['DELETE FROM journal WHERE first_index >= 600', ['LG-101 journal']],
    ["UPDATE journal SET entries = x'0001' WHERE first_index = 512", ['LG-102 journal row 512']],
  ] as const)('A56, A57: %s', async (sql, found) => {
    const directory = copy();
    edit(directory, sql);
    expect(named(await check(directory))).toEqual(found);
  });

  it('A70: names a journal row with a flipped bit, published or not', async () => {
    for (const [row, found] of [
      [512, ['LG-102 journal row 512']],
      [600, ['LG-102 journal from entry 600']],
    ] as const) {
      const directory = copy();
      const database = new DatabaseSync(join(directory, 'line.db'));
      const { entries } = database.prepare('SELECT entries FROM journal WHERE first_index = ?').get(row) as {
        entries: Bytes;
      };
      entries[100] = (entries[100] ?? 0) ^ 1;
      database.prepare('UPDATE journal SET entries = ? WHERE first_index = ?').run(entries, row);
      database.close();
      expect(named(await check(directory))).toEqual(found);
    }
  });

  it('LG-107: sees a database that is older than the public log', async () => {
    const directory = copy();
    cpSync(join(directory, 'line.db'), join(directory, 'old.db'));
    const { log, close } = await openLog(directory);
    await log.append({ entry: await unitEntry('new') });
    await close();
    cpSync(join(directory, 'old.db'), join(directory, 'line.db'));
    expect(named(await check(directory))).toEqual(['LG-107 stored head']);
  });

  it('looks on while the log is written, and finds nothing', async () => {
    const directory = copy();
    const { log, close } = await openLog(directory);
    const writing = (async () => {
      for (let round = 0; round < 30; round += 1) {
        await Promise.all(Array.from({ length: 40 }, (_, n) => log.append({ entry: encodeUtf8(`${round} ${n}`) })));
        await log.publish();
      }
    })();
    const openStore = (): ReturnType<typeof openSqliteStore> =>
      openSqliteStore({ path: join(directory, 'line.db'), readOnly: true });
    for (let round = 0; round < 5; round += 1) {
      expect(named(await check(directory, { database: false, openStore }))).toEqual([]);
    }
    await writing;
    await close();
  });

  it('does not judge a database by damaged tiles', async () => {
    const directory = copy();
    rmSync(join(directory, 'log/tile/entries/001'));
    expect(named(await check(directory))).toEqual(['LG-101 tile/entries/001', 'LG-106 database']);
  });

  it('LG-111: says at which entry the views cannot be rebuilt', async () => {
    const directory = copy();
    const projection: FsckOptions['projection'] = (index, envelope) => {
      if (index === 300) throw new TypeError('not a statement');
      return projectUnit(index, envelope);
    };
    expect(named(await check(directory, { projection }))).toEqual(['LG-111 entry 300']);
  });
});

describe('rebuildStore', () => {
  it('makes a lost database again, byte for byte, on which the log goes on', async () => {
    const directory = copy();
    const { store, close } = await openLog(directory);
    const before = await dumpOf(store);
    await close();
    rmSync(join(directory, 'line.db'));
    const rebuilt = openSqliteStore({ path: join(directory, 'line.db') });
    const tiles = new TileStorage(join(directory, 'log'));
    const clock = new SettableClock();
    const options = { tiles, logKey: signer.verifierKey, projection: projectUnit, committedAt: clock.now() };
    const checkpoint = await rebuildStore({ ...options, store: rebuilt });
    expect(checkpoint.treeSize).toBe(SIZE);
    expect(await dumpOf(rebuilt)).toEqual(before);
    await expect(rebuildStore({ ...options, store: rebuilt })).rejects.toBeInstanceOf(TypeError);
    const log = await EvidenceLog.open({ store: rebuilt, tiles, signer, clock });
    expect((await log.append({ entry: encodeUtf8('next') })).index).toBe(SIZE);
    await log.close();
    await rebuilt.close();
    expect(named(await check(directory, { projection: (i, e) => (i < SIZE ? projectUnit(i, e) : []) }))).toEqual([
      'LG-111 entry 605',
    ]);
  });

  it('I18: refuses damaged entries instead of rebuilding from them', async () => {
    const directory = copy();
    const tiles = new TileStorage(join(directory, 'log'));
    const options = { tiles, logKey: signer.verifierKey, projection: projectUnit, committedAt: 0 };
    const attempt = async (): Promise<void> => {
      const store = openScratchStore();
      try {
        await rebuildStore({ ...options, store });
      } finally {
        await store.close();
      }
    };
    const file = join(directory, 'log/tile/entries/000');
    const sound = readFileSync(file);
    const entries = parseEntryBundle(sound, 256);
    writeFileSync(file, formatEntryBundle([await unitEntry('forged'), ...entries.slice(1)]));
    await expect(attempt()).rejects.toThrow(refusal('LG-104'));
    rmSync(file);
    await expect(attempt()).rejects.toThrow(refusal('LG-101'));
    writeFileSync(file, sound);
    writeFileSync(join(directory, 'log/checkpoint'), 'x');
    await expect(attempt()).rejects.toThrow(refusal('LG-105'));
    rmSync(join(directory, 'log/checkpoint'));
    await expect(attempt()).rejects.toThrow(refusal('LG-101'));
  });
});

/** Rewrites the tile of level 1 from the tiles below. */
async function rewriteAbove(directory: string): Promise<void> {
  const tiles = new TileStorage(join(directory, 'log'));
  const roots = await Promise.all(
    [0, 1].map(async (index) => hashSubtree(await tiles.readTile({ level: 0, index, width: 256 }))),
  );
  writeFileSync(join(directory, 'log/tile/1/000.p/2'), Buffer.concat(roots));
}

async function dumpOf(store: { dump: ReturnType<typeof openSqliteStore>['dump'] }): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const { table, text } of store.dump()) rows.push(`${table} ${text}`);
  return rows;
}

function named(report: FsckReport): readonly string[] {
  return report.findings.map(({ code, object }) => `${code} ${object}`);
}

function edit(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'line.db'));
  database.exec(sql);
  database.close();
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

// SPDX-License-Identifier: Apache-2.0
/** Every durable step of a log's life, broken in four ways; then recovery, and recovery broken again. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, equalBytes, type Bytes } from '@witnessmark/core';
import { openSqliteStore, StoreError, type Store } from '@witnessmark/store';
import {
  entryBundlePath,
  formatEntryBundle,
  hashLeaf,
  openCheckpoint,
  Prover,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilesBetween,
} from '@witnessmark/tlog';
import { EvidenceLog, TileStorage, type FilePort, type Receipt } from '../src/index.ts';
import { MerkleWindow } from '../src/tree/merkle-window.ts';
import { CrashFiles, FAULTS, FaultPlan, faultyFiles, type Fault } from './crash-files.ts';
import { appendUnit, refusal, SettableClock, signer, verifyReceipt, withTemporaryDirectory } from './fixtures.ts';

const ROOT = '/log';
/** A few short of a full bundle, so that the scenario fills it. */
const HISTORY = 253;
const names = Array.from({ length: HISTORY + 12 }, (_, number) => `unit-${number}`);
const entries = names.map((name) => encodeUtf8(name));
/** What the tree of any number of these entries consists of. */
const EXPECTED = new MerkleWindow();
for (const entry of entries) EXPECTED.append(hashLeaf(entry));

/** A machine: its database file, its disk, and what others learnt from it. */
interface World {
  readonly database: string;
  files: CrashFiles;
  readonly acknowledged: Receipt[];
  readonly shown: Bytes[];
}

interface Running {
  readonly log: EvidenceLog;
  readonly store: Store;
}

async function start(world: World, plan: FaultPlan): Promise<Running> {
  const inner = openSqliteStore({ path: world.database });
  const store = faultyStore(inner, plan);
  try {
    const tiles = new TileStorage(ROOT, faultyFiles(world.files, plan));
    const limits = { publishIntervalMs: 1e9 };
    return { store, log: await EvidenceLog.open({ store, tiles, signer, clock: new SettableClock(), limits }) };
  } catch (error) {
    await inner.close();
    throw error;
  }
}

/** Two groups, published together, then a third, published on close; stops at the first error. */
async function live(world: World, { log, store }: Running): Promise<void> {
  try {
    for (const group of [4, 2, 0, 3]) {
      if (group === 0) await log.publish();
      const next = log.size;
      const receipts = await Promise.allSettled(
        entries
          .slice(next, next + group)
          .map((entry, position) => appendUnit(log, entry, names[next + position] ?? '')),
      );
      for (const answer of receipts) {
        if (answer.status === 'rejected') continue;
        world.acknowledged.push(answer.value);
        if (!world.shown.includes(answer.value.checkpoint)) {
          verifyReceipt(entries[answer.value.index] as Bytes, answer.value);
          world.shown.push(answer.value.checkpoint);
        }
      }
      if (receipts.some((answer) => answer.status === 'rejected')) return;
    }
    await log.close();
  } catch {
    // The fault; what matters is what can be seen afterwards.
  } finally {
    await store.close();
  }
}

async function look(world: World): Promise<void> {
  const note = await world.files.read(`${ROOT}/checkpoint`);
  if (note !== undefined) world.shown.push(note);
}

/** I3, I4, I5 and the views, on a log that started. */
async function audit(world: World, { log, store }: Running): Promise<void> {
  for (const { index } of world.acknowledged) expect(await log.readEntry(index)).toEqual(entries[index]);
  const last = world.acknowledged.at(-1);
  if (last !== undefined) verifyReceipt(entries[last.index] as Bytes, await log.entryProof(last.index));
  for (const note of new Set(world.shown)) await log.checkShownHead(note);
  for (let index = HISTORY; index < log.size; index += 1) {
    expect(decodeUtf8(await log.readEntry(index))).toBe(names[index]);
    expect(await store.views.unit(`device-${names[index] ?? ''}`)).toMatchObject({ last_index: index });
  }
  expect(await store.views.unit(`device-${names[log.size] ?? ''}`)).toBeUndefined();
  await auditTiles(world.files);
}

/** What the public checkpoint covers is there, whole and right. */
async function auditTiles(files: FilePort): Promise<void> {
  const note = await files.read(`${ROOT}/checkpoint`);
  if (note === undefined) return;
  const { treeSize, rootHash } = openCheckpoint(note, signer.verifierKey);
  expect(equalBytes(new Prover(treeSize, EXPECTED).rootHash(), rootHash)).toBe(true);
  const tiles = new TileStorage(ROOT, files);
  for (const tile of tilesBetween(0, treeSize)) {
    const first = tile.index * TILE_WIDTH;
    const stored = await tiles.readTile(tile);
    const wrong = stored.findIndex(
      (hash, at) => !equalBytes(hash, EXPECTED.readHash(tile.level * TILE_HEIGHT, first + at)),
    );
    expect([stored.length, wrong]).toEqual([tile.width, -1]);
    if (tile.level > 0) continue;
    const bundle = formatEntryBundle(entries.slice(first, first + tile.width));
    const file = await files.read(`${ROOT}/${entryBundlePath(tile.index, tile.width)}`);
    expect(file !== undefined && equalBytes(file, bundle)).toBe(true);
  }
}

/** The same history for every run, made once. */
async function makeHistory(directory: string): Promise<World> {
  const world: World = {
    database: join(directory, 'history.db'),
    files: new CrashFiles(ROOT),
    acknowledged: [],
    shown: [],
  };
  const running = await start(world, new FaultPlan());
  const appended = entries.slice(0, HISTORY).map((entry, index) => appendUnit(running.log, entry, names[index] ?? ''));
  await Promise.all(appended);
  await running.log.close();
  await running.store.close();
  return world;
}

function copyOf(history: World, directory: string, run: number): World {
  const database = join(directory, `${run}.db`);
  copyFileSync(history.database, database);
  return { database, files: history.files.afterPowerCut(ROOT), acknowledged: [], shown: [] };
}

/** Runs the scenario with a fault, then starts again; a second fault may hit that start. Returns the steps recovery took. */
async function runWith(world: World, first: FaultPlan, second: FaultPlan): Promise<readonly string[]> {
  const running = await start(world, first);
  await live(world, running);
  await look(world);
  if (first.cutsPower) world.files = world.files.afterPowerCut(ROOT);
  try {
    const recovering = await start(world, second);
    await live(world, recovering);
  } catch {
    // Recovery was broken as well.
  }
  await look(world);
  if (second.cutsPower) world.files = world.files.afterPowerCut(ROOT);

  const recovered = await start(world, new FaultPlan());
  await audit(world, recovered);
  await recovered.log.close();
  await recovered.store.close();
  // Recovered twice, and after a power cut, it is the same.
  world.files = world.files.afterPowerCut(ROOT);
  const again = await start(world, new FaultPlan());
  expect(again.log.size).toBe(recovered.log.size);
  await audit(world, again);
  await again.log.close();
  await again.store.close();
  return second.steps;
}

describe('crash table', () => {
  it.each(FAULTS)('I3, I4, I5, I17: %s, at every durable step', (fault: Fault) =>
    withTemporaryDirectory(async (directory) => {
      const history = await makeHistory(directory);
      mkdirSync(join(directory, 'runs'));
      let run = 0;
      const next = (): World => copyOf(history, join(directory, 'runs'), run++);
      const counting = new FaultPlan();
      await runWith(next(), counting, new FaultPlan());
      expect(counting.steps).toContain('commit');
      expect(counting.steps).toContain('remove');
      expect(counting.steps.length).toBeGreaterThan(40);
      for (const step of counting.steps.keys()) {
        const recovery = await runWith(next(), new FaultPlan(step, fault), new FaultPlan());
        // Every step breaks once. Every other recovery breaks too: where and how goes round.
        if (step % 2 === 1) continue;
        const second = FAULTS[(step / 2) % FAULTS.length] as Fault;
        await runWith(next(), new FaultPlan(step, fault), new FaultPlan((step * 7) % recovery.length, second));
      }
    })(),
  );

  it(
    'notices a missing sync: without it, what the checkpoint covers is gone after a power cut',
    withTemporaryDirectory(async (directory) => {
      const world = copyOf(await makeHistory(directory), directory, 0);
      const plan = new FaultPlan();
      const store = openSqliteStore({ path: world.database });
      const files = { ...faultyFiles(world.files, plan), syncDirectory: () => Promise.resolve() };
      const tiles = new TileStorage(ROOT, files);
      const log = await EvidenceLog.open({ store, tiles, signer, clock: new SettableClock() });
      await live(world, { log, store });
      // The checkpoint happened to reach the disk, the names of the tiles did not.
      await world.files.syncDirectory(ROOT);
      world.files = world.files.afterPowerCut(ROOT);
      await expect(auditTiles(world.files)).rejects.toThrow(refusal('LG-101'));
    }),
  );
});

function faultyStore(store: Store, plan: FaultPlan): Store {
  return {
    views: store.views,
    head: () => store.head(),
    journal: () => store.journal(),
    dump: () => store.dump(),
    close: () => store.close(),
    commit: async (request) => {
      try {
        return await plan.step('commit', () => store.commit(request));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EIO') {
          throw new StoreError('ERR_STORE_IO', 'the database failed', { cause: error });
        }
        throw error;
      }
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
import { encodeUtf8, formatEnvelope, sha256Hex } from '@witnessmark/core';
import { openScratchStore, type Store, type StoredHead } from '@witnessmark/store';
import { afterEach, describe, expect, it } from 'vitest';
import { projectEntry } from '../src/index.ts';
import { TestReleases, toRule } from './support/release.ts';
import { codeOf, toDevice, World } from './support/world.ts';

let world: World;
afterEach(() => world.close());

/** A shift in which everything happens that a log can hold. */
async function runShift(): Promise<void> {
  const releases = await TestReleases.create();
  releases.rules = [toRule({ maxUnits: 5 })];
  world = await World.open({ releases, rules: { maxAttempts: 1, refusalsPerMinute: 2 } });
  const session = await world.signIn();
  await world.provision(toDevice(1), session);
  await world.provision(toDevice(2), session, { outcome: 'FAILED', code: 'UF-02' });
  const held = await world.provision(toDevice(3), session, { outcome: 'INDETERMINATE', code: 'UF-06' });
  await world.begin(toDevice(4), session);
  for (const [entry, code, action] of [[held, 'HD-02', 'allowRetry']] as const) {
    const event = await world.store.views.eventByDigest(sha256Hex(entry.envelope.payload));
    const about = {
      refusalId: event!.event_id,
      refusalDigest: { sha256: event!.payload_digest },
      code,
      deviceId: event!.device_id,
      station: 'ST-1',
    };
    await world.line.submit((await world.disposition(about, { action })).envelope);
  }
  await world.provision(toDevice(3), session);
  await codeOf(world.line.requestPermit((await world.permitRequest(toDevice(2), session)).envelope));
  await codeOf(world.line.requestPermit((await world.permitRequest(toDevice(1), session)).envelope));
  await world.line.submit((await world.disposition(await world.onlyStop(), { action: 'quarantineUnit' })).envelope);
  await world.line.submit((await world.stationRefusal()).envelope);
  for (let count = 0; count < 5; count += 1) {
    await codeOf(
      world.line.requestPermit((await world.permitRequest(toDevice(5), session, { releaseId: 'x' })).envelope),
    );
  }
  await world.line.summarizeRefusals(true);
  const there = await world.signIn('secondStation', 'secondOperator');
  await world.begin(toDevice(6), there, 'secondStation');
}

async function rebuild(): Promise<Store> {
  const store = openScratchStore();
  let head: StoredHead | undefined;
  for (let at = 0; at < world.log.size; at += 1) {
    const entry = await world.log.readEntry(at);
    const treeSize = at + 1;
    const next: StoredHead = {
      treeSize,
      rootHash: new Uint8Array(32).fill(treeSize & 0xff),
      checkpoint: encodeUtf8('none'),
      committedAt: 0,
    };
    const { refused } = await store.commit({
      expected: head,
      entries: [(index) => projectEntry(index, entry)],
      seal: () =>
        Promise.resolve({ head: next, journal: { firstIndex: at, entryCount: 1, entries: entry }, pruneBelow: at }),
    });
    expect(refused.size).toBe(0);
    head = next;
  }
  return store;
}

async function dump(store: Store): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const { table, key, text } of store.dump()) rows.push([table, key, text].join(' '));
  return rows;
}

describe('the projection', () => {
  it('of the log alone gives the views of the live line, byte for byte', async () => {
    await runShift();
    const rebuilt = await rebuild();
    const rows = await dump(rebuilt);
    expect(rows).toEqual(await dump(world.store));
    for (const table of ['unit', 'event', 'operator_session', 'refusal', 'disposition', 'release_use']) {
      expect(rows.some((row) => row.startsWith(`${table} `))).toBe(true);
    }
    await rebuilt.close();
  });

  it('is pure: the same entry at the same place gives the same changes', async () => {
    await runShift();
    const entry = await world.log.readEntry(2);
    expect(projectEntry(2, entry)).toEqual(projectEntry(2, entry));
    expect(projectEntry(3, entry)).not.toEqual(projectEntry(2, entry));
  });

  it('refuses an entry that is no statement of a line', async () => {
    world = await World.open();
    const session = await world.signIn();
    const { envelope } = await world.permitRequest(toDevice(1), session);

    expect(() => projectEntry(0, formatEnvelope(envelope))).toThrow(
      expect.objectContaining({ code: 'ERR_STATEMENT_PREDICATE_TYPE' }) as Error,
    );
    expect(() => projectEntry(0, encodeUtf8('{}'))).toThrow(
      expect.objectContaining({ code: 'ERR_DSSE_FORMAT' }) as Error,
    );
  });
});

// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, cpSync, mkdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { formatCheckpoint, hashLeaf, openCheckpoint } from '@witnessmark/tlog';
import { openLog, ORIGIN, refusal, signer, withTemporaryDirectory, type OpenedLog } from './fixtures.ts';

async function appendNumbers(log: OpenedLog['log'], from: number, to: number): Promise<Bytes> {
  const numbers = Array.from({ length: to - from }, (_, number) => encodeUtf8(`entry ${from + number}`));
  const receipts = await Promise.all(numbers.map((entry) => log.append({ entry })));
  return (receipts[0] as (typeof receipts)[number]).checkpoint;
}

async function writeLog(directory: string, size: number, options: Parameters<typeof openLog>[1] = {}): Promise<Bytes> {
  const { log, close } = await openLog(directory, options);
  const head = await appendNumbers(log, log.size, size);
  await close();
  return head;
}

function edit(directory: string, sql: string, ...values: (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(join(directory, 'line.db'));
  database.prepare(sql).run(...values);
  database.close();
}

describe('EvidenceLog.open', () => {
  it(
    'goes on where it was, at any size around full tiles, with published and unpublished entries',
    withTemporaryDirectory(async (directory) => {
      let size = 0;
      for (const step of [1, 254, 1, 1, 255, 3, 1000]) {
        const { log, store, clock } = await openLog(directory);
        expect(log.size).toBe(size);
        await appendNumbers(log, size, size + step);
        size += step;
        // Every other time the process dies before it publishes.
        if (step % 2 === 0) await log.publish();
        else clock.time += 1;
        await store.close();
      }
      const { log, close } = await openLog(directory);
      for (const index of [0, 254, 255, 256, 511, 512, size - 1]) {
        expect(await log.readEntry(index)).toEqual(encodeUtf8(`entry ${index}`));
        await log.entryProof(index);
      }
      await close();
    }),
  );

  it(
    'LG-110: one of two writers is refused',
    withTemporaryDirectory(async (directory) => {
      const first = await openLog(directory);
      await appendNumbers(first.log, 0, 1);
      await expect(openLog(directory)).rejects.toThrow(refusal('LG-110'));
      await appendNumbers(first.log, 1, 2);
      await first.close();
    }),
  );

  it(
    'A69, LG-107: does not start from an old snapshot when a newer head was shown, or is public',
    withTemporaryDirectory(async (directory) => {
      await writeLog(directory, 300);
      copyFileSync(join(directory, 'line.db'), join(directory, 'old.db'));
      cpSync(join(directory, 'log'), join(directory, 'old-log'), { recursive: true });
      const receipt = await writeLog(directory, 310);
      copyFileSync(join(directory, 'old.db'), join(directory, 'line.db'));
      // The public checkpoint is newer than the database.
      await expect(openLog(directory)).rejects.toThrow(refusal('LG-107'));
      // Both are old, and a station brings its receipt.
      rmSync(join(directory, 'log'), { recursive: true });
      cpSync(join(directory, 'old-log'), join(directory, 'log'), { recursive: true });
      await expect(openLog(directory, { shownHeads: [receipt] })).rejects.toThrow(refusal('LG-107'));
      // Without anybody who knows better it is a log of 300 entries: that is why heads are held elsewhere.
      const { log, close } = await openLog(directory);
      await expect(log.checkShownHead(receipt)).rejects.toThrow(refusal('LG-107'));
      await close();
    }),
  );

  it(
    'I3, LG-107: notices by a receipt that the tail of the write-ahead log was torn off',
    withTemporaryDirectory(async (directory) => {
      const { log, store } = await openLog(directory);
      await appendNumbers(log, 0, 1);
      const receipt = await appendNumbers(log, 1, 2);
      const torn = join(directory, 'torn');
      cpSync(join(directory, 'line.db'), join(torn, 'line.db'));
      cpSync(join(directory, 'line.db-wal'), join(torn, 'line.db-wal'));
      truncateSync(join(torn, 'line.db-wal'), statSync(join(torn, 'line.db-wal')).size - 50);
      await store.close();
      await expect(openLog(torn, { shownHeads: [receipt] })).rejects.toThrow(refusal('LG-107'));
      const older = await openLog(torn);
      expect(older.log.size).toBe(1);
      await older.close();
    }),
  );

  it(
    'LG-108: refuses a head of another history, of its own size and of a smaller one',
    withTemporaryDirectory(async (directory) => {
      await writeLog(directory, 300);
      for (const treeSize of [300, 299, 256, 1]) {
        const rootHash = hashLeaf(encodeUtf8('another history'));
        const fork = await signer.sign(formatCheckpoint({ origin: ORIGIN, treeSize, rootHash }));
        await expect(openLog(directory, { shownHeads: [fork] })).rejects.toThrow(refusal('LG-108'));
        const { log, close } = await openLog(directory);
        await expect(log.checkShownHead(fork)).rejects.toThrow(refusal('LG-108'));
        await close();
      }
    }),
  );

  it(
    'takes its own earlier heads',
    withTemporaryDirectory(async (directory) => {
      const heads: Bytes[] = [];
      for (const size of [1, 200, 256, 257, 600]) heads.push(await writeLog(directory, size));
      const { close } = await openLog(directory, { shownHeads: heads });
      await close();
    }),
  );

  it(
    'LG-105: refuses checkpoints that its key did not sign',
    withTemporaryDirectory(async (directory) => {
      await writeLog(directory, 3);
      const other = new NoteSigner(ORIGIN, generateSoftwareKey('ed25519'));
      await expect(openLog(directory, { signer: other })).rejects.toThrow(refusal('LG-105'));
      const { treeSize, rootHash } = { treeSize: 3, rootHash: hashLeaf(encodeUtf8('x')) };
      const foreign = await other.sign(formatCheckpoint({ origin: ORIGIN, treeSize, rootHash }));
      await expect(openLog(directory, { shownHeads: [foreign] })).rejects.toThrow(refusal('LG-105'));
    }),
  );

  it(
    'A56, A57, A58: refuses an edited head, a changed, missing or moved journal row',
    withTemporaryDirectory(async (directory) => {
      const fresh = join(directory, 'fresh');
      mkdirSync(fresh);
      const { log, store } = await openLog(fresh, { limits: { maxGroupEntries: 100 } });
      await appendNumbers(log, 0, 300);
      await log.publish();
      await appendNumbers(log, 300, 310);
      await appendNumbers(log, 310, 320);
      await store.close();
      const attempt = async (sql: string, ...values: (string | number | Uint8Array)[]): Promise<void> => {
        const copy = join(directory, 'copy');
        rmSync(copy, { recursive: true, force: true });
        cpSync(fresh, copy, { recursive: true });
        edit(copy, sql, ...values);
        const { close } = await openLog(copy);
        await close();
      };
      const changed = encodeUtf8('changed');
      const row = Uint8Array.of(0, changed.length, ...changed);
      await expect(attempt('UPDATE head SET tree_size = 319')).rejects.toThrow(refusal('LG-104'));
      await expect(attempt('UPDATE head SET root_hash = ?', hashLeaf(changed))).rejects.toThrow(refusal('LG-104'));
      await expect(attempt('UPDATE head SET checkpoint = ?', changed)).rejects.toThrow(refusal('LG-105'));
      await expect(attempt('DELETE FROM head')).rejects.toThrow(refusal('LG-107'));
      await expect(attempt('DELETE FROM journal WHERE first_index = 310')).rejects.toThrow(refusal('LG-101'));
      await expect(attempt('DELETE FROM journal WHERE first_index = 300')).rejects.toThrow(refusal('LG-101'));
      await expect(attempt('DELETE FROM journal')).rejects.toThrow(refusal('LG-101'));
      await expect(attempt('UPDATE journal SET first_index = 309 WHERE first_index = 310')).rejects.toThrow(
        refusal('LG-101'),
      );
      await expect(
        attempt('UPDATE journal SET entries = ?, entry_count = 10 WHERE first_index = 310', row),
      ).rejects.toThrow(refusal('LG-102'));
      const ten = Uint8Array.from(Array.from({ length: 10 }, () => [...row]).flat());
      await expect(attempt('UPDATE journal SET entries = ? WHERE first_index = 310', ten)).rejects.toThrow(
        refusal('LG-104'),
      );
      await attempt('DELETE FROM journal WHERE first_index = 0');
    }),
  );

  it(
    'LG-101: refuses when published tiles are gone that the journal no longer covers',
    withTemporaryDirectory(async (directory) => {
      await writeLog(directory, 600, { limits: { maxGroupEntries: 256 } });
      await writeLog(directory, 601);
      rmSync(join(directory, 'log/tile/1'), { recursive: true });
      await expect(openLog(directory)).rejects.toThrow(refusal('LG-101'));
      rmSync(join(directory, 'log'), { recursive: true });
      await expect(openLog(directory)).rejects.toThrow(refusal('LG-101'));
    }),
  );

  it(
    'starts in a time that does not depend on history: it reads the edge only',
    withTemporaryDirectory(async (directory) => {
      await writeLog(directory, 3_000, { limits: { maxGroupEntries: 256 } });
      await writeLog(directory, 3_001);
      const { tiles, close } = await openLog(directory);
      const note = (await tiles.readCheckpoint()) as Bytes;
      expect(openCheckpoint(note, signer.verifierKey).treeSize).toBe(3_001);
      await close();
      for (const path of ['tile/0/000', 'tile/entries/000', 'tile/entries/010']) rmSync(join(directory, 'log', path));
      const again = await openLog(directory);
      await appendNumbers(again.log, 3_001, 3_002);
      await again.close();
    }),
  );
});

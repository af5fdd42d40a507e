// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { NoteSigner, type Signer } from '@witnessmark/custody';
import { ConflictError, DiskGuard, openScratchStore } from '@witnessmark/store';
import {
  EMPTY_ROOT,
  formatLogProof,
  hashLeaf,
  openCheckpoint,
  parseLogProof,
  verifyConsistency,
} from '@witnessmark/tlog';
import { LOG_LIMITS } from '../src/index.ts';
import {
  appendUnit,
  appendUnits,
  insertUnit,
  openLog,
  refusal,
  SettableClock,
  signer,
  unitEntries,
  unitEntry,
  verifyReceipt,
  withTemporaryDirectory,
} from './fixtures.ts';

function entryOf(text: string): Bytes {
  return encodeUtf8(text);
}

describe('EvidenceLog.append', () => {
  it(
    'answers with index, proof and checkpoint that verify, one checkpoint for a group',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory);
      const first = await log.append({ entry: entryOf('first') });
      expect(first.index).toBe(0);
      verifyReceipt(entryOf('first'), first);
      const entries = Array.from({ length: 400 }, (_, number) => entryOf(`entry ${number}`));
      const receipts = await Promise.all(entries.map((entry) => log.append({ entry })));
      expect(receipts.map((receipt) => receipt.index)).toEqual(entries.map((_, number) => number + 1));
      expect(new Set(receipts.map((receipt) => receipt.checkpoint)).size).toBe(1);
      for (const [position, receipt] of receipts.entries()) verifyReceipt(entries[position] as Bytes, receipt);
      expect(log.size).toBe(401);
      // The receipt is a tlog-proof.
      const last = receipts.at(-1);
      if (last === undefined) throw new Error('no receipt');
      expect(parseLogProof(formatLogProof(last)).index).toBe(400);
      await close();
    }),
  );

  it(
    'I8: refuses a conflicting entry alone; the others of its group are logged without a gap',
    withTemporaryDirectory(async (directory) => {
      const { log, store, close } = await openLog(directory);
      const entries = await unitEntries(3);
      const [a, b, c] = await Promise.allSettled([
        appendUnit(log, entries[0] as Bytes, 'a'),
        appendUnit(log, entries[1] as Bytes, 'b', 'LABEL-a'),
        appendUnit(log, entries[2] as Bytes, 'c'),
      ]);
      expect(a).toMatchObject({ status: 'fulfilled', value: { index: 0 } });
      expect(c).toMatchObject({ status: 'fulfilled', value: { index: 1 } });
      const reason = (b as PromiseRejectedResult).reason as ConflictError;
      expect(reason.isUnique('unit', 'label_serial')).toBe(true);
      expect(log.size).toBe(2);
      expect(await log.readEntry(1)).toEqual(entries[2]);
      expect(await store.views.unit('device-c')).toMatchObject({ last_index: 1 });
      expect(await store.views.unit('device-b')).toBeUndefined();
      await close();
    }),
  );

  it(
    'I14: a repeated request conflicts with its first self, whose answer can be given again',
    withTemporaryDirectory(async (directory) => {
      const { log, store, close } = await openLog(directory);
      const entry = await unitEntry('a');
      const [first, again] = await Promise.allSettled([appendUnit(log, entry, 'a'), appendUnit(log, entry, 'a')]);
      expect(first.status).toBe('fulfilled');
      expect((again as PromiseRejectedResult).reason).toBeInstanceOf(ConflictError);
      const index = (await store.views.unit('device-a'))?.last_index ?? -1;
      verifyReceipt(entry, await log.entryProof(index));
      expect(log.size).toBe(1);
      await close();
    }),
  );

  it(
    'A70: does not log bytes that changed after they arrived, and harms no neighbour',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory);
      const written = entryOf('good');
      const changed = log.append({ entry: written, leafHash: hashLeaf(entryOf('gooe')) });
      const neighbours = [log.append({ entry: entryOf('a') }), log.append({ entry: entryOf('b') })];
      await expect(changed).rejects.toThrow(refusal('ERR_LOG_ENTRY_CHANGED'));
      expect((await Promise.all(neighbours)).map((receipt) => receipt.index)).toEqual([0, 1]);
      await close();
    }),
  );

  it(
    'takes entries of 1 to 65,535 bytes',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory);
      const largest = new Uint8Array(LOG_LIMITS.maxEntryBytes).fill(7);
      verifyReceipt(largest, await log.append({ entry: largest }));
      verifyReceipt(Uint8Array.of(1), await log.append({ entry: Uint8Array.of(1) }));
      await expect(log.append({ entry: new Uint8Array(0) })).rejects.toThrow(refusal('ERR_LOG_ENTRY_SIZE'));
      await expect(log.append({ entry: new Uint8Array(65_536) })).rejects.toThrow(refusal('ERR_LOG_ENTRY_SIZE'));
      expect(await log.readEntry(0)).toEqual(largest);
      await close();
    }),
  );

  it(
    'pushes back when too much waits, by number and by bytes, and cuts groups at their limits',
    withTemporaryDirectory(async (directory) => {
      const limits = { maxQueuedEntries: 5, maxQueuedBytes: 100, maxGroupEntries: 2, maxGroupBytes: 30 };
      const { log, close } = await openLog(directory, { limits });
      const small = Array.from({ length: 6 }, (_, number) => log.append({ entry: entryOf(`${number}`) }));
      const answers = await Promise.allSettled(small);
      expect(answers.map((answer) => answer.status)).toEqual([...Array<string>(5).fill('fulfilled'), 'rejected']);
      expect((answers[5] as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_LOG_OVERLOADED' });
      const heads = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.checkpoint] : []));
      expect(new Set(heads).size).toBe(3);
      const large = [40, 60, 1].map((length) => log.append({ entry: new Uint8Array(length) }));
      expect((await Promise.allSettled(large)).map((answer) => answer.status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
      ]);
      await close();
    }),
  );

  it(
    'A68, I9: refuses new work at the high-water mark and keeps room for closing work',
    withTemporaryDirectory(async (directory) => {
      let free = 50;
      const reserves = { newWorkBytes: 100, closingWorkBytes: 10, maxAgeMs: 0 };
      const diskGuard = new DiskGuard({ freeBytes: () => free, monotonic: () => 0, reserves });
      const { log, close } = await openLog(directory, { diskGuard });
      await expect(log.append({ entry: entryOf('new') })).rejects.toThrow(refusal('LS-302'));
      expect(() => {
        log.checkRoom('new');
      }).toThrow(refusal('LS-302'));
      expect((await log.append({ entry: entryOf('closing'), work: 'closing' })).index).toBe(0);
      free = 5;
      await expect(log.append({ entry: entryOf('x'), work: 'closing' })).rejects.toThrow(refusal('LS-302'));
      free = 500;
      expect((await log.append({ entry: entryOf('new') })).index).toBe(1);
      await close();
    }),
  );

  it(
    'I6: lets recorded time stand still for a small step of the clock and refuses a large one',
    withTemporaryDirectory(async (directory) => {
      const clock = new SettableClock();
      const { log, store, close } = await openLog(directory, { clock });
      const start = clock.time;
      await log.append({ entry: entryOf('a') });
      clock.time = start - LOG_LIMITS.maxClockStepBackMs;
      await log.append({ entry: entryOf('b') });
      expect((await store.head())?.committedAt).toBe(start);
      clock.time = start - LOG_LIMITS.maxClockStepBackMs - 1;
      await expect(log.append({ entry: entryOf('c') })).rejects.toThrow(refusal('LS-301'));
      clock.time = start;
      expect((await log.append({ entry: entryOf('c') })).index).toBe(2);
      clock.time = start + 5;
      await log.append({ entry: entryOf('d') });
      expect((await store.head())?.committedAt).toBe(start + 5);
      await close();
    }),
  );

  it(
    'stores nothing when the key cannot be reached, and goes on when it can again',
    withTemporaryDirectory(async (directory) => {
      const away = new Error('the token is away');
      let isAway = false;
      const inner: Signer = {
        publicKey: signer.verifierKey.publicKey,
        custody: 'software',
        sign: (message) => (isAway ? Promise.reject(away) : signatureOf(message)),
      };
      const { log, store, close } = await openLog(directory, { signer: new NoteSigner('log.example/line-1', inner) });
      await log.append({ entry: entryOf('a') });
      isAway = true;
      await expect(appendUnit(log, entryOf('b'), 'b')).rejects.toBe(away);
      expect(await store.views.unit('device-b')).toBeUndefined();
      isAway = false;
      const receipt = await appendUnit(log, entryOf('b'), 'b');
      verifyReceipt(entryOf('b'), receipt);
      expect(receipt.index).toBe(1);
      await close();
    }),
  );
});

describe('EvidenceLog reads', () => {
  it(
    'entries and proofs of any index, from memory, journal and tiles',
    withTemporaryDirectory(async (directory) => {
      const entries = Array.from({ length: 900 }, (_, number) => entryOf(`entry ${number}`));
      const { log, close } = await openLog(directory);
      await appendUnits(log, entries.slice(0, 600));
      await log.publish();
      await appendUnits(log, entries.slice(600), 'v');
      expect(log.publishedSize).toBe(600);
      const check = async (): Promise<void> => {
        for (const index of [0, 1, 255, 256, 511, 512, 599, 600, 767, 768, 899]) {
          expect(await log.readEntry(index)).toEqual(entries[index]);
          verifyReceipt(entries[index] as Bytes, await log.entryProof(index));
        }
      };
      await check();
      await log.publish();
      await check();
      for (const index of [-1, 900, 0.5, NaN]) {
        await expect(log.readEntry(index)).rejects.toThrow(refusal('ERR_LOG_INDEX'));
        await expect(log.entryProof(index)).rejects.toThrow(refusal('ERR_LOG_INDEX'));
      }
      await close();
    }),
  );

  it(
    'I4: proves that every checkpoint it ever gave out is the beginning of the newest',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory);
      const heads: Bytes[] = [];
      for (let round = 0; round < 12; round += 1) {
        const entries = Array.from({ length: 60 + round }, (_, number) => entryOf(`${round}/${number}`));
        const receipts = await Promise.all(entries.map((entry) => log.append({ entry })));
        heads.push((receipts[0] as (typeof receipts)[number]).checkpoint);
        if (round % 3 === 0) await log.publish();
      }
      const to = openCheckpoint(log.checkpoint as Bytes, log.logKey);
      for (const head of heads) {
        const from = openCheckpoint(head, log.logKey);
        const { proof } = await log.consistency(from.treeSize);
        verifyConsistency({
          fromSize: from.treeSize,
          fromRoot: from.rootHash,
          toSize: to.treeSize,
          toRoot: to.rootHash,
          proof,
        });
        await log.checkShownHead(head);
      }
      expect((await log.consistency(0)).proof).toEqual([]);
      await expect(log.consistency(log.size + 1)).rejects.toThrow(refusal('ERR_LOG_INDEX'));
      await close();
    }),
  );

  it(
    'A56, I18: refuses to hand out an entry whose stored bytes or hashes changed',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory, { limits: { maxGroupEntries: 256 } });
      await appendUnits(
        log,
        Array.from({ length: 300 }, (_, number) => entryOf(`entry ${number}`)),
      );
      await log.publish();
      flip(join(directory, 'log/tile/entries/000'), 5);
      await expect(log.readEntry(0)).rejects.toThrow(refusal('LG-102'));
      await expect(log.entryProof(0)).rejects.toThrow(refusal('LG-102'));
      expect(await log.readEntry(1)).toEqual(entryOf('entry 1'));
      flip(join(directory, 'log/tile/0/000'), 32 * 7);
      await expect(log.readEntry(7)).rejects.toThrow(refusal('LG-102'));
      await expect(log.entryProof(6)).rejects.toThrow(refusal('LG-104'));
      await close();
    }),
  );
});

describe('EvidenceLog under load', () => {
  it(
    'pauses after a group of some size until its time has come, or until the next one is twice a large group',
    withTemporaryDirectory(async (directory) => {
      const paused: { readonly delayMs: number; readonly task: () => void }[] = [];
      const scheduler = {
        soon: (task: () => void) => {
          setImmediate(task);
        },
        after: (delayMs: number, task: () => void) => {
          const pause = { delayMs, task };
          paused.push(pause);
          return () => {
            paused.splice(paused.indexOf(pause), 1);
          };
        },
      };
      const limits = { busyGroupEntries: 4, busyPauseMs: 5, largeGroupEntries: 8, largePauseMs: 50 };
      const { log, close } = await openLog(directory, { scheduler, limits });
      let entries = 0;
      const append = (count: number): Promise<unknown> =>
        Promise.all(Array.from({ length: count }, () => log.append({ entry: entryOf(`entry ${(entries += 1)}`) })));
      const pauses = (): number[] => paused.map(({ delayMs }) => delayMs).filter((delayMs) => delayMs < 1_000);
      const endPause = (): void => {
        for (const { delayMs, task } of paused.splice(0)) if (delayMs < 1_000) task();
      };

      await append(3);
      await append(4);
      expect(log.size).toBe(7);
      const afterBusy = append(1);
      expect(pauses()).toEqual([5]);
      endPause();
      await afterBusy;
      await append(8);
      const afterLarge = append(15);
      expect(pauses()).toEqual([50]);
      await turn();
      expect(log.size).toBe(16);
      await Promise.all([afterLarge, append(1)]);
      expect(log.size).toBe(32);
      expect(pauses()).toEqual([]);
      endPause();
      await close();
    }),
  );
});

describe('EvidenceLog.publish and close', () => {
  it(
    'publishes on its interval, early when much waits, and when it is closed',
    withTemporaryDirectory(async (directory) => {
      const tasks: (() => void)[] = [];
      const scheduler = {
        soon: (task: () => void) => {
          setImmediate(task);
        },
        after: (_: number, task: () => void) => {
          tasks.push(task);
          return () => undefined;
        },
      };
      const { log, tiles, close } = await openLog(directory, { scheduler, limits: { publishEarlyBytes: 1_000 } });
      await log.append({ entry: entryOf('a') });
      expect(await tiles.readCheckpoint()).toBeUndefined();
      tasks.shift()?.();
      await until(() => log.publishedSize === 1);
      await log.append({ entry: new Uint8Array(2_000) });
      await until(() => log.publishedSize === 2);
      await log.append({ entry: entryOf('c') });
      await close();
      expect(openCheckpoint((await tiles.readCheckpoint()) as Bytes, log.logKey).treeSize).toBe(3);
      await expect(log.append({ entry: entryOf('d') })).rejects.toThrow(refusal('ERR_LOG_CLOSED'));
    }),
  );

  it(
    'answers what waits before it closes',
    withTemporaryDirectory(async (directory) => {
      const { log, store } = await openLog(directory, { limits: { maxGroupEntries: 10 } });
      const waiting = Array.from({ length: 55 }, (_, number) => log.append({ entry: entryOf(`${number}`) }));
      await log.close();
      expect((await Promise.all(waiting)).at(-1)?.index).toBe(54);
      expect(log.publishedSize).toBe(55);
      await store.close();
    }),
  );

  it(
    'drops journal rows only after full bundles are durable',
    withTemporaryDirectory(async (directory) => {
      const { log, store, close } = await openLog(directory, { limits: { maxGroupEntries: 100 } });
      await appendUnits(
        log,
        Array.from({ length: 600 }, (_, number) => entryOf(`${number}`)),
      );
      expect((await store.journal())[0]?.firstIndex).toBe(0);
      await log.publish();
      await log.append({ entry: entryOf('next') });
      // Entries 512 to 599 are only in a partial bundle: the row that holds 512 stays.
      expect((await store.journal()).map((row) => row.firstIndex)).toEqual([500, 600]);
      await close();
    }),
  );

  it(
    'is an empty log that closes without a checkpoint',
    withTemporaryDirectory(async (directory) => {
      const { log, tiles, close } = await openLog(directory);
      expect(log.size).toBe(0);
      expect(log.checkpoint).toBeUndefined();
      await expect(log.entryProof(0)).rejects.toThrow(refusal('ERR_LOG_INDEX'));
      await expect(log.consistency(0)).rejects.toThrow(refusal('ERR_LOG_INDEX'));
      await close();
      expect(await tiles.readCheckpoint()).toBeUndefined();
    }),
  );

  it('keeps views and tree together in any store', async () => {
    const store = openScratchStore();
    await withTemporaryDirectory(async (directory) => {
      const { log } = await openLog(directory, { store });
      await log.append({ entry: entryOf('a'), changes: (index) => [insertUnit('a', 'L', index)] });
      expect(openCheckpoint(log.checkpoint as Bytes, log.logKey).rootHash).not.toEqual(EMPTY_ROOT);
      await log.close();
    })();
    await store.close();
  });
});

const plainKey = signer;

async function signatureOf(message: Bytes): Promise<Bytes> {
  // A note's last line ends in the signature; the signer signs text only through notes.
  const note = await plainKey.sign(new TextDecoder().decode(message));
  const line = new TextDecoder().decode(note).trimEnd().split(' ').at(-1) ?? '';
  return Uint8Array.from(Buffer.from(line, 'base64').subarray(4));
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

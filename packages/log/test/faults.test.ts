// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import { openSqliteStore, StoreError, type Store } from '@witnessmark/store';
import { TileStorage, type FilePort, type LogError } from '../src/index.ts';
import { nodeFiles } from '../src/tiles/node-files.ts';
import { openLog, refusal, verifyReceipt, withTemporaryDirectory } from './fixtures.ts';

const entry = encodeUtf8('entry');

/** A store whose next commit goes wrong. */
class FaultyStore implements Store {
  readonly #inner: Store;
  fault: { readonly error: Error; readonly isDone: boolean } | undefined;

  constructor(directory: string) {
    this.#inner = openSqliteStore({ path: join(directory, 'line.db') });
  }

  get views(): Store['views'] {
    return this.#inner.views;
  }

  head(): ReturnType<Store['head']> {
    return this.#inner.head();
  }

  journal(): ReturnType<Store['journal']> {
    return this.#inner.journal();
  }

  async commit(...request: Parameters<Store['commit']>): ReturnType<Store['commit']> {
    const fault = this.fault;
    this.fault = undefined;
    if (fault === undefined) return this.#inner.commit(...request);
    if (fault.isDone) await this.#inner.commit(...request);
    throw fault.error;
  }

  dump(): ReturnType<Store['dump']> {
    return this.#inner.dump();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function fullDisk(): StoreError {
  return new StoreError('ERR_STORE_FULL', 'the disk of the database is full');
}

/** Files on a disk that can be full, or broken. */
function failingFiles(): { readonly files: FilePort; code: string | undefined } {
  const state = {
    code: undefined as string | undefined,
    files: {
      ...nodeFiles,
      writeSynced: async (path: string, parts: readonly Uint8Array[]) => {
        if (state.code !== undefined) throw Object.assign(new Error(state.code), { code: state.code });
        await nodeFiles.writeSynced(path, parts);
      },
    },
  };
  return state;
}

describe('a log whose database fails', () => {
  it(
    'A68, I9: answers LS-302 when the disk is full, stores nothing, and goes on when there is room',
    withTemporaryDirectory(async (directory) => {
      const store = new FaultyStore(directory);
      const { log, close } = await openLog(directory, { store });
      store.fault = { error: fullDisk(), isDone: false };
      await expect(log.append({ entry })).rejects.toThrow(refusal('LS-302'));
      expect(log.size).toBe(0);
      const receipt = await log.append({ entry });
      expect(receipt.index).toBe(0);
      verifyReceipt(entry, receipt);
      await close();
    }),
  );

  it.each([
    ['an input/output error, not done', new StoreError('ERR_STORE_IO', 'fsync failed'), false],
    ['an input/output error, though done', new StoreError('ERR_STORE_IO', 'fsync failed'), true],
    ['another writer', new StoreError('ERR_STORE_STALE_HEAD', 'stale'), false],
    ['a full disk, though done', fullDisk(), true],
    ['an unknown error, though done', new Error('lost connection'), true],
  ] as const)('I3: stops for good after %s, says so once, and answers nobody else', (_, error, isDone) =>
    withTemporaryDirectory(async (directory) => {
      const store = new FaultyStore(directory);
      const failures: LogError[] = [];
      const { log } = await openLog(directory, {
        store,
        limits: { maxGroupEntries: 1 },
        onFatal: (failure) => failures.push(failure),
      });
      await log.append({ entry: encodeUtf8('before') });
      store.fault = { error, isDone };
      const answers = await Promise.allSettled([log.append({ entry }), log.append({ entry: encodeUtf8('next') })]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'ERR_LOG_FATAL' } });
      }
      await expect(log.append({ entry })).rejects.toThrow(refusal('ERR_LOG_FATAL'));
      await expect(log.publish()).rejects.toThrow(refusal('ERR_LOG_FATAL'));
      await log.close();
      expect(failures).toHaveLength(1);
      await store.close();
      // Reading again tells what is stored.
      const again = await openLog(directory);
      expect(again.log.size).toBe(isDone ? 2 : 1);
      await again.close();
    })(),
  );
});

describe('a log whose directory fails', () => {
  it(
    'waits for room to publish, keeps taking entries meanwhile, and then refuses when too much waits',
    withTemporaryDirectory(async (directory) => {
      const disk = failingFiles();
      const tiles = new TileStorage(join(directory, 'log'), disk.files);
      const { log, close } = await openLog(directory, { tiles, limits: { maxUnpublishedBytes: 10 } });
      disk.code = 'ENOSPC';
      await log.append({ entry });
      await expect(log.publish()).rejects.toThrow(refusal('LS-302'));
      await log.append({ entry });
      await expect(log.append({ entry })).rejects.toThrow(refusal('LS-302'));
      disk.code = undefined;
      expect((await log.append({ entry })).index).toBe(2);
      expect(log.publishedSize).toBe(2);
      await close();
    }),
  );

  it(
    'I5: treats any other failure as the end: never syncs again and goes on',
    withTemporaryDirectory(async (directory) => {
      const disk = failingFiles();
      const tiles = new TileStorage(join(directory, 'log'), disk.files);
      const failures: LogError[] = [];
      const { log, store } = await openLog(directory, { tiles, onFatal: (failure) => failures.push(failure) });
      await log.append({ entry });
      disk.code = 'EIO';
      await expect(log.publish()).rejects.toThrow(refusal('ERR_LOG_FATAL'));
      disk.code = undefined;
      await expect(log.append({ entry })).rejects.toThrow(refusal('ERR_LOG_FATAL'));
      expect(failures).toHaveLength(1);
      await store.close();
      const again = await openLog(directory);
      expect(again.log.size).toBe(1);
      await again.close();
    }),
  );
});

// SPDX-License-Identifier: Apache-2.0
/** Copies committed pages from the write-ahead log into the database file while the writer goes on (see wal-checkpointer.ts). */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Each round copies what arrived during the one before, which took less time: a few bring the rest near zero. */
const MAX_ROUNDS = 4;
const FEW_FRAMES = 64;

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { path } = workerData as { readonly path: string };
const database = new DatabaseSync(path, { timeout: 1_000 });
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

port.on('message', () => {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { log, checkpointed } = checkpoint.get() as { readonly log: number; readonly checkpointed: number };
    if (log - checkpointed <= FEW_FRAMES) break;
  }
  port.postMessage('done');
});

// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps SQLite's write-ahead log short without stopping the writer. A checkpoint copies every committed page into the
 * database file and syncs it: milliseconds in which nothing could be appended. So another thread does the bulk with a
 * passive checkpoint, which locks nobody out, and the writer only copies the last few pages; then SQLite starts the
 * write-ahead log from its beginning again. See https://sqlite.org/wal.html#ckpt.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const WORKER_FILE = new URL(IS_SOURCE ? './wal-checkpoint-worker.ts' : './wal-checkpoint-worker.js', import.meta.url);

export const WAL_LIMITS = {
  /**
   * Written since the last checkpoint: from here on the other thread works. Not more, for SQLite then writes over what the
   * file has already, which takes half as long to sync as making it longer.
   */
  backgroundBytes: 16 * 1024 * 1024,
  /** From here on the writer waits for a checkpoint of its own: the other thread cannot keep up, or died. */
  foregroundBytes: 512 * 1024 * 1024,
};

export class WalCheckpointer {
  readonly #path: string;
  readonly #checkpoint: StatementSync;
  readonly #limits: typeof WAL_LIMITS;
  #worker: Worker | undefined;
  #state: 'idle' | 'copying' | 'copied' = 'idle';
  #bytes = 0;

  constructor(path: string, database: DatabaseSync, limits: typeof WAL_LIMITS = WAL_LIMITS) {
    this.#path = path;
    this.#limits = limits;
    this.#checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** To be called by the writer after each commit, with an estimate of what it wrote. */
  afterCommit(bytes: number): void {
    this.#bytes += bytes;
    if (this.#state === 'copied' || this.#bytes >= this.#limits.foregroundBytes) {
      this.#checkpoint.get();
      this.#bytes = 0;
      this.#state = this.#state === 'copying' ? 'copying' : 'idle';
    } else if (this.#state === 'idle' && this.#bytes >= this.#limits.backgroundBytes) {
      this.#start();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): void {
    this.#state = 'copying';
    this.#worker ??= this.#spawn();
    this.#worker.postMessage('checkpoint');
  }

  #spawn(): Worker {
    const worker = new Worker(WORKER_FILE, {
      workerData: { path: this.#path },
      execArgv: IS_SOURCE ? ['--conditions=@witnessmark/source'] : [],
    });
    worker.on('message', () => {
      this.#state = 'copied';
    });
    // Without the thread the writer checkpoints by itself, later and with a pause.
    worker.on('error', () => {
      this.#worker = undefined;
      this.#state = 'idle';
    });
    worker.unref();
    return worker;
  }
}

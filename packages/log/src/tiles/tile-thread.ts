// SPDX-License-Identifier: Apache-2.0
/**
 * Places many tiles in a thread of its own. A file costs half the processor time when one thread writes one after the
 * other, waiting where it must, as when several meet in the file system's locks; and the log's thread goes on meanwhile.
 */
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../worker-thread.ts';
import type { TileFile, TilePlacer } from './tile-placer.ts';

/** What the thread is told: files in one buffer, or to make their names durable. */
export type TileOrder =
  | { readonly kind: 'place'; readonly bytes: Uint8Array<ArrayBuffer>; readonly files: readonly PackedFile[] }
  | { readonly kind: 'syncNames' };

export interface PackedFile {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Its answer: nothing, or an error with the code of the file system. */
export type TileAnswer = { readonly message: string; readonly code: string | undefined } | undefined;

export interface TileWorkerData {
  readonly directory: string;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class TileThread implements TilePlacer {
  readonly #directory: string;
  #worker: Worker | undefined;
  /** Orders that are not answered yet, oldest first. */
  #waiting: Waiting[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  place(files: readonly TileFile[]): Promise<void> {
    const { bytes, packed } = pack(files);
    return this.#send({ kind: 'place', bytes, files: packed }, [bytes.buffer]);
  }

  syncNames(): Promise<void> {
    return this.#send({ kind: 'syncNames' }, []);
  }

  #send(order: TileOrder, transfer: ArrayBuffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      this.#waiting.push({ resolve, reject });
      // Keeps the process alive while there is something to write, not longer.
      this.#worker.ref();
      this.#worker.postMessage(order, transfer);
    });
  }

  #start(): Worker {
    const worker = startWorker('tiles/tile-worker', { directory: this.#directory } satisfies TileWorkerData);
    worker.on('message', (answer: TileAnswer) => {
      const order = this.#waiting.shift();
      if (this.#waiting.length === 0) worker.unref();
      if (answer === undefined) order?.resolve();
      else order?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
    });
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      for (const order of this.#waiting.splice(0)) order.reject(error);
    });
    return worker;
  }
}

function pack(files: readonly TileFile[]): { readonly bytes: Uint8Array<ArrayBuffer>; readonly packed: PackedFile[] } {
  const length = files.reduce((sum, { parts }) => parts.reduce((total, part) => total + part.length, sum), 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  const packed = files.map(({ path, parts }) => {
    const start = at;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { path, start, end: at };
  });
  return { bytes, packed };
}

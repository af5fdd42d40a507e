// SPDX-License-Identifier: Apache-2.0
/**
 * Calls that block, in a thread of their own: while it signs, the other thread reads requests and writes the journal. Costs
 * half of what pkcs11js's asynchronous calls cost, because several signatures travel in one message.
 */
import { Worker } from 'node:worker_threads';
import type { Bytes } from '@witnessmark/core';

/** Binary text crosses threads faster than small arrays of bytes do. */
export interface SignOrder {
  readonly mechanism: number;
  readonly key: string;
  readonly data: string;
  readonly signatureBytes: number;
}

export type SignAnswer = { readonly signature: string } | { readonly message: string; readonly code: number | null };

export interface SignWorkerData {
  /** Path of a module that this process has initialised. */
  readonly library: string;
  /** Used by the thread alone. */
  readonly session: Bytes;
}

export interface SignJob {
  readonly mechanism: number;
  readonly key: Buffer;
  readonly data: Bytes;
  readonly signatureBytes: number;
}

interface Waiting {
  readonly order: SignOrder;
  readonly done: PromiseWithResolvers<Bytes>;
}

const IS_SOURCE = import.meta.url.endsWith('.ts');
/** In one message: few, so that the first ones leave while the others are made. */
const ORDERS_PER_MESSAGE = 8;
/** The thread always has something to go on with. */
const MESSAGES_UNDER_WAY = 2;

export class SignThread {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  readonly #underWay: Waiting[][] = [];
  #isFlushPlanned = false;
  #failure: Error | null = null;
  #isClosed = false;

  constructor(data: SignWorkerData) {
    this.#worker = new Worker(new URL(`./sign-worker${IS_SOURCE ? '.ts' : '.js'}`, import.meta.url), {
      workerData: data,
      execArgv: IS_SOURCE ? ['--conditions=@witnessmark/source'] : [],
    });
    this.#worker.on('message', (answers: readonly SignAnswer[]) => {
      this.#receive(answers);
    });
    this.#worker.on('error', (cause) => {
      this.#fail(new Error('the signing thread failed', { cause }));
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('the signing thread ended'));
    });
    // Whoever waits for a signature keeps the process alive, not an idle thread.
    this.#worker.unref();
  }

  /** Rejects with what the binding said, or when the thread is no more: then nobody knows whether it was signed. */
  sign({ mechanism, key, data, signatureBytes }: SignJob): Promise<Bytes> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const done = Promise.withResolvers<Bytes>();
    const order = { mechanism, key: key.toString('latin1'), data: toText(data), signatureBytes };
    this.#waiting.push({ order, done });
    this.#planFlush();
    return done.promise;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(new Error('the signing thread was closed'));
    void this.#worker.terminate();
  }

  /** What is asked in one turn of the event loop goes together. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    process.nextTick(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#underWay.length < MESSAGES_UNDER_WAY) {
      const batch = this.#waiting.splice(0, ORDERS_PER_MESSAGE);
      this.#underWay.push(batch);
      this.#worker.postMessage(batch.map(({ order }) => order));
    }
  }

  #receive(answers: readonly SignAnswer[]): void {
    const batch = this.#underWay.shift() ?? [];
    for (const [index, { done }] of batch.entries()) {
      const answer = answers[index];
      if (answer !== undefined && 'signature' in answer)
        done.resolve(Uint8Array.from(Buffer.from(answer.signature, 'latin1')));
      else done.reject(toError(answer));
    }
    this.#flush();
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    for (const { done } of [...this.#underWay.splice(0).flat(), ...this.#waiting.splice(0)]) done.reject(this.#failure);
  }
}

function toText(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** As the binding throws it. */
function toError(answer: { readonly message: string; readonly code: number | null } | undefined): Error {
  const error = new Error(answer?.message ?? 'the signing thread did not answer');
  return answer === undefined || answer.code === null ? error : Object.assign(error, { code: answer.code });
}

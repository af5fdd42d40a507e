// SPDX-License-Identifier: Apache-2.0
/**
 * Verifies envelopes in threads, for a signature costs ten times what the rest of an append does. Entries travel in
 * batches, the larger the busier the threads are. An entry that comes alone is verified where it is: waking a thread and
 * being woken by it takes longer than a signature.
 */
import type { Worker } from 'node:worker_threads';
import { MAX_ENVELOPE_BYTES, parseEnvelope, type Bytes, type PublicKey } from '@witnessmark/core';
import { hashLeaf } from '@witnessmark/tlog';
import { LogError } from '../error.ts';
import { startWorker } from '../worker-thread.ts';
import { EnvelopeVerifier } from './envelope-verifier.ts';
import { Mailbox, MAILBOX_BATCHES, type SharedBatch } from './verify-mailbox.ts';
import type { VerifyWorkerData } from './verify-worker.ts';

export const VERIFY_LIMITS = {
  workers: 2,
  maxBatchEntries: 256,
  /** A batch is this part of what waits for a thread: the log goes on with its verdicts while the others are worked out. */
  batchShare: 1 / 8,
  /** But not less, when so many wait: a message costs as much as a signature. */
  smallBatchEntries: 16,
  maxWaiting: 65_536,
};

export interface VerifyPoolOptions {
  readonly keys: readonly PublicKey[];
  readonly limits?: Partial<typeof VERIFY_LIMITS>;
}

export interface VerifiedEntry {
  /** Hashed from the bytes that were verified. */
  readonly leafHash: Bytes;
  /** The keys that signed, each once; empty when none of the pool's keys did. */
  readonly signers: readonly PublicKey[];
  /** How many signatures the envelope carries, good or not. */
  readonly signatures: number;
}

interface Job {
  readonly entry: Bytes;
  readonly resolve: (verified: VerifiedEntry) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly mailbox: Mailbox;
  /** Batches it has, oldest first: it answers in order. */
  readonly batches: (readonly Job[])[];
}

export class VerifyPool {
  readonly #keys: readonly PublicKey[];
  readonly #limits: typeof VERIFY_LIMITS;
  readonly #verifier: EnvelopeVerifier;
  readonly #threads: Thread[] = [];
  #waiting: Job[] = [];
  #isScheduled = false;
  /** Whether an entry was verified here in this turn of the event loop. */
  #hasVerified = false;
  #ended: Error | undefined;

  constructor(options: VerifyPoolOptions) {
    this.#keys = options.keys;
    this.#limits = { ...VERIFY_LIMITS, ...options.limits };
    this.#verifier = new EnvelopeVerifier(options.keys);
    for (let count = 0; count < this.#limits.workers; count += 1) this.#threads.push(this.#startThread());
  }

  /** Rejects with core's error when the entry is not an envelope, `ERR_LOG_OVERLOADED` when too many wait. */
  verify(entry: Bytes): Promise<VerifiedEntry> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      if (entry.length > MAX_ENVELOPE_BYTES || this.#isAlone()) {
        resolve(this.#verifyHere(entry));
        return;
      }
      if (this.#waiting.length >= this.#limits.maxWaiting) {
        throw new LogError('ERR_LOG_OVERLOADED', 'too many entries wait to be verified; try again later');
      }
      this.#waiting.push({ entry, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // What is asked for in one go travels together.
      queueMicrotask(() => {
        this.#isScheduled = false;
        this.#dispatch();
      });
    });
  }

  async close(): Promise<void> {
    this.#end(new LogError('ERR_LOG_CLOSED', 'the verifying threads are closed'));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #isAlone(): boolean {
    if (this.#hasVerified || this.#waiting.length > 0) return false;
    return this.#threads.every(({ batches }) => batches.length === 0);
  }

  #verifyHere(entry: Bytes): VerifiedEntry {
    this.#hasVerified = true;
    setImmediate(() => {
      this.#hasVerified = false;
    });
    const { signers, signatures } = this.#verifier.verify(entry);
    return { leafHash: hashLeaf(entry), signers: this.#keysAt(signers), signatures };
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.reduce((best, next) => (next.batches.length < best.batches.length ? next : best));
      if (thread.batches.length >= MAILBOX_BATCHES) return;
      const sent = thread.mailbox.send(this.#waiting.slice(0, this.#batchSize()).map((job) => job.entry));
      thread.batches.push(this.#waiting.splice(0, sent));
      // An answer that is waited for keeps the process alive; idle threads do not.
      thread.worker.ref();
    }
  }

  /** Few entries are spread over all threads, many fill batches. */
  #batchSize(): number {
    const { maxBatchEntries, batchShare, smallBatchEntries } = this.#limits;
    const each = Math.ceil(this.#waiting.length / this.#threads.length);
    return Math.min(each, Math.max(smallBatchEntries, Math.ceil(each * batchShare)), maxBatchEntries);
  }

  #startThread(): Thread {
    const mailbox = new Mailbox();
    const data: VerifyWorkerData = { keys: this.#keys, memory: mailbox.memory };
    const worker = startWorker('verify/verify-worker', data);
    const thread: Thread = { worker, mailbox, batches: [] };
    worker.on('message', () => {
      for (let batch = mailbox.takeDone(); batch !== undefined; batch = mailbox.takeDone()) {
        this.#answer(thread.batches.shift() ?? [], batch);
      }
      if (thread.batches.length === 0) worker.unref();
      this.#dispatch();
    });
    worker.on('error', (cause: Error) => {
      this.#end(new LogError('ERR_LOG_FATAL', 'a verifying thread failed', { cause }));
    });
    worker.unref();
    return thread;
  }

  #answer(jobs: readonly Job[], batch: SharedBatch): void {
    for (const [position, job] of jobs.entries()) {
      const { leafHash, signers, signatures } = batch.read(position);
      if (signers === undefined) job.reject(describeMalformed(job.entry));
      else job.resolve({ leafHash, signers: this.#keysAt(signers), signatures });
    }
  }

  #keysAt(positions: readonly number[]): readonly PublicKey[] {
    return positions.map((position) => this.#keys[position] as PublicKey);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    const unanswered = [
      ...this.#threads.flatMap(({ batches }) => batches.splice(0).flat()),
      ...this.#waiting.splice(0),
    ];
    for (const job of unanswered) job.reject(this.#ended);
  }
}

/** A thread only says that it is not an envelope; reading it again tells why. */
function describeMalformed(entry: Bytes): Error {
  try {
    parseEnvelope(entry);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return new LogError('ERR_LOG_ENTRY_CHANGED', 'the bytes of an entry changed while it was verified');
}

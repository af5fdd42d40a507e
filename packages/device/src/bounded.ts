// SPDX-License-Identifier: Apache-2.0
/** Timer adapter: runs one driver operation under a hard time limit and turns how it ended into an outcome. */
import { clearTimeout, setTimeout } from 'node:timers';
import { RefusedError } from '@witnessmark/core';
import type { DriverOutcome } from './contract.ts';
import { DeviceError } from './error.ts';

const DEFAULT_CLEAN_UP_MS = 2_000;

export interface BoundedOperation {
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** How long the work may take to put its things away once it is told to stop; then its outcome is given without it. */
  readonly cleanUpMs?: number;
}

/**
 * Runs `work` until it ends, the limit passes or the caller cancels. `work` gets a signal and has to stop and clean up
 * when it fires; the caller never waits longer than the limit and the clean-up time. A `RefusedError` becomes
 * `FAILED`, a `DeviceError` and every stop become `UNKNOWN`; other errors are bugs and are thrown.
 */
export async function runBounded<T>(
  operation: BoundedOperation,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<DriverOutcome<T>> {
  const { name, timeoutMs, signal, cleanUpMs = DEFAULT_CLEAN_UP_MS } = operation;
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) throw new TypeError('a time limit is a positive integer');
  if (signal?.aborted === true) return { state: 'UNKNOWN', detail: `${name} was cancelled before it began` };
  const stop = new AbortController();
  const stopped = new StopRequest(stop, name, cleanUpMs);
  const cancel = (): void => {
    stopped.request(`${name} was cancelled`);
  };
  const limit = setTimeout(() => {
    stopped.request(`${name} did not end within ${timeoutMs} ms`);
  }, timeoutMs);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([settle(work(stop.signal), stopped), stopped.expired]);
  } finally {
    clearTimeout(limit);
    stopped.dispose();
    signal?.removeEventListener('abort', cancel);
  }
}

/** One request to stop: tells the work, and gives up on it when it does not put its things away in time. */
class StopRequest {
  readonly expired: Promise<DriverOutcome<never>>;
  reason: string | null = null;
  readonly #controller: AbortController;
  readonly #name: string;
  #giveUp: (outcome: DriverOutcome<never>) => void = () => undefined;
  readonly #cleanUpMs: number;
  #cleanUp: NodeJS.Timeout | null = null;

  constructor(controller: AbortController, name: string, cleanUpMs: number) {
    this.#controller = controller;
    this.#name = name;
    this.#cleanUpMs = cleanUpMs;
    this.expired = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  request(reason: string): void {
    if (this.reason !== null) return;
    this.reason = reason;
    this.#cleanUp = setTimeout(() => {
      this.#giveUp({ state: 'UNKNOWN', detail: `${reason}, and it did not stop when told to` });
    }, this.#cleanUpMs);
    this.#controller.abort(new DeviceError('ERR_DEVICE_LINK', `${this.#name} was stopped`));
  }

  dispose(): void {
    if (this.#cleanUp !== null) clearTimeout(this.#cleanUp);
  }
}

async function settle<T>(work: Promise<T>, stopped: StopRequest): Promise<DriverOutcome<T>> {
  try {
    const value = await work;
    // Work that ended after the limit ended too late, whatever it says.
    return stopped.reason === null ? { state: 'DONE', value } : { state: 'UNKNOWN', detail: stopped.reason };
  } catch (error) {
    if (stopped.reason !== null) return { state: 'UNKNOWN', detail: stopped.reason };
    if (error instanceof RefusedError) return { state: 'FAILED', code: error.code, detail: error.message };
    if (error instanceof DeviceError) return { state: 'UNKNOWN', detail: error.message };
    throw error;
  }
}

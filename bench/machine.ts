// SPDX-License-Identifier: Apache-2.0
/**
 * What the machine itself costs while a bench runs, so that a noisy one explains itself: processor time that others took,
 * how late an idle event loop hears of an arrival, how long a sync takes, what a loop answers in that only syncs.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ArrivalOptions } from './arrivals.ts';
import { percentile } from './workload.ts';

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;
/** Of `/proc/stat`'s columns; 8 and 9 repeat what 0 and 1 hold. */
const IDLE_COLUMNS = [3, 4];
const COLUMNS = 8;
const SYNCS = 1_500;
/** What a commit of one entry writes. */
const SYNC_BYTES = 16 * 1_024;
const BARE_LOOP_BYTES = 16 * 1_024 * 1_024;

/** Cores that were busy, as an average over the time since the meter was made; undefined where it cannot be known. */
export class MachineMeter {
  readonly #startedAt = performance.now();
  readonly #busyBefore = readBusySeconds();

  busyCores(): number | undefined {
    const busy = readBusySeconds();
    if (busy === undefined || this.#busyBefore === undefined) return undefined;
    return (busy - this.#busyBefore) / ((performance.now() - this.#startedAt) / 1_000);
  }

  /** Cores that somebody else used, the hypervisor included, when `ownCores` were ours. */
  otherCores(ownCores: number): number | undefined {
    const busy = this.busyCores();
    return busy === undefined ? undefined : Math.max(0, busy - ownCores);
  }
}

export function formatCores(cores: number | undefined): string {
  return cores === undefined ? 'an unknown part' : cores.toFixed(2);
}

export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export function toLatencies(milliseconds: readonly number[] | Float64Array): Latencies {
  const values = [...milliseconds];
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99), p999: percentile(values, 0.999) };
}

/** How long small synced writes over a file that already has its size take. */
export function measureSync(directory: string): Latencies {
  const path = join(directory, 'sync-probe');
  const bytes = Buffer.alloc(SYNC_BYTES, 1);
  const file = openSync(path, 'w');
  try {
    for (let count = 0; count < SYNCS; count += 1) writeSync(file, bytes, 0, bytes.length, count * bytes.length);
    fdatasyncSync(file);
    const milliseconds: number[] = [];
    for (let count = 0; count < SYNCS; count += 1) {
      const start = performance.now();
      writeSync(file, bytes, 0, bytes.length, count * bytes.length);
      fdatasyncSync(file);
      milliseconds.push(performance.now() - start);
    }
    return toLatencies(milliseconds);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/**
 * Poisson arrivals from a thread of their own: `onArrival` is told the moment each was due, on the clock of
 * {@link sinceEpoch}. Resolves after the last one.
 */
export function driveArrivals(options: ArrivalOptions, onArrival: (due: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./arrivals.ts', import.meta.url), { workerData: options });
    worker.on('error', reject);
    worker.on('message', (due: readonly number[]) => {
      if (due.length === 0) resolve();
      for (const at of due) onArrival(at);
    });
  });
}

/** How late an event loop that does nothing else hears of arrivals. */
export async function measureIdleLoop(options: ArrivalOptions): Promise<Latencies> {
  const late: number[] = [];
  await driveArrivals(options, (due) => late.push(sinceEpoch() - due));
  return toLatencies(late);
}

/**
 * What durability alone takes in a loop of the same language: each turn makes one synced write for all that arrived
 * meanwhile, over a file that already has its size, and does nothing else.
 */
export async function measureBareLoop(directory: string, options: ArrivalOptions): Promise<Latencies> {
  const path = join(directory, 'bare-loop');
  const file = openSync(path, 'w');
  writeSync(file, Buffer.alloc(BARE_LOOP_BYTES, 1));
  fdatasyncSync(file);
  const bytes = Buffer.alloc(SYNC_BYTES, 2);
  const taken: number[] = [];
  let waiting: number[] = [];
  let at = 0;
  const sync = (): void => {
    const group = waiting;
    waiting = [];
    writeSync(file, bytes, 0, bytes.length, at);
    at = (at + bytes.length) % BARE_LOOP_BYTES;
    fdatasyncSync(file);
    const now = sinceEpoch();
    for (const due of group) taken.push(now - due);
  };
  try {
    await driveArrivals(options, (due) => {
      if (waiting.push(due) === 1) setImmediate(sync);
    });
    await new Promise((resolve) => setImmediate(resolve));
    return toLatencies(taken);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** Milliseconds, the same in every thread. */
export function sinceEpoch(): number {
  return performance.timeOrigin + performance.now();
}

function readBusySeconds(): number | undefined {
  try {
    const columns =
      readFileSync('/proc/stat', 'utf8')
        .split('\n', 1)[0]
        ?.trim()
        .split(/\s+/)
        .slice(1, COLUMNS + 1) ?? [];
    const ticks = columns.reduce((sum, value, at) => (IDLE_COLUMNS.includes(at) ? sum : sum + Number(value)), 0);
    return ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Sends the full bundles of a log through threads and gathers the tile hashes they lead to. */
import type { Worker } from 'node:worker_threads';
import type { Bytes, PublicKey } from '@witnessmark/core';
import { HASH_BYTES } from '@witnessmark/tlog';
import { startWorker } from '../worker-thread.ts';
import { RangeChecker, type BundleProblem, type BundleRange, type RangeResult } from './range-check.ts';

/** Enough work that messages do not matter, little enough that the threads end together. */
const BUNDLES_PER_RANGE = 16;
/** Fewer are checked before a thread would have started. */
const MIN_BUNDLES_FOR_THREADS = 32;

/** What a thread is started with. */
export interface FsckWorkerData {
  readonly directory: string;
  readonly keys: readonly PublicKey[] | undefined;
}

export interface ScanOptions {
  readonly directory: string;
  readonly bundles: number;
  readonly workers: number;
  readonly keys: readonly PublicKey[] | undefined;
  readonly onProgress: (bundles: number) => void;
}

export interface ScanResult {
  /** Tile hashes by bundle, 32 bytes each: from the entries, and from the stored tiles of level 0. */
  readonly derivedRoots: Bytes;
  readonly storedRoots: Bytes;
  readonly problems: ReadonlyMap<number, BundleProblem>;
}

/** Rejects when a thread fails or a file cannot be read. */
export async function scanBundles(options: ScanOptions): Promise<ScanResult> {
  const { directory, bundles, keys } = options;
  const derivedRoots = new Uint8Array(bundles * HASH_BYTES);
  const storedRoots = new Uint8Array(bundles * HASH_BYTES);
  const problems = new Map<number, BundleProblem>();
  let next = 0;
  let done = 0;
  const takeRange = (): BundleRange | undefined => {
    if (next >= bundles) return undefined;
    const range = { first: next, count: Math.min(BUNDLES_PER_RANGE, bundles - next) };
    next += range.count;
    return range;
  };
  const accept = (result: RangeResult): void => {
    derivedRoots.set(result.derivedRoots, result.first * HASH_BYTES);
    storedRoots.set(result.storedRoots, result.first * HASH_BYTES);
    for (const problem of result.problems) problems.set(problem.index, problem);
    done += result.count;
    options.onProgress(done);
  };
  if (bundles < MIN_BUNDLES_FOR_THREADS) {
    const checker = new RangeChecker(directory, keys);
    for (let range = takeRange(); range !== undefined; range = takeRange()) accept(checker.check(range));
  } else {
    await scanInThreads(options, takeRange, accept);
  }
  return { derivedRoots, storedRoots, problems };
}

async function scanInThreads(
  { directory, keys, workers: count }: ScanOptions,
  takeRange: () => BundleRange | undefined,
  accept: (result: RangeResult) => void,
): Promise<void> {
  const workers = Array.from({ length: count }, () =>
    startWorker('fsck/fsck-worker', { directory, keys } satisfies FsckWorkerData),
  );
  try {
    await Promise.all(workers.map((worker) => drive(worker, takeRange, accept)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Keeps two ranges with a thread, so that it never waits for the next. */
function drive(
  worker: Worker,
  takeRange: () => BundleRange | undefined,
  accept: (result: RangeResult) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let outstanding = 0;
    const send = (): void => {
      const range = takeRange();
      if (range === undefined) return;
      outstanding += 1;
      worker.postMessage(range);
    };
    worker.on('message', (result: RangeResult) => {
      outstanding -= 1;
      accept(result);
      send();
      if (outstanding === 0) resolve();
    });
    worker.on('error', reject);
    send();
    send();
    if (outstanding === 0) resolve();
  });
}

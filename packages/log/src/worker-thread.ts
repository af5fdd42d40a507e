// SPDX-License-Identifier: Apache-2.0
/** Starts the threads of this package, from its sources as from its build. */
import { Worker } from 'node:worker_threads';

const IS_SOURCE = import.meta.url.endsWith('.ts');

/**
 * A thread makes short-lived garbage only. Small bounds keep that in the processor's cache, and memory flat; without them V8
 * lets a thread's heap grow to hundreds of megabytes before it looks for garbage.
 */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/** `name` is a file below this folder without its extension. */
export function startWorker(name: string, workerData: unknown): Worker {
  return new Worker(new URL(`./${name}${IS_SOURCE ? '.ts' : '.js'}`, import.meta.url), {
    workerData,
    resourceLimits: HEAP_LIMITS,
    execArgv: IS_SOURCE ? ['--conditions=@witnessmark/source'] : [],
  });
}

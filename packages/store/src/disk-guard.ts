// SPDX-License-Identifier: Apache-2.0
/**
 * Stops new work while there is still room to finish what was begun. A full disk in the middle of a commit has ended
 * transparency logs; here units in work, their refusals and dispositions keep a reserve that new units may not use.
 */
import { statfsSync } from 'node:fs';
import { RefusedError } from '@witnessmark/core';

const MIB = 1024 * 1024;

export const DISK_RESERVES = {
  /** New units are refused below this. */
  newWorkBytes: 512 * MIB,
  /** Everything is refused below this: SQLite and the file system need room to end a transaction. */
  closingWorkBytes: 64 * MIB,
  /** How long one reading of the free space is believed. */
  maxAgeMs: 250,
};

/** `new` begins a unit; `closing` ends one, or records a refusal or disposition. */
export type WorkKind = 'new' | 'closing';

export interface DiskGuardOptions {
  readonly freeBytes: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  readonly reserves?: typeof DISK_RESERVES;
}

export class DiskGuard {
  readonly #freeBytes: () => number;
  readonly #monotonic: () => number;
  readonly #reserves: typeof DISK_RESERVES;
  #readAt = -Infinity;
  #free = 0;

  constructor(options: DiskGuardOptions) {
    this.#freeBytes = options.freeBytes;
    this.#monotonic = options.monotonic;
    this.#reserves = options.reserves ?? DISK_RESERVES;
  }

  /** Throws `LS-302` when work of this kind must not begin. */
  check(kind: WorkKind): void {
    const needed = kind === 'new' ? this.#reserves.newWorkBytes : this.#reserves.closingWorkBytes;
    const free = this.#read();
    if (free < needed) {
      throw new RefusedError(
        'LS-302',
        `${toMib(free)} MiB are free on the evidence disk; ${kind} work needs ${toMib(needed)} MiB`,
      );
    }
  }

  #read(): number {
    const now = this.#monotonic();
    if (now - this.#readAt >= this.#reserves.maxAgeMs) {
      this.#free = this.#freeBytes();
      this.#readAt = now;
    }
    return this.#free;
  }
}

/** Bytes an unprivileged process may still write to the file system that holds `path`. */
export function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function toMib(bytes: number): number {
  return Math.floor(bytes / MIB);
}

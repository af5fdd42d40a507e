// SPDX-License-Identifier: Apache-2.0
/** Entries that wait for their place, bounded in number and bytes, and how large a group of them becomes. */
import type { Bytes } from '@witnessmark/core';
import { LogError } from './error.ts';
import type { LogLimits } from './limits.ts';
import type { PendingEntry } from './sequencer.ts';

export class EntryQueue {
  readonly #limits: LogLimits;
  #waiting: PendingEntry[] = [];
  #bytes = 0;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Throws `ERR_LOG_ENTRY_SIZE`, or `ERR_LOG_OVERLOADED` when too much waits already. */
  admit(entry: Bytes): void {
    const { maxEntryBytes, maxQueuedEntries, maxQueuedBytes } = this.#limits;
    if (entry.length === 0 || entry.length > maxEntryBytes) {
      throw new LogError('ERR_LOG_ENTRY_SIZE', `an entry has 1 to ${maxEntryBytes} bytes, not ${entry.length}`);
    }
    if (this.#waiting.length >= maxQueuedEntries || this.#bytes + entry.length > maxQueuedBytes) {
      throw new LogError('ERR_LOG_OVERLOADED', 'the log has more work waiting than it takes on; try again later');
    }
  }

  push(pending: PendingEntry): void {
    this.#waiting.push(pending);
    this.#bytes += pending.entry.length;
  }

  /** The oldest entries, as many as one group may have. */
  takeGroup(): readonly PendingEntry[] {
    const { maxGroupEntries, maxGroupBytes } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const { entry } of this.#waiting) {
      if (count === maxGroupEntries || (count > 0 && bytes + entry.length > maxGroupBytes)) break;
      count += 1;
      bytes += entry.length;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  takeAll(): readonly PendingEntry[] {
    this.#bytes = 0;
    return this.#waiting.splice(0);
  }

  /** How long the next group waits for its time after one of `entries`, in milliseconds. */
  pauseAfter(entries: number): number {
    const { busyGroupEntries, largeGroupEntries, busyPauseMs, largePauseMs } = this.#limits;
    if (entries < busyGroupEntries) return 0;
    return entries < largeGroupEntries ? busyPauseMs : largePauseMs;
  }

  /** Whether so much waits that no pause makes a better group of it. */
  get isFull(): boolean {
    return this.#waiting.length >= 2 * this.#limits.largeGroupEntries;
  }
}

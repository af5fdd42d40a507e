// SPDX-License-Identifier: Apache-2.0
/** Keeps a flood of refusals from filling the log: so many a minute and source are logged one by one, the rest as a sum. */
import type { Instant, ReasonCode } from '@witnessmark/core';

const WINDOW_MS = 60_000;

/** Refusals that were not logged one by one. */
export interface SuppressedRefusals {
  readonly source: string;
  readonly from: Instant;
  readonly until: Instant;
  readonly counts: ReadonlyMap<ReasonCode, number>;
}

interface Window {
  readonly from: Instant;
  logged: number;
  until: Instant;
  readonly suppressed: Map<ReasonCode, number>;
}

export class RefusalBudget {
  readonly #perMinute: number;
  /** Sources are enrolled stations and one name for everybody else, so the map is bounded by the trusted root. */
  readonly #windows = new Map<string, Window>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whether this refusal is logged by itself; otherwise it is counted. */
  take(source: string, code: ReasonCode, now: Instant): boolean {
    let window = this.#windows.get(source);
    if (window === undefined || (now - window.from >= WINDOW_MS && window.suppressed.size === 0)) {
      window = { from: now, logged: 0, until: now, suppressed: new Map() };
      this.#windows.set(source, window);
    }
    // A window with a sum still to be logged stays as it is until the sum was collected.
    if (window.logged < this.#perMinute && now - window.from < WINDOW_MS) {
      window.logged += 1;
      return true;
    }
    window.until = now;
    window.suppressed.set(code, (window.suppressed.get(code) ?? 0) + 1);
    return false;
  }

  /** Removes and returns the sums of windows that are over, or of all. */
  collect(now: Instant, everything = false): readonly SuppressedRefusals[] {
    const due: SuppressedRefusals[] = [];
    for (const [source, { from, until, suppressed }] of this.#windows) {
      if (!everything && now - from < WINDOW_MS) continue;
      this.#windows.delete(source);
      if (suppressed.size > 0) due.push({ source, from, until, counts: suppressed });
    }
    return due;
  }
}

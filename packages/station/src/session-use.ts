// SPDX-License-Identifier: Apache-2.0
import type { Instant } from '@witnessmark/core';

/** What was done in a session here since it was opened; the line counts for itself. */
export class SessionUse {
  #units = 0;
  #lastUsedAt: Instant;

  constructor(openedAt: Instant) {
    this.#lastUsedAt = openedAt;
  }

  get units(): number {
    return this.#units;
  }

  get lastUsedAt(): Instant {
    return this.#lastUsedAt;
  }

  /** A unit is begun now. */
  begin(now: Instant): void {
    this.#units += 1;
    this.touch(now);
  }

  /** Somebody worked here now. */
  touch(now: Instant): void {
    this.#lastUsedAt = Math.max(this.#lastUsedAt, now);
  }
}

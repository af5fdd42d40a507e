// SPDX-License-Identifier: Apache-2.0
import type { Clock, Instant } from '@witnessmark/core';

/** Time that only moves when it is read or told to, so that a run is the same each time. */
export class SimClock implements Clock {
  readonly #stepMs: number;
  #now: Instant;
  #monotonicMs = 1000;

  /** `stepMs` passes with each reading. */
  constructor(start: Instant, stepMs = 1) {
    this.#now = start;
    this.#stepMs = stepMs;
  }

  now(): Instant {
    this.advance(this.#stepMs);
    return this.#now;
  }

  monotonic(): number {
    this.advance(this.#stepMs);
    return this.#monotonicMs;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#monotonicMs += milliseconds;
  }
}

/** A machine's view of the time: right, until somebody sets its wall clock. */
export class SkewedClock implements Clock {
  readonly #true: Clock;
  skewMs = 0;

  constructor(trueClock: Clock) {
    this.#true = trueClock;
  }

  now(): Instant {
    return this.#true.now() + this.skewMs;
  }

  monotonic(): number {
    return this.#true.monotonic();
  }
}

/** The clock as one process has it: its monotonic time counts from the start of that process. */
export function processClock(clock: Clock): Clock {
  const startMs = clock.monotonic();
  return { now: () => clock.now(), monotonic: () => clock.monotonic() - startMs };
}

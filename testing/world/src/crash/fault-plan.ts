// SPDX-License-Identifier: Apache-2.0
/**
 * Faults at numbered port calls. A process makes its calls through one plan; the plan lets them through, fails one of
 * them, or ends the process there. Whether the effect of that call happened is part of the fault.
 */

export const FAULT_MODES = ['fail-before', 'fail-after', 'crash-before', 'crash-after'] as const;
export type FaultMode = (typeof FAULT_MODES)[number];

export interface Fault {
  /** Number of the call, from 0. */
  readonly at: number;
  readonly mode: FaultMode;
}

/** The process ended. Not an error anybody may handle: whoever catches it is dead. */
export class Crash extends Error {
  constructor(call: string) {
    super(`the process ended at ${call}`);
    this.name = 'Crash';
  }
}

/** What stands between a process and its ports. */
export interface PortCalls {
  /** Makes one port call; `failure` is what the caller sees of a call that failed. */
  call<T>(name: string, effect: () => Promise<T>, failure: () => T | Promise<T>): Promise<T>;
}

export class FaultPlan implements PortCalls {
  /** The names of the calls so far. */
  readonly calls: string[] = [];
  readonly #fault: Fault | null;
  #isDead = false;

  constructor(fault: Fault | null = null) {
    this.#fault = fault;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Whether the fault was reached. */
  get isHit(): boolean {
    return this.#fault !== null && this.calls.length > this.#fault.at;
  }

  async call<T>(name: string, effect: () => Promise<T>, failure: () => T | Promise<T>): Promise<T> {
    this.#requireLife(name);
    const mode = this.#fault !== null && this.calls.length === this.#fault.at ? this.#fault.mode : null;
    this.calls.push(name);
    if (mode === 'fail-before') return failure();
    if (mode === 'crash-before') throw this.#die(name);
    const value = await effect();
    // Another call of the same process may have ended it meanwhile.
    this.#requireLife(name);
    if (mode === 'fail-after') return failure();
    if (mode === 'crash-after') throw this.#die(name);
    return value;
  }

  /** Ends the process from outside, as a power cut does. */
  kill(): void {
    this.#isDead = true;
  }

  #die(name: string): Crash {
    this.#isDead = true;
    return new Crash(name);
  }

  #requireLife(name: string): void {
    if (this.#isDead) throw new Crash(name);
  }
}

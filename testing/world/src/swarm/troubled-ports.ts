// SPDX-License-Identifier: Apache-2.0
/** The calls of one station process: each waits for its turn, and may meet trouble. */
import { Crash, type PortCalls } from '../crash/fault-plan.ts';
import type { Actor } from './scheduler.ts';
import type { Troubles } from './troubles.ts';

export class TroubledCalls implements PortCalls {
  readonly #actor: Actor;
  readonly #troubles: Troubles;
  #isDead = false;

  constructor(actor: Actor, troubles: Troubles) {
    this.#actor = actor;
    this.#troubles = troubles;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Ends the process: no call of it has an effect any more. */
  kill(): void {
    this.#isDead = true;
  }

  async call<T>(name: string, effect: () => Promise<T>, failure: () => T | Promise<T>): Promise<T> {
    await this.#pass(name);
    const isQuestion = name.startsWith('line.');
    if (isQuestion && this.#troubles.strikes('requestLost')) return failure();
    if (name.startsWith('fs.') && this.#troubles.strikes('diskError')) return failure();
    const value = await effect();
    if (isQuestion && this.#troubles.strikes('requestRepeated')) {
      await this.#pass(`${name} again`);
      return effect();
    }
    // Others may do something between the effect and the answer.
    if (isQuestion) await this.#pass(`${name} answered`);
    else this.#requireLife(name);
    if (isQuestion && this.#troubles.strikes('answerLost')) return failure();
    if (this.#troubles.strikes('processCrash')) throw this.#die(name);
    return value;
  }

  async #pass(label: string): Promise<void> {
    this.#requireLife(label);
    await this.#actor.turn(label);
    if (this.#troubles.strikes('processCrash')) throw this.#die(label);
  }

  #die(name: string): Crash {
    this.#isDead = true;
    return new Crash(name);
  }

  #requireLife(name: string): void {
    if (this.#isDead) throw new Crash(name);
  }
}

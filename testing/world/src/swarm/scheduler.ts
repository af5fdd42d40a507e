// SPDX-License-Identifier: Apache-2.0
/**
 * Who goes on next. Everybody in the simulated world is an actor; at each call to the outside it stops and waits for its
 * turn, so exactly one runs at any time and the seed alone decides the order, whatever real disks and threads do meanwhile.
 */
import type { SimClock } from '../sim/sim-clock.ts';
import type { Random } from './random.ts';

/** Virtual time that passes with each turn. */
const MAX_TURN_MS = 20;
/** A world that goes on for so long is stuck. */
const MAX_TURNS = 200_000;

export interface Actor {
  readonly name: string;
  /** Waits until it is this actor's turn. */
  turn(label: string): Promise<void>;
  /** Waits that long, and then for its turn. */
  sleep(milliseconds: number): Promise<void>;
}

interface Waiting {
  readonly name: string;
  readonly label: string;
  readonly dueAt: number;
  readonly resume: () => void;
}

export class Scheduler {
  /** What happened, in order: virtual time, actor, call. */
  readonly trace: string[] = [];
  readonly #clock: SimClock;
  readonly #random: Random;
  #waiting: Waiting[] = [];
  #alive = 0;
  #elapsedMs = 0;
  /** Called when the running actor waits again or has ended. */
  #handBack: () => void = () => undefined;
  #failure: unknown = null;

  constructor(clock: SimClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  note(text: string): void {
    this.trace.push(`${this.#elapsedMs} ${text}`);
  }

  /** Begins an actor's work; it runs when {@link run} is called. */
  spawn(name: string, work: (actor: Actor) => Promise<void>): void {
    const actor: Actor = {
      name,
      turn: (label) => this.#wait(name, label, this.#elapsedMs),
      sleep: (milliseconds) => this.#wait(name, `sleeps ${milliseconds}`, this.#elapsedMs + milliseconds),
    };
    this.#alive += 1;
    const begin = async (): Promise<void> => {
      try {
        await actor.turn('begins');
        await work(actor);
      } catch (error) {
        this.#failure ??= error;
      } finally {
        this.#alive -= 1;
        this.#handBack();
      }
    };
    void begin();
  }

  /** Gives turns until every actor has ended. Rejects with the first error that an actor did not expect. */
  async run(): Promise<void> {
    for (let turns = 0; this.#alive > 0 && this.#failure === null; turns += 1) {
      if (turns === MAX_TURNS) throw new Error('the world does not come to an end');
      const next = this.#choose();
      this.note(`${next.name} ${next.label}`);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#handBack = () => {
        resolve(undefined);
      };
      next.resume();
      await promise;
    }
    if (this.#failure !== null) throw this.#failure as Error;
  }

  #choose(): Waiting {
    const earliest = Math.min(...this.#waiting.map(({ dueAt }) => dueAt));
    this.#pass(Math.max(earliest - this.#elapsedMs, this.#random.between(1, MAX_TURN_MS)));
    const due = this.#waiting.filter(({ dueAt }) => dueAt <= this.#elapsedMs);
    const next = this.#random.pick(due);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    return next;
  }

  #pass(milliseconds: number): void {
    this.#elapsedMs += milliseconds;
    this.#clock.advance(milliseconds);
  }

  #wait(name: string, label: string, dueAt: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#waiting.push({
      name,
      label,
      dueAt,
      resume: () => {
        resolve(undefined);
      },
    });
    this.#handBack();
    return promise;
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What may go wrong in a simulated world. Each seed switches on some kinds; those strike now and then until the troubles
 * end, after which everything has to come right (swarm testing: Groce et al., ISSTA 2012).
 */
import type { Random } from './random.ts';

/** Chance of striking, each time there is an occasion. */
const OCCASIONS = {
  /** The station's process ends, and its disk forgets what was not synced. */
  processCrash: 0.004,
  /** A write or sync fails. */
  diskError: 0.003,
  requestLost: 0.02,
  /** The line did it, and the answer does not arrive. */
  answerLost: 0.02,
  requestRepeated: 0.05,
  /** The line's process ends and begins again. */
  lineCrash: 0.15,
  lineAway: 0.2,
  /** The wire to the device breaks after some bytes. */
  linkDrop: 0.15,
  /** The device alone loses power while it is written. */
  devicePowerCut: 0.1,
  /** A board that is defective from the beginning. */
  defect: 0.4,
  clockBack: 0.1,
  clockForward: 0.1,
  labelSwapped: 0.15,
  /** A unit that is done is presented again. */
  unitAgain: 0.15,
  /** The same device in the fixtures of both stations. */
  deviceShared: 0.2,
  cacheTampered: 0.15,
  /** The station goes on from an older copy of its disk. */
  diskRestored: 0.1,
  newRelease: 0.3,
  releaseWithdrawn: 0.1,
  /** Statements from somebody who holds no key. */
  forgery: 0.3,
  /** Somebody signs in where another person is, or while they are elsewhere. */
  badgeMixUp: 0.4,
  /** The operator walks off without signing out. */
  signOutForgotten: 0.5,
} as const;

export type Trouble = keyof typeof OCCASIONS;
export const TROUBLES = Object.keys(OCCASIONS) as readonly Trouble[];

/** Of all kinds, how many a seed switches on. */
const SHARE = 0.25;

export class Troubles {
  readonly kinds: ReadonlySet<Trouble>;
  readonly counts = new Map<Trouble, number>();
  readonly #random: Random;
  #isOver = false;

  constructor(random: Random, kinds?: readonly Trouble[]) {
    this.#random = random;
    this.kinds = new Set(kinds ?? TROUBLES.filter(() => random.chance(SHARE)));
  }

  /** Whether it strikes now. */
  strikes(trouble: Trouble): boolean {
    if (this.#isOver || !this.kinds.has(trouble) || !this.#random.chance(OCCASIONS[trouble])) return false;
    this.counts.set(trouble, (this.counts.get(trouble) ?? 0) + 1);
    return true;
  }

  end(): void {
    this.#isOver = true;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Choices that follow from a seed alone. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  /** True in that share of cases; the share has a resolution of one in a million. */
  chance(share: number): boolean {
    return this.between(1, 1_000_000) <= share * 1_000_000;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new TypeError('there is nothing to choose from');
    return item;
  }
}

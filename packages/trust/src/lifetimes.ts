// SPDX-License-Identifier: Apache-2.0
const DAY_MS = 24 * 60 * 60 * 1000;

/** How long newly signed metadata is good for, in milliseconds. The timestamp's decides how long a stick stays fresh. */
export interface Lifetimes {
  readonly root: number;
  readonly targets: number;
  readonly effectivity: number;
  readonly snapshot: number;
  readonly timestamp: number;
}

export const DEFAULT_LIFETIMES: Lifetimes = {
  root: 730 * DAY_MS,
  targets: 365 * DAY_MS,
  effectivity: 90 * DAY_MS,
  snapshot: 30 * DAY_MS,
  timestamp: 7 * DAY_MS,
};

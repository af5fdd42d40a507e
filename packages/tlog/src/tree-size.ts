// SPDX-License-Identifier: Apache-2.0
/** Sizes and indexes are whole numbers up to 2^53 − 1: a log of a million entries a second gets there in 285 years. */

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function assertTreeSize(value: number): void {
  if (!isTreeSize(value)) throw new TypeError('a tree size is a whole number');
}

/** Reads ASCII decimal without leading zeros; undefined for any other text and above 2^53 − 1. */
export function parseDecimal(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

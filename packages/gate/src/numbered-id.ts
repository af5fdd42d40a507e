// SPDX-License-Identifier: Apache-2.0
/** Ids that people say aloud: a letter for the kind, a dash, and a number that counts up, as in `P-0007`. */

const PREFIX_LENGTH = 'P-'.length;
const MIN_DIGITS = 4;

/** Oldest first. */
export function sortNumbered(ids: readonly string[]): readonly string[] {
  return [...ids].sort((left, right) => toNumber(left) - toNumber(right));
}

/** The id after the newest of `ids`, which are in order; the first one when there is none. */
export function nextNumbered(letter: string, ids: readonly string[]): string {
  const last = ids.at(-1);
  return `${letter}-${String((last === undefined ? 0 : toNumber(last)) + 1).padStart(MIN_DIGITS, '0')}`;
}

function toNumber(id: string): number {
  return Number(id.slice(PREFIX_LENGTH));
}

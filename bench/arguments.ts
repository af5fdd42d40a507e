// SPDX-License-Identifier: Apache-2.0
/** What the benches are called with: a number of their own, and `--write`. */

/** Whether the figures are to be kept in `docs/`. */
export const WRITES_DOCS = process.argv.includes('--write');

export function numberArgument(fallback: number): number {
  const given = process.argv.slice(2).find((argument) => /^\d+$/.test(argument));
  return given === undefined ? fallback : Number(given);
}

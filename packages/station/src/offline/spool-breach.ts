// SPDX-License-Identifier: Apache-2.0
/** What does not add up about a spool. Damage is no error but a breach, which people and the line have to hear of. */
import { SPOOL_START, type SpoolDamage, type SpoolEnd, type SpoolRecord } from './spool-format.ts';

/** As a refusal says it. */
export interface SpoolBreach {
  readonly code: 'LS-312' | 'LS-313';
  readonly expected: string;
  readonly observed: string;
}

export function missing(first: number, last: number, observed: string): SpoolBreach {
  const range = first >= last ? `record ${last}` : `records ${first} to ${last}`;
  return { code: 'LS-312', expected: `${range} of the spool`, observed };
}

/** A record that is there, and is not the one that was. */
export function replaced(expected: string, observed: string): SpoolBreach {
  return { code: 'LS-313', expected, observed };
}

/** What can be read no further, of a spool that had come as far as `head`. */
export function damaged({ damage, until }: SpoolDamage, head: SpoolEnd | null): SpoolBreach {
  const { seq } = head ?? SPOOL_START;
  const range = seq > until.seq ? `records ${until.seq + 1} to ${seq}` : `what follows record ${until.seq}`;
  return replaced(`${range} of the spool as written`, damage);
}

/**
 * Compares the statements that wait with how far the spool had come; null when they fit. They are written before the head:
 * more of them are a crash, fewer are missing.
 */
export function compareWithHead(
  base: SpoolEnd,
  records: readonly SpoolRecord[],
  head: SpoolEnd | null,
): SpoolBreach | null {
  const { seq } = records.at(-1) ?? base;
  if (head === null) return seq > 0 ? missing(1, seq, 'nothing that says how far the spool has come') : null;
  if (seq < head.seq) return missing(seq + 1, head.seq, `a spool that ends at ${seq}`);
  const known = [base, ...records].find((place) => place.seq === head.seq);
  const isKnown = known === undefined ? head.seq < base.seq : known.digest === head.digest;
  return isKnown ? null : replaced(`record ${head.seq} as it was written`, 'another one under that number');
}

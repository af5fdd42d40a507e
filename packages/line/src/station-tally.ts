// SPDX-License-Identifier: Apache-2.0
/** What each place of a station did lately, counted from the records: first attempts apart from repeated ones. */
import type { SlotTally } from '@witnessmark/api';
import type { TallyRow } from '@witnessmark/store';

type Counts = { -readonly [Name in keyof SlotTally]: SlotTally[Name] };

/** By slot, the place without a number first; pure. */
export function toSlotTallies(rows: readonly TallyRow[]): readonly SlotTally[] {
  const bySlot = Map.groupBy(rows, ({ slot }) => slot);
  return [...bySlot]
    .sort(([left], [right]) => (left ?? 0) - (right ?? 0))
    .map(([slot, own]) => own.reduce(addRow, { ...NONE, slot, failures: [] }));
}

const NONE = { begun: 0, retests: 0, passed: 0, failed: 0, held: 0, aborted: 0, refused: 0 };

function addRow(tally: Counts, { kind, outcome, code, retest, count }: TallyRow): Counts {
  if (kind === 'intent') {
    tally.begun += count;
    if (retest) tally.retests += count;
    return tally;
  }
  if (kind === 'refusal') tally.refused += count;
  else if (outcome === 'SUCCEEDED') tally.passed += count;
  else if (outcome === 'FAILED') tally.failed += count;
  else if (outcome === 'INDETERMINATE') tally.held += count;
  else tally.aborted += count;
  if (code !== null) addFailure(tally, code, count);
  return tally;
}

function addFailure(tally: Counts, code: string, count: number): void {
  const before = tally.failures.find((failure) => failure.code === code)?.count ?? 0;
  const others = tally.failures.filter((failure) => failure.code !== code);
  tally.failures = [...others, { code, count: before + count }].sort((left, right) =>
    left.code < right.code ? -1 : 1,
  );
}

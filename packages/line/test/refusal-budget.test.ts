// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { RefusalBudget } from '../src/refusal-budget.ts';

describe('A65 the budget of refusals', () => {
  it('lets so many a minute through and counts the rest by code', () => {
    const budget = new RefusalBudget(2);
    expect([0, 1, 2].map((at) => budget.take('S', 'LS-501', at))).toEqual([true, true, false]);
    expect(budget.take('S', 'LS-502', 59_999)).toBe(false);
    expect(budget.collect(59_999)).toEqual([]);
    const [sum] = budget.collect(60_000);
    expect(sum).toMatchObject({ source: 'S', from: 0, until: 59_999 });
    expect([...sum!.counts]).toEqual([
      ['LS-501', 1],
      ['LS-502', 1],
    ]);
    expect(budget.collect(60_000)).toEqual([]);
    expect(budget.take('S', 'LS-501', 60_000)).toBe(true);
  });

  it('measures each source by itself', () => {
    const budget = new RefusalBudget(1);
    expect(['A', 'B', 'A'].map((source) => budget.take(source, 'LS-501', 0))).toEqual([true, true, false]);
  });

  it('begins anew after a quiet minute, and never loses a sum that was not collected', () => {
    const budget = new RefusalBudget(1);
    expect(budget.take('S', 'LS-501', 0)).toBe(true);
    expect(budget.take('S', 'LS-501', 60_000)).toBe(true);
    expect(budget.take('S', 'LS-501', 60_001)).toBe(false);
    expect(budget.take('S', 'LS-501', 180_000)).toBe(false);
    expect(budget.collect(180_000)[0]?.counts.get('LS-501')).toBe(2);
  });

  it('gives up every sum when everything is asked for', () => {
    const budget = new RefusalBudget(1);
    budget.take('S', 'LS-501', 0);
    budget.take('S', 'LS-501', 1);
    expect(budget.collect(1, true)).toHaveLength(1);
  });
});

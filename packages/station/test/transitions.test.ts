// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, IDLE, MOVES, type FlowState, type Move, type Recipe } from '../src/transitions.ts';

const LOCKING: Recipe = ['program', 'measure', 'lock'];
const PLAIN: Recipe = ['program', 'measure'];
const KEYED: Recipe = ['program', 'measure', 'key', 'lock'];
const OUTCOMES = ['SUCCEEDED', 'FAILED', 'ABORTED', 'INDETERMINATE'] as const;

function walk(recipe: Recipe, moves: readonly Move[]): FlowState {
  return moves.reduce((state, move) => advance(state, move, recipe, move === 'sign' ? 'SUCCEEDED' : undefined), IDLE);
}

describe('the allowed moves', () => {
  it.each([
    [PLAIN, ['bind', 'intend', 'program', 'measure', 'sign', 'record', 'pass']],
    [LOCKING, ['bind', 'intend', 'program', 'measure', 'lock', 'sign', 'record', 'pass']],
    [KEYED, ['bind', 'intend', 'program', 'measure', 'key', 'lock', 'sign', 'record', 'pass']],
    [LOCKING, ['interrupt', 'resume', 'measure', 'lock', 'sign', 'record', 'pass']],
  ] as const)('%j passes by %j', (recipe, moves) => {
    expect(walk(recipe, moves)).toEqual({ phase: 'passed', outcome: 'SUCCEEDED' });
  });

  it.each([
    ['the intent', LOCKING, ['bind', 'program']],
    ['the measurement', LOCKING, ['bind', 'intend', 'program', 'lock']],
    ['the lock', LOCKING, ['bind', 'intend', 'program', 'measure', 'sign']],
    ['the key', KEYED, ['bind', 'intend', 'program', 'measure', 'lock']],
    ['the receipt', PLAIN, ['bind', 'intend', 'program', 'measure', 'sign', 'pass']],
    ['a step the recipe does not have', PLAIN, ['bind', 'intend', 'program', 'measure', 'lock']],
    ['programming again after an interruption', PLAIN, ['bind', 'intend', 'program', 'interrupt', 'program']],
  ] as const)('%s cannot be left out or added', (_, recipe, moves) => {
    walk(recipe, moves.slice(0, -1));
    expect(() => walk(recipe, moves)).toThrow(TypeError);
  });

  it('passes nothing that was not programmed, measured and locked as the recipe says, whatever the order of moves', () => {
    const step = fc.record({ move: fc.constantFrom(...MOVES), outcome: fc.constantFrom(...OUTCOMES) });
    fc.assert(
      fc.property(fc.constantFrom(PLAIN, LOCKING, KEYED), fc.array(step, { maxLength: 60 }), (recipe, steps) => {
        let state = IDLE;
        let done: Move[] = [];
        for (const { move, outcome } of steps) {
          try {
            state = advance(state, move, recipe, move === 'sign' ? outcome : undefined);
          } catch {
            continue;
          }
          // What was proven before an interruption has to be proven again.
          done = move === 'interrupt' ? [] : [...done, move];
        }
        if (state.phase !== 'passed') return;
        expect(state.outcome).toBe('SUCCEEDED');
        expect(done.filter((move) => move !== 'bind' && move !== 'intend' && move !== 'resume')).toEqual([
          ...recipe.filter((name) => done.includes(name)),
          'sign',
          'record',
          'pass',
        ]);
        expect(done).toEqual(expect.arrayContaining(recipe.filter((name) => name !== 'program')));
        expect(done.includes('program') || done.includes('resume')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

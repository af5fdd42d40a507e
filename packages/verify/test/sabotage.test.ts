// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Check } from '../src/check.ts';
import { CHECKS } from '../src/checks/index.ts';
import { Examiner } from '../src/examiner.ts';
import type { VerificationReport } from '../src/index.ts';
import { VECTORS, type Vector } from './vectors.ts';

/** One examiner for each pair of trusted root and policy. */
function makeExaminer(checks: readonly Check[]): (vector: Vector) => VerificationReport {
  const examiners = new Map<string, Examiner>();
  return ({ evidence, trust, time, expected }) => {
    const examiner = examiners.get(expected.policy) ?? new Examiner(trust, checks);
    examiners.set(expected.policy, examiner);
    return examiner.examine(evidence, time, expected.file);
  };
}

const judgeable = VECTORS.filter(({ expected }) => expected.code !== 'EV-205');
const examineWhole = makeExaminer(CHECKS);
const whole = judgeable.map((vector) => ({ vector, report: examineWhole(vector) }));

function isRight({ expected }: Vector, { verdict, code }: VerificationReport): boolean {
  return verdict === expected.verdict && code === expected.code;
}

describe('sabotage: a check that can be removed unnoticed does not exist', () => {
  it('no vector is wrong with every check in place', () => {
    expect(whole.filter(({ vector, report }) => !isRight(vector, report))).toEqual([]);
  });

  it.each(CHECKS.map(({ name }) => name))('without "%s" a vector is wrong', (name) => {
    const examine = makeExaminer(CHECKS.filter((check) => check.name !== name));
    // Only where the check did not pass can its absence be seen.
    const told = whole.filter(({ report }) =>
      report.checks.some((check) => check.name === name && check.code !== undefined),
    );
    expect(told.some(({ vector }) => !isRight(vector, examine(vector)))).toBe(true);
  });

  it('checks have names of their own and build only on checks before them', () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
    for (const [index, { after }] of CHECKS.entries()) {
      const before = CHECKS.slice(0, index).map(({ name }) => name);
      expect(after.filter((name) => !before.includes(name))).toEqual([]);
    }
  });
});

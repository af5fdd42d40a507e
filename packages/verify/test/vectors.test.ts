// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '@witnessmark/core';
import { inspectBundle, Verifier, verifyBundle, VerifyError, type VerificationReport } from '@witnessmark/verify';
import { findVector, VECTORS, type Vector } from './vectors.ts';

function inspect({ evidence, trust, time, expected }: Vector): VerificationReport {
  return inspectBundle({ evidence, ...trust, time, fileName: expected.file });
}

describe('vectors/evidence', () => {
  it.each(VECTORS.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const report = inspect(vector);
    expect({ verdict: report.verdict, code: report.code }).toEqual({
      verdict: vector.expected.verdict,
      code: vector.expected.code,
    });
  });

  it.each(VECTORS.map((vector) => [vector.name, vector] as const))(
    '%s: verifyBundle says the same',
    (_name, vector) => {
      const { evidence, trust, time, expected } = vector;
      const input = { evidence, ...trust, time, fileName: expected.file };
      if (expected.verdict === 'VERIFIED') {
        expect(verifyBundle(input)).toEqual(inspectBundle(input));
        return;
      }
      let error: unknown;
      try {
        verifyBundle(input);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(VerifyError);
      expect(error).toMatchObject({ code: expected.code, verdict: expected.verdict });
    },
  );

  it('reach every evidence code that a report can carry', () => {
    // EV-208 is about a file that whoever calls the verifier could not open.
    const reached = new Set<string | null>(['EV-208', ...VECTORS.map(({ expected }) => expected.code)]);
    const codes = Object.keys(REASON_CODES).filter((code) => code.startsWith('EV-'));
    expect(codes.filter((code) => !reached.has(code))).toEqual([]);
  });

  it('I19: the same bytes, trust, policy and time give the same report, twice', () => {
    for (const vector of VECTORS) expect(inspect(vector)).toEqual(inspect(vector));
  });

  it('I11: a verifier that has seen every other file says the same as one that has seen none', () => {
    const shared = new Map<string, Verifier>();
    for (const vector of [...VECTORS, ...VECTORS.toReversed()]) {
      if (vector.expected.code === 'EV-205') continue;
      const verifier = shared.get(vector.expected.policy) ?? new Verifier(vector.trust);
      shared.set(vector.expected.policy, verifier);
      expect(verifier.inspect(vector.evidence, vector.time, vector.expected.file)).toEqual(inspect(vector));
    }
  });

  it('every check that does not pass has a code, says why it matters and what to do next', () => {
    for (const vector of VECTORS) {
      const report = inspect(vector);
      for (const check of report.checks) {
        const isNo = check.outcome === 'fail' || check.outcome === 'unknown';
        expect([check.code, check.whyItMatters, check.next].map((value) => value !== undefined)).toEqual(
          Array(3).fill(isNo),
        );
        expect(check.detail).not.toBe('');
      }
    }
  });

  it('shows the grade of what was observed', () => {
    const grades = (name: string) =>
      inspect(findVector(name)).checks.flatMap(({ grade }) => (grade === undefined ? [] : [grade]));
    expect(grades('one-pass')).toEqual(['readBack', 'readBack']);
    expect(grades('trial')).toEqual(['commanded', 'commanded']);
  });
});

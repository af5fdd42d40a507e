// SPDX-License-Identifier: Apache-2.0
import { CoreError, REASON_CODES, RefusedError, type ReasonCode } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE } from '../src/error-catalogue.ts';
import { describeError, formatErrorReport } from '../src/error-report.ts';
import { EXIT, exitCodeOf, exitCodeOfError, exitCodeOfReason, worstOf } from '../src/exit-codes.ts';

describe('exit codes', () => {
  it('E-01: no reason code and no error code is a yes or a defect', () => {
    for (const code of Object.keys(REASON_CODES)) expect([EXIT.yes, EXIT.bug]).not.toContain(exitCodeOfReason(code));
    for (const code of Object.keys(ERROR_CATALOGUE)) expect([EXIT.yes, EXIT.bug]).not.toContain(exitCodeOfError(code));
  });

  it.each([
    ['LS-101', 4],
    ['PL-101', 4],
    ['TR-101', 4],
    ['LG-102', 1],
    ['LG-107', 4],
    ['CU-102', 6],
    ['CU-121', 4],
    ['UF-01', 6],
    ['UF-03', 1],
    ['UF-06', 3],
    ['HD-01', 6],
    ['HD-02', 5],
    ['EV-102', 1],
    ['EV-201', 3],
    ['EV-301', 1],
  ] as const)('%s ends with %i', (code: ReasonCode, exit) => {
    expect(exitCodeOf(new RefusedError(code, 'no'))).toBe(exit);
  });

  it('takes errors nobody foresaw for defects', () => {
    expect(exitCodeOf(new TypeError('undefined is not a function'))).toBe(70);
    expect(exitCodeOf('text')).toBe(70);
    expect(exitCodeOf(Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBe(70);
  });

  it('tells a wrong path from a failing disk', () => {
    const errno = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open', path: '/x' });
    expect(exitCodeOf(errno('ENOENT'))).toBe(2);
    expect(exitCodeOf(errno('ENOSPC'))).toBe(6);
    expect(exitCodeOf(errno('ECONNREFUSED'))).toBe(6);
  });

  it('lets the worst of several results win', () => {
    expect(worstOf([])).toBe(0);
    expect(worstOf([0, 3, 1, 0])).toBe(1);
    expect(worstOf([0, 3, 0])).toBe(3);
    expect(worstOf([5, 6, 4])).toBe(4);
    expect(worstOf([1, 70])).toBe(70);
  });
});

describe('the error report', () => {
  it('says what, why it matters and what next, with the code', () => {
    const text = formatErrorReport(describeError(new RefusedError('LS-301', 'the clock is 600 s behind')));
    expect(text.split('\n')).toEqual([
      'witnessmark: error: the clock is 600 s behind [LS-301]',
      expect.stringMatching(/^ {2}why it matters: \S/),
      expect.stringMatching(/^ {2}next: \S/),
    ]);
  });

  it('gives the same defect the same report id and shows no stack', () => {
    const defect = (): Error => new RangeError(`secret ${String(Math.random())}`);
    const [first, second] = [defect(), defect()].map((error) => describeError(error));
    expect(first?.reportId).toMatch(/^[0-9a-f]{12}$/);
    expect(first?.reportId).toBe(second?.reportId);
    expect(formatErrorReport(describeError(defect()))).not.toContain('secret');
  });

  it('explains ERR_ codes from the catalogue', () => {
    expect(describeError(new CoreError('ERR_JSON_SYNTAX', 'a value is missing'))).toMatchObject({
      exit: 2,
      code: 'ERR_JSON_SYNTAX',
      whyItMatters: ERROR_CATALOGUE.ERR_JSON_SYNTAX.meaning,
    });
  });
});

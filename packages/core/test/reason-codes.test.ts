// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { describeReasonCode, isReasonCode, REASON_CODES, type ReasonCode } from '@witnessmark/core';

const MAX_OPERATOR_WORDS = 8;
const codes = Object.keys(REASON_CODES) as ReasonCode[];

describe('the catalogue of reason codes', () => {
  it.each(codes)('%s reads on a screen from two metres', (code) => {
    const { operatorText } = describeReasonCode(code);
    expect(operatorText.split(/\s+/).length).toBeLessThanOrEqual(MAX_OPERATOR_WORDS);
    expect(operatorText).toMatch(/^[A-Z][^.!?]*[^.!?\s]$/);
  });

  it.each(codes)('%s says why, what next and who may lift it', (code) => {
    const { cause, nextStep, overrideBy } = describeReasonCode(code);
    expect(cause).toMatch(/^[A-Z].*\.$/);
    expect(nextStep).toMatch(/^[A-Z].*\.$/);
    expect(overrideBy).toMatch(/^[a-zQ].*[^.]$/);
  });

  it('uses prefixes people can look up, each code once', () => {
    for (const code of codes)
      expect(code).toMatch(/^(?:LS|LB|PL|TR|EV|LG|CU|CE|BX|BG|ID)-[1-9][0-9]{2}$|^(?:UF|HD)-[0-9]{2}$/);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('gives no two codes of one kind the same words', () => {
    const texts = codes.map((code) => `${code.slice(0, 2)} ${describeReasonCode(code).operatorText}`);
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
  });

  it('knows its own codes only', () => {
    expect(isReasonCode('LS-101')).toBe(true);
    for (const text of ['', 'LS-999', 'ls-101', 'LS-101 ', 'toString', '__proto__'])
      expect(isReasonCode(text)).toBe(false);
  });
});

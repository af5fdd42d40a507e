// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, parseInstant } from '@witnessmark/core';
import { expectCode } from './expect-code.ts';

const MIN = Date.parse('0000-01-01T00:00:00.000Z');
const MAX = Date.parse('9999-12-31T23:59:59.999Z');

describe('instants', () => {
  it('round-trip from year 0000 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: MIN, max: MAX }), (instant) => parseInstant(formatInstant(instant)) === instant),
    );
    for (const instant of [MIN, -1, 0, MAX]) expect(parseInstant(formatInstant(instant))).toBe(instant);
  });

  it.each([
    ['2026-02-28T23:59:59Z', Date.UTC(2026, 1, 28, 23, 59, 59)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2026-01-01T00:00:00.1Z', Date.UTC(2026, 0, 1) + 100],
    ['2026-01-01T00:00:00.12Z', Date.UTC(2026, 0, 1) + 120],
    ['2026-01-01T00:00:00.123Z', Date.UTC(2026, 0, 1) + 123],
  ])('reads %s', (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  it('read every day as Date does, and none that there is not', () => {
    const two = (value: number): string => String(value).padStart(2, '0');
    for (const year of [
      '0000',
      '0004',
      '0099',
      '0100',
      '1600',
      '1900',
      '1970',
      '2000',
      '2023',
      '2024',
      '2100',
      '9999',
    ]) {
      for (let month = 0; month <= 13; month += 1) {
        for (let day = 0; day <= 32; day += 1) {
          const text = `${year}-${two(month)}-${two(day)}T12:34:56Z`;
          const date = new Date(text);
          const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10));
          if (exists) expect(parseInstant(text)).toBe(date.getTime());
          else expectCode('ERR_TIME_FORMAT', () => parseInstant(text));
        }
      }
    }
  });

  it.each([
    '',
    '2026-01-01',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01t00:00:00z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.1234Z',
    '2026-01-01T00:00:00.Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2016-12-31T23:59:60Z',
    '+002026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    ' 2026-01-01T00:00:00Z',
  ])('refuses %j', (text) => {
    expectCode('ERR_TIME_FORMAT', () => parseInstant(text));
  });

  it.each([NaN, Infinity, 0.5, MIN - 1, MAX + 1])('does not write %d', (instant) => {
    expect(() => formatInstant(instant)).toThrow(TypeError);
  });
});

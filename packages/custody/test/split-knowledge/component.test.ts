// SPDX-License-Identifier: Apache-2.0
import { parseCheckValue, parseComponent } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';

const DIGITS = '0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0';

describe('a component as it is typed', () => {
  it.each([
    ['in one piece', DIGITS],
    ['in groups', DIGITS.match(/.{4}/g)!.join(' ')],
    ['in capitals, with dashes', DIGITS.toUpperCase().match(/.{8}/g)!.join('-')],
  ])('is read %s', (_how, typed) => {
    expect(parseComponent(typed, 'component 1').toString('hex')).toBe(DIGITS);
  });

  it.each([
    ['a digit short', DIGITS.slice(1)],
    ['a digit long', `${DIGITS}0`],
    ['with a letter that is no digit', `g${DIGITS.slice(1)}`],
    ['with two hundred and one characters', `${DIGITS}${' '.repeat(137)}`],
    ['of one byte', 'ab'.repeat(32)],
    ['of nothing', ''],
  ])('is refused %s, and I16: the refusal shows none of it', (_why, typed) => {
    const refused = (): Buffer => parseComponent(typed, 'component 2');
    expect(refused).toThrow(expect.objectContaining({ code: 'CE-221' }));
    expect(refused).toThrow(/^component 2 is (?:not 64 hexadecimal digits|one byte repeated, which is no secret)$/);
  });

  it('has a check value of six digits', () => {
    expect(parseCheckValue('0A 1b:2C', 'component 1')).toBe('0a1b2c');
    for (const text of ['0a1b2', '0a1b2c3', 'xyz123', '']) {
      expect(() => parseCheckValue(text, 'component 1')).toThrow(expect.objectContaining({ code: 'CE-221' }));
    }
  });
});

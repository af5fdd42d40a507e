// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CoreError, hasCode, RefusedError, WitnessmarkError } from '@witnessmark/core';

describe('errors', () => {
  it('carry name, code, message and cause', () => {
    const cause = new Error('below');
    const error = new CoreError('ERR_CORE_HEX', 'expected hexadecimal', { cause });
    expect(error).toBeInstanceOf(WitnessmarkError);
    expect(error).toMatchObject({ name: 'CoreError', code: 'ERR_CORE_HEX', message: 'expected hexadecimal', cause });
    expect(Object.hasOwn(new CoreError('ERR_CORE_HEX', 'x'), 'cause')).toBe(false);
  });

  it('are told apart by code', () => {
    const refused = new RefusedError('LS-101', 'label A, device B');
    expect(hasCode(refused, 'LS-101')).toBe(true);
    expect(hasCode(refused, 'LS-102')).toBe(false);
    expect(hasCode({ code: 'LS-101' }, 'LS-101')).toBe(false);
    expect(hasCode(undefined, 'LS-101')).toBe(false);
  });
});

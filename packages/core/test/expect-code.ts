// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';
import { expect } from 'vitest';

/** Asserts that `act` throws one of our errors with this code. */
export function expectCode(code: string, act: () => unknown): void {
  expect(codeOf(act)).toBe(code);
}

/** The code `act` throws, or undefined when it returns. Anything but our errors is rethrown. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof WitnessmarkError) return error.code;
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A key component as a custodian types it: 64 hexadecimal digits of an AES-256 key component, in any grouping, and its
 * check value. What is typed is a secret until it is in the token; errors name the custodian's part, never a digit of it.
 */
import { RefusedError } from '@witnessmark/core';

export const COMPONENT_BYTES = 32;
/** Of the AES-CMAC over one block of zeros (ANSI X9.24-1:2017); six hexadecimal digits, as printed on component forms. */
export const CHECK_VALUE_BYTES = 3;

const CHECK_VALUE = /^[0-9a-f]{6}$/;
const MAX_TYPED = 200;
const SEPARATORS = /[\s:-]/g;

/** The caller overwrites what it gets. Throws CE-221. `what` names the component for people. */
export function parseComponent(typed: string, what: string): Buffer {
  const digits = typed.length > MAX_TYPED ? '' : typed.replace(SEPARATORS, '');
  if (digits.length !== 2 * COMPONENT_BYTES || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new RefusedError('CE-221', `${what} is not ${2 * COMPONENT_BYTES} hexadecimal digits`);
  }
  const component = Buffer.from(digits, 'hex');
  if (component.every((byte) => byte === component[0])) {
    throw new RefusedError('CE-221', `${what} is one byte repeated, which is no secret`);
  }
  return component;
}

/** Lower-case. Throws CE-221 for what is not six hexadecimal digits. */
export function parseCheckValue(text: string, what: string): string {
  const value = text.replace(SEPARATORS, '').toLowerCase();
  if (!CHECK_VALUE.test(value))
    throw new RefusedError('CE-221', `the check value of ${what} is not six hexadecimal digits`);
  return value;
}

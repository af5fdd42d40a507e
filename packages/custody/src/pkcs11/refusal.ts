// SPDX-License-Identifier: Apache-2.0
/** The one place that turns CKR_ values into reason codes. Messages name token and key, never a PIN or a template. */
import { RefusedError, type ReasonCode } from '@witnessmark/core';
import * as ckr from './cryptoki.ts';

const CODES: ReadonlyMap<number, ReasonCode> = new Map([
  [ckr.CKR_TOKEN_NOT_PRESENT, 'CU-103'],
  [ckr.CKR_TOKEN_NOT_RECOGNIZED, 'CU-103'],
  [ckr.CKR_DEVICE_REMOVED, 'CU-103'],
  [ckr.CKR_SESSION_CLOSED, 'CU-103'],
  [ckr.CKR_SESSION_HANDLE_INVALID, 'CU-103'],
  [ckr.CKR_PIN_INCORRECT, 'CU-105'],
  [ckr.CKR_PIN_INVALID, 'CU-105'],
  [ckr.CKR_PIN_LEN_RANGE, 'CU-105'],
  [ckr.CKR_PIN_LOCKED, 'CU-106'],
  [ckr.CKR_SESSION_COUNT, 'CU-107'],
  [ckr.CKR_KEY_HANDLE_INVALID, 'CU-108'],
  [ckr.CKR_OBJECT_HANDLE_INVALID, 'CU-108'],
  [ckr.CKR_MECHANISM_INVALID, 'CU-113'],
  [ckr.CKR_KEY_FUNCTION_NOT_PERMITTED, 'CU-113'],
  [ckr.CKR_USER_NOT_LOGGED_IN, 'CU-114'],
]);

/** The CKR_ value of an error of the binding, or null for any other error. */
export function returnValueOf(error: unknown): number | null {
  if (!(error instanceof Error) || !error.message.startsWith('CKR_')) return null;
  const inMessage = /^CKR_[A-Z0-9_]+:(\d+)/.exec(error.message)?.[1];
  if (inMessage !== undefined) return Number(inMessage);
  return 'code' in error && typeof error.code === 'number' ? error.code : null;
}

/** A refusal for an error of the binding; what is not a CKR_ value is a fault of the module, too. */
export function toRefusal(error: unknown, doing: string): RefusedError {
  if (error instanceof RefusedError) return error;
  const value = returnValueOf(error);
  const code = value === null ? 'CU-111' : (CODES.get(value) ?? 'CU-111');
  return new RefusedError(code, `${doing}: ${describe(error, value)}`, { cause: error });
}

function describe(error: unknown, value: number | null): string {
  if (value === null) return 'the PKCS#11 module failed';
  const name = /^(CKR_[A-Z0-9_]+)/.exec((error as Error).message)?.[1] ?? 'CKR';
  return `the token answered ${name} (0x${value.toString(16)})`;
}

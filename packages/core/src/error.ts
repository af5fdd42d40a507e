// SPDX-License-Identifier: Apache-2.0
/** The error base. Codes are the contract; messages are for people and never hold secrets or whole inputs. */

import type { ReasonCode } from './reason-codes/index.ts';

export interface ErrorDetails {
  readonly cause?: unknown;
}

/** Base of every error a Witnessmark package throws on purpose; each package narrows `Code` to its own literal union. */
export class WitnessmarkError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * A "no" with its reason code: the rules were applied and the answer is negative. `message` says what was expected and
 * what was found; cause and next step come from the catalogue.
 */
export class RefusedError extends WitnessmarkError<ReasonCode> {}

export type CoreErrorCode =
  | 'ERR_CORE_UTF8'
  | 'ERR_CORE_HEX'
  | 'ERR_CORE_BASE64'
  | 'ERR_CORE_WORDS'
  | 'ERR_JSON_TOO_LARGE'
  | 'ERR_JSON_TOO_DEEP'
  | 'ERR_JSON_TOO_MANY_VALUES'
  | 'ERR_JSON_SYNTAX'
  | 'ERR_JSON_DUPLICATE_KEY'
  | 'ERR_JSON_FORBIDDEN_KEY'
  | 'ERR_JSON_NUMBER'
  | 'ERR_JSON_SURROGATE'
  | 'ERR_KEY_ENCODING'
  | 'ERR_KEY_NOT_ON_CURVE'
  | 'ERR_KEY_LOW_ORDER'
  | 'ERR_DSSE_TOO_LARGE'
  | 'ERR_DSSE_FORMAT'
  | 'ERR_DSSE_PAYLOAD_TYPE'
  | 'ERR_DSSE_THRESHOLD'
  | 'ERR_NOTE_TOO_LARGE'
  | 'ERR_NOTE_FORMAT'
  | 'ERR_NOTE_SIGNATURE'
  | 'ERR_NOTE_UNVERIFIED'
  | 'ERR_NOTE_VERIFIER_KEY'
  | 'ERR_TIME_FORMAT';

export class CoreError extends WitnessmarkError<CoreErrorCode> {}

/** Whether `error` is one of ours and carries `code`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof WitnessmarkError && error.code === code;
}

// SPDX-License-Identifier: Apache-2.0
import { RefusedError, WitnessmarkError, type ReasonCode } from '@witnessmark/core';
import type { LoggedEntry } from './line-service.ts';

/**
 * `ERR_API_UNREACHABLE`: no answer, so the outcome is unknown; ask again with the same id.
 * `ERR_API_PROTOCOL`: the two ends do not speak the same API; asking again will not help.
 */
export type ApiErrorCode = 'ERR_API_UNREACHABLE' | 'ERR_API_PROTOCOL';

export class ApiError extends WitnessmarkError<ApiErrorCode> {}

/** A "no" of the line, with the logged refusal when the line could log one: evidence a station may keep. */
export class LineRefusedError extends RefusedError {
  readonly refusal: LoggedEntry | null;

  constructor(code: ReasonCode, message: string, refusal: LoggedEntry | null) {
    super(code, message);
    this.refusal = refusal;
  }
}

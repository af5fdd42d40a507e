// SPDX-License-Identifier: Apache-2.0
import { RefusedError, WitnessmarkError, type ReasonCode } from '@witnessmark/core';

export type LineErrorCode = 'ERR_LINE_CONFIG' | 'ERR_LINE_CLOSED' | 'ERR_LINE_BADGES';

export class LineError extends WitnessmarkError<LineErrorCode> {}

/** A "no" in the two halves a refusal statement records. */
export class LineRefusal extends RefusedError {
  readonly expected: string;
  readonly observed: string;

  constructor(code: ReasonCode, expected: string, observed: string, cause?: unknown) {
    super(code, `expected ${expected}; found ${observed}`, { cause });
    this.expected = expected;
    this.observed = observed;
  }
}

/** For conditions that read as a sentence: throws when `holds` is false. */
export function ensure(holds: boolean, code: ReasonCode, expected: string, observed: string): asserts holds {
  if (!holds) throw new LineRefusal(code, expected, observed);
}

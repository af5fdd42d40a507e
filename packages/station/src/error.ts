// SPDX-License-Identifier: Apache-2.0
import { RefusedError, WitnessmarkError, type ReasonCode } from '@witnessmark/core';

/**
 * `ERR_STATION_JOURNAL_DAMAGED`: a journal or state file holds bytes this station did not leave there.
 * `ERR_STATION_JOURNAL_FULL`: too much waits to be recorded.
 * `ERR_STATION_STORAGE`: a write or sync failed; this process may not go on, the next one reads everything again.
 * `ERR_STATION_DEVICE_UNKNOWN`: the device gave no answer; it may or may not have changed and has to be read back.
 * `ERR_STATION_SLOT_OPEN`: a slot that is not configured any more holds units that are not finished.
 * `ERR_STATION_LOCKED`: another process works on this station's directory.
 */
export type StationErrorCode =
  | 'ERR_STATION_JOURNAL_DAMAGED'
  | 'ERR_STATION_JOURNAL_FULL'
  | 'ERR_STATION_STORAGE'
  | 'ERR_STATION_DEVICE_UNKNOWN'
  | 'ERR_STATION_SLOT_OPEN'
  | 'ERR_STATION_LOCKED';

export class StationError extends WitnessmarkError<StationErrorCode> {}

/** A "no" the station itself says, with what its refusal statement will state. */
export class StationRefusal extends RefusedError {
  readonly expected: string;
  readonly observed: string;

  constructor(code: ReasonCode, finding: { readonly expected: string; readonly observed: string; cause?: unknown }) {
    super(code, `expected ${finding.expected}; found ${finding.observed}`, { cause: finding.cause });
    this.expected = finding.expected;
    this.observed = finding.observed;
  }
}

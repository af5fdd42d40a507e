// SPDX-License-Identifier: Apache-2.0
/** What an error or a reason code means for the unit in the fixture and for the station. */
import { hasCode, RefusedError, type ReasonCode } from '@witnessmark/core';
import { ApiError } from '@witnessmark/api';
import { StationError } from './error.ts';
import type { UnitResult } from './ports.ts';
import type { FinalPhase } from './transitions.ts';

/** The line could not decide: the statement may or may not be in the log, and has to be submitted again. */
const UNDECIDED: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['LS-302', 'LS-303', 'LS-304']);

/** The line read the statement and will never take it: it fits neither its records nor its format. */
const NEVER: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'LS-105',
  'LS-106',
  'LS-505',
  'LS-506',
  'BG-104',
  'BG-105',
]);

/** What a station can neither sign nor store cannot be recorded as a refusal either. */
const UNRECORDABLE: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['LS-302', 'LS-304']);

export function isUndecided(code: ReasonCode): boolean {
  return UNDECIDED.has(code);
}

export function isFinalRefusal(code: ReasonCode): boolean {
  return NEVER.has(code);
}

export function isRecordable(code: ReasonCode): boolean {
  return !UNRECORDABLE.has(code);
}

/** A bad unit goes into the red bin, a hold waits, everything else stops the line. */
export function toFinalPhase(code: ReasonCode): Exclude<FinalPhase, 'passed'> {
  if (code.startsWith('UF-')) return 'failed';
  // A label that cannot be read is scanned again.
  return code.startsWith('HD-') || code.startsWith('LB-') ? 'interrupted' : 'stopped';
}

/** The code under which work ends here, or null for an error that is nobody's "no" but a fault of the program. */
export function toReasonCode(error: unknown): ReasonCode | null {
  if (error instanceof RefusedError) return error.code;
  if (error instanceof ApiError || hasCode(error, 'ERR_TRUST_UNREACHABLE')) return 'HD-01';
  if (!(error instanceof StationError)) return null;
  switch (error.code) {
    case 'ERR_STATION_STORAGE':
    case 'ERR_STATION_JOURNAL_FULL':
      return 'LS-302';
    case 'ERR_STATION_DEVICE_UNKNOWN':
      return 'HD-02';
    case 'ERR_STATION_JOURNAL_DAMAGED':
    case 'ERR_STATION_SLOT_OPEN':
    case 'ERR_STATION_LOCKED':
      return null;
  }
}

/** The result of a scan that began nothing, because something else comes first. */
export function toWaiting(transactionId: string, code: ReasonCode, detail: string): UnitResult {
  return {
    phase: toFinalPhase(code) === 'stopped' ? 'stopped' : 'interrupted',
    code,
    detail,
    transactionId,
    deviceId: null,
    serial: null,
    record: null,
    resumed: false,
    seconds: 0,
  };
}

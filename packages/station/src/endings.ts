// SPDX-License-Identifier: Apache-2.0
/** How the work on a unit ends, as people at the station see it. */
import { isReasonCode } from '@witnessmark/core';
import type { Outcome, ProvisioningEvent } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { RESUMED } from './device-work.ts';
import type { UnitResult } from './ports.ts';
import type { Move } from './transitions.ts';

export type Ending = Pick<UnitResult, 'phase' | 'code' | 'detail' | 'record' | 'resumed'>;

const PHASE_OF_OUTCOME: Readonly<Record<Outcome, UnitResult['phase']>> = {
  SUCCEEDED: 'passed',
  FAILED: 'failed',
  ABORTED: 'interrupted',
  INDETERMINATE: 'interrupted',
};

export const FINAL_MOVE: Readonly<Record<UnitResult['phase'], Move>> = {
  passed: 'pass',
  failed: 'fail',
  stopped: 'stop',
  interrupted: 'interrupt',
};

export const UNTOUCHED = 'interrupted before the first byte was written';

/** The line has its event. */
export function recorded({ outcome, code, event }: ProvisioningEvent, record: LoggedEntry): Ending {
  const known = code !== null && isReasonCode(code) ? code : null;
  const resumed = event.reason === RESUMED;
  return { phase: PHASE_OF_OUTCOME[outcome], code: known, detail: event.reason, record, resumed };
}

/** Made, and not PASS: that takes the receipt. A bad unit is bad already. */
export function waiting({ outcome, code, event }: ProvisioningEvent): Ending {
  const known = code !== null && isReasonCode(code) ? code : 'HD-06';
  const resumed = event.reason === RESUMED;
  if (outcome !== 'SUCCEEDED') {
    return { phase: PHASE_OF_OUTCOME[outcome], code: known, detail: event.reason, record: null, resumed };
  }
  return { phase: 'interrupted', code: known, detail: 'its record waits for the line', record: null, resumed };
}

/** Nothing was written, and nothing was begun. */
export function untouched(detail: string): Ending {
  return { phase: 'interrupted', code: 'HD-05', detail: `${UNTOUCHED}; ${detail}`, record: null, resumed: false };
}

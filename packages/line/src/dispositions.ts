// SPDX-License-Identifier: Apache-2.0
/** Which codes wait for a decision, and which decisions exist for each; there is no "continue" (spec/disposition.md). */
import { isReasonCode, type ReasonCode } from '@witnessmark/core';
import type { Disposition, Refusal } from '@witnessmark/attestation';

export type DispositionAction = Disposition['action'];

interface DispositionRule {
  /** `stop`: a refusal that holds its station. `hold`: an event that holds its unit. */
  readonly about: 'stop' | 'hold';
  readonly actions: readonly DispositionAction[];
}

/**
 * Codes that are not listed are conditions that stop the line for as long as they last – a wrong clock, a withdrawn
 * release, nobody signed in – and end by themselves; nobody can decide them away.
 */
const RULES: Partial<Readonly<Record<ReasonCode, DispositionRule>>> = {
  'LS-101': { about: 'stop', actions: ['quarantineUnit', 'voidLabel', 'scrapUnit'] },
  'LS-102': { about: 'stop', actions: ['quarantineUnit', 'releaseStation', 'scrapUnit'] },
  'LS-103': { about: 'stop', actions: ['releaseStation'] },
  'LS-104': { about: 'stop', actions: ['quarantineUnit', 'scrapUnit'] },
  'LS-105': { about: 'stop', actions: ['quarantineUnit', 'releaseStation'] },
  'LS-106': { about: 'stop', actions: ['quarantineUnit', 'releaseStation', 'scrapUnit'] },
  'LS-312': { about: 'stop', actions: ['releaseStation'] },
  'LS-313': { about: 'stop', actions: ['releaseStation'] },
  'LS-315': { about: 'stop', actions: ['quarantineUnit', 'releaseStation', 'scrapUnit'] },
  'LS-601': { about: 'stop', actions: ['releaseStation'] },
  'HD-02': { about: 'hold', actions: ['allowRetry', 'quarantineUnit', 'scrapUnit'] },
  'HD-03': { about: 'hold', actions: ['allowRetry', 'quarantineUnit', 'scrapUnit'] },
};

export function findDispositionRule(code: string): DispositionRule | undefined {
  return isReasonCode(code) ? RULES[code] : undefined;
}

/** Whether the device of a stop ends with the decision, wherever it stood. */
export function takesUnitOut(action: DispositionAction): action is 'quarantineUnit' | 'scrapUnit' {
  return action === 'quarantineUnit' || action === 'scrapUnit';
}

/** The state a unit is in while it waits for a decision about its last event. */
export function toWaitingState(code: string): 'held' | 'failed' {
  return code === 'HD-03' ? 'failed' : 'held';
}

/** Whether a refusal holds its station until a disposition. */
export function opensStop(refusal: Pick<Refusal, 'kind' | 'code'>): boolean {
  return refusal.kind === 'LINE_STOP' && findDispositionRule(refusal.code)?.about === 'stop';
}

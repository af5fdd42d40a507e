// SPDX-License-Identifier: Apache-2.0
/**
 * The states of a key (NIST SP 800-57 part 1 revision 5, section 7) as a pure state machine. Stricter in one point: an
 * active or suspended key is deactivated before it is destroyed, so that its end is two entries by two steps.
 */
import { parseInstant, RefusedError, type Instant, type JsonValue } from '@witnessmark/core';
import { Fields } from '../strict-fields.ts';

export const KEY_STATES = ['preActivation', 'active', 'suspended', 'deactivated', 'compromised', 'destroyed'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export interface KeyStateChange {
  readonly state: KeyState;
  readonly at: string;
  /** Person or ceremony. */
  readonly by: string;
  readonly reason: string;
}

const NEXT: Readonly<Record<KeyState, readonly KeyState[]>> = {
  preActivation: ['active', 'compromised', 'destroyed'],
  active: ['suspended', 'deactivated', 'compromised'],
  suspended: ['active', 'deactivated', 'compromised'],
  deactivated: ['compromised', 'destroyed'],
  compromised: ['destroyed'],
  destroyed: [],
};

/** The history with `change` at its end. Throws CU-141. */
export function appendState(history: readonly KeyStateChange[], change: KeyStateChange): readonly KeyStateChange[] {
  const last = history.at(-1);
  if (last === undefined) {
    if (change.state !== 'preActivation')
      throw new RefusedError('CU-141', `a key begins as preActivation, not ${change.state}`);
    return [change];
  }
  if (!NEXT[last.state].includes(change.state)) {
    const allowed = NEXT[last.state].join(', ') || 'nothing';
    throw new RefusedError('CU-141', `after ${last.state} comes ${allowed}; asked for ${change.state}`);
  }
  if (parseInstant(change.at) < parseInstant(last.at)) {
    throw new RefusedError('CU-141', `${change.state} at ${change.at} is before ${last.state} at ${last.at}`);
  }
  return [...history, change];
}

/** The state at an instant, or null before the key existed. */
export function stateAt(history: readonly KeyStateChange[], time: Instant): KeyState | null {
  return history.findLast((change) => parseInstant(change.at) <= time)?.state ?? null;
}

export function parseStateChange(
  value: JsonValue,
  where: string,
  malformed: (detail: string) => RefusedError,
): KeyStateChange {
  const fields = new Fields(value, where, malformed);
  const change = {
    state: fields.oneOf('state', KEY_STATES),
    at: fields.instant('at'),
    by: fields.text('by', 128),
    reason: fields.text('reason'),
  };
  fields.end();
  return change;
}

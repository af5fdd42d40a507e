// SPDX-License-Identifier: Apache-2.0
/** What the parts of a line share. */
import type { Clock } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import type { ViewReader, WorkKind } from '@witnessmark/store';
import type { CounterFloor } from './counter-floor.ts';
import type { LineCounters } from './counters.ts';
import type { KeyRing } from './key-ring.ts';
import type { Records } from './records.ts';
import type { ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import type { SignIns } from './sessions.ts';

export interface LineContext {
  readonly rules: LineRules;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly views: ViewReader;
  readonly records: Records;
  readonly releases: ReleaseSource;
  readonly signer: Signer;
  readonly signIns: SignIns;
  readonly counterFloor: CounterFloor;
  readonly counters: LineCounters;
  /** The keys in force; they change when the trust repository carries a newer trusted root. */
  readonly keys: () => KeyRing;
  /** Throws LS-302 when there is no room for work of this kind. */
  readonly checkRoom: (kind: WorkKind) => void;
}

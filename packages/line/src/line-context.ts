// SPDX-License-Identifier: Apache-2.0
/** What the parts of a line share. */
import type { Clock } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import type { ViewReader, WorkKind } from '@witnessmark/store';
import type { BreakGlassBook } from './break-glass-book.ts';
import type { CounterFloor } from './counter-floor.ts';
import type { LineCounters } from './counters.ts';
import type { ImageUnsealer } from './image-unsealer.ts';
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
  /** Null on a line that opens no sealed images. */
  readonly unsealer: ImageUnsealer | null;
  readonly signIns: SignIns;
  readonly counterFloor: CounterFloor;
  readonly breakGlass: BreakGlassBook;
  readonly counters: LineCounters;
  /** The keys in force; they change when the trust repository carries a newer trusted root. */
  readonly keys: () => KeyRing;
  /** Throws LS-302 when there is no room for work of this kind. */
  readonly checkRoom: (kind: WorkKind) => void;
}

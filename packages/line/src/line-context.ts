// SPDX-License-Identifier: Apache-2.0
/** What the parts of a line share. */
import type { Clock } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import type { ViewReader, WorkKind } from '@witnessmark/store';
import type { BadgeBook } from './badge-book.ts';
import type { BreakGlassBook } from './break-glass-book.ts';
import type { Challenges } from './challenges.ts';
import type { CounterFloor } from './counter-floor.ts';
import type { LineCounters } from './counters.ts';
import type { IdentityBook } from './identity-book.ts';
import type { ImageUnsealer } from './image-unsealer.ts';
import type { GoldenBook } from './golden-book.ts';
import type { KeyRing } from './key-ring.ts';
import type { Records } from './records.ts';
import type { ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import type { StartBook } from './start-book.ts';

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
  readonly challenges: Challenges;
  /** Null on a line that signs nobody in by badge. */
  readonly badges: BadgeBook | null;
  readonly counterFloor: CounterFloor;
  readonly breakGlass: BreakGlassBook;
  readonly starts: StartBook;
  readonly golden: GoldenBook;
  readonly identities: IdentityBook;
  readonly counters: LineCounters;
  /** How many entries are durable. */
  readonly logSize: () => number;
  /** The keys in force; they change when the trust repository carries a newer trusted root. */
  readonly keys: () => KeyRing;
  /** Throws LS-302 when there is no room for work of this kind. */
  readonly checkRoom: (kind: WorkKind) => void;
}

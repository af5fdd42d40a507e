// SPDX-License-Identifier: Apache-2.0
/** What the parts of a line share. */
import type { Clock } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import type { ViewReader, WorkKind } from '@witnessmark/store';
import type { BadgeBook } from './badge-book.ts';
import { BreakGlassBook } from './break-glass-book.ts';
import { Challenges } from './challenges.ts';
import { CounterFloor } from './counter-floor.ts';
import { LineCounters } from './counters.ts';
import { GoldenBook } from './golden-book.ts';
import { IdentityBook } from './identity-book.ts';
import type { ImageUnsealer } from './image-unsealer.ts';
import type { KeyRing } from './key-ring.ts';
import type { LineOptions } from './line-options.ts';
import { Records } from './records.ts';
import type { ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import { StartBook } from './start-book.ts';
import { TrustInForce } from './trust-in-force.ts';

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

export function makeContext(options: LineOptions): LineContext {
  const { log, rules, clock, newId, views, signer, unsealer = null, badges = null } = options;
  const records = new Records(log);
  const trust = new TrustInForce(options.releases, options.trustedRoot, rules.line);
  return {
    ...{ rules, clock, newId, views, records, releases: trust, signer, unsealer, badges },
    challenges: new Challenges(newId),
    counterFloor: new CounterFloor(),
    breakGlass: new BreakGlassBook(),
    starts: new StartBook(),
    golden: new GoldenBook(),
    identities: new IdentityBook(),
    counters: new LineCounters(),
    logSize: () => log.size,
    keys: () => trust.keys,
    checkRoom: (kind) => {
      records.checkAlive();
      log.checkRoom(kind);
    },
  };
}

/** What has to be known from the log before the first request. */
export async function learnFromLog(context: LineContext): Promise<void> {
  const { counterFloor, breakGlass, golden, identities, starts, clock, keys, views, records } = context;
  await counterFloor.learn(keys().stations(clock.now()), views, records);
  await breakGlass.learn(views, records);
  await golden.learn(views, records);
  await identities.learn(views, records);
  await starts.learn(keys().stations(clock.now()), views, records);
}

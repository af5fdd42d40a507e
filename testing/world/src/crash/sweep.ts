// SPDX-License-Identifier: Apache-2.0
/** Every fault at every port call of one unit, and every crash at every call of the recovery after it. */
import type { ReleaseSource } from '@witnessmark/station';
import type { SimFactory } from '../sim/sim-factory.ts';
import { checkRun } from './checkers.ts';
import type { Fate, FateChooser } from './crash-fs.ts';
import { FAULT_MODES, type Fault } from './fault-plan.ts';
import { runUnit, type Run, type RunOptions } from './run.ts';

interface Violation {
  readonly scenario: string;
  readonly what: readonly string[];
}

export type SweepVariant = Pick<RunOptions, 'ignoresSync' | 'alterReleases' | 'alterDriver'>;

interface Scenario extends Pick<RunOptions, 'powerCut' | 'afterFirst' | 'rescans'> {
  readonly fault: Fault | null;
  readonly recoveryFault?: Fault;
  readonly fate: FateName;
}

/** What a power cut may do to everything that was not synced, from kind to cruel. */
const FATES = {
  keep: () => 'kept',
  lose: () => 'lost',
  tear: (kind) => (kind === 'name' ? 'kept' : 'torn'),
  zero: (kind) => (kind === 'name' ? 'kept' : 'zeros'),
} as const satisfies Record<string, (kind: 'name' | 'bytes') => Fate>;
type FateName = keyof typeof FATES;
const FATE_NAMES = Object.keys(FATES) as FateName[];

export class Sweep {
  readonly violations: Violation[] = [];
  /** How units ended in the end, by phase and code; a sweep that only ever sees one ending sees nothing. */
  readonly endings = new Map<string, number>();
  runs = 0;
  readonly #factory: SimFactory;
  readonly #releases: ReleaseSource;
  readonly #variant: SweepVariant;

  constructor(factory: SimFactory, variant: SweepVariant = {}) {
    this.#factory = factory;
    this.#releases = holdReleases(factory.releaseSource('ST-07'));
    this.#variant = variant;
  }

  /** Runs one scenario and judges it. */
  async run({ fate, ...scenario }: Scenario): Promise<Run> {
    const choose: FateChooser = FATES[fate];
    const options = { releases: this.#releases, choose, ...this.#variant, ...scenario };
    const run = await runUnit(this.#factory, options);
    this.runs += 1;
    this.#count(run);
    const what = await checkRun(this.#factory, run);
    if (what.length > 0) this.violations.push({ scenario: describe({ fate, ...scenario }, run), what });
    return run;
  }

  #count({ told, board }: Run): void {
    const last = told.findLast(({ deviceId }) => deviceId === board.deviceId);
    const words = last === undefined ? ['never begun'] : [last.phase, last.code, last.resumed ? 'resumed' : null];
    const ending = words.filter((word) => word !== null).join(' ');
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1);
  }

  /** Every port call × every fault; a power cut with each fate of what was not synced. Returns the undisturbed calls. */
  async everyCall(): Promise<readonly string[]> {
    const { calls } = await this.run({ fault: null, fate: 'keep' });
    for (const at of calls.keys()) {
      for (const mode of FAULT_MODES) {
        const fates = mode.startsWith('crash') ? FATE_NAMES : (['keep'] as const);
        for (const fate of fates) await this.run({ fault: { at, mode }, fate });
      }
    }
    return calls;
  }

  /** Every fault again, and then the operator simply scans the same unit once more. */
  async everyCallThenRescan(calls: readonly string[]): Promise<void> {
    for (const at of calls.keys()) {
      for (const mode of FAULT_MODES) await this.run({ fault: { at, mode }, fate: 'lose', rescans: true });
    }
  }

  /**
   * After a crash behind every call, a second crash before and behind every call of the recovery. Before the journal is
   * begun there is nothing to recover.
   */
  async everyRecoveryCall(calls: readonly string[]): Promise<void> {
    let fate = 0;
    for (let at = calls.indexOf('fs.open journal'); at < calls.length; at += 1) {
      const fault: Fault = { at, mode: 'crash-after' };
      const { recoveryCalls } = await this.run({ fault, fate: 'lose' });
      for (const recoveryAt of recoveryCalls.keys()) {
        for (const mode of ['crash-before', 'crash-after'] as const) {
          fate += 1;
          const name = FATE_NAMES[fate % FATE_NAMES.length] ?? 'lose';
          await this.run({ fault, recoveryFault: { at: recoveryAt, mode }, fate: name });
        }
      }
    }
  }
}

/** Asks the real source once; the repository does not change during a sweep, and has crash tests of its own. */
function holdReleases(source: ReleaseSource): ReleaseSource {
  let held: ReturnType<ReleaseSource['releaseInEffect']> | null = null;
  let refreshed: Promise<void> | null = null;
  return {
    refresh: (now) => (refreshed ??= source.refresh(now)),
    releaseInEffect: (query) => (held ??= source.releaseInEffect(query)),
  };
}

function describe({ fault, recoveryFault, powerCut, fate }: Scenario, { calls, recoveryCalls }: Run): string {
  const at = (place: Fault | null | undefined, names: readonly string[]): string =>
    place === null || place === undefined ? 'no fault' : `${place.mode} ${place.at} ${names[place.at] ?? '?'}`;
  const cut =
    powerCut === undefined ? '' : `; chip without power after ${powerCut.afterBytes} bytes of ${powerCut.during}`;
  return `${at(fault, calls)}; in recovery ${at(recoveryFault, recoveryCalls)}; unsynced: ${fate}${cut}`;
}

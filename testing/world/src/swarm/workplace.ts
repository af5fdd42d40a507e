// SPDX-License-Identifier: Apache-2.0
/** One station of the simulated world: its operator, its fixture, its disk, and one process after the other. */
import { WitnessmarkError } from '@witnessmark/core';
import { DEFAULT_TIME_POLICY, Spool, type RecoveryReport, type Station, type UnitResult } from '@witnessmark/station';
import { CrashFs, type DiskImage, type Fate } from '../crash/crash-fs.ts';
import { Crash } from '../crash/fault-plan.ts';
import { SimTimeSource } from '../sim/sim-time-source.ts';
import {
  faultyDriver,
  faultyFiles,
  faultyLine,
  faultyOffline,
  faultyReleases,
  faultySigner,
} from '../crash/faulty-ports.ts';
import { SkewedClock } from '../sim/sim-clock.ts';
import { makeFixture } from '../sim/sim-device.ts';
import { JOB, type SimFactory } from '../sim/sim-factory.ts';
import type { StationName } from '../sim/sim-people.ts';
import type { SwarmBoard } from './boards.ts';
import { emptyCache } from './people.ts';
import type { Random } from './random.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import { signInAsOperator } from './sign-ins.ts';
import { TroubledCalls } from './troubled-ports.ts';
import type { Troubles } from './troubles.ts';

const FATES: readonly Fate[] = ['kept', 'lost', 'torn', 'zeros'];
/** Units the operator tries again after they were stopped or interrupted. */
const MAX_TRIES = 5;
const CLOCK_SHIFTS_MS = [60_000, 10 * 60_000, 36 * 3_600_000];
/** An operator looks what happened before going on. */
const LOOK_MS = 1_500;
const RETRY_PAUSES_MS = [200, 1_000];
/** What the operator answers by signing in again. */
const SIGN_IN_AGAIN: ReadonlySet<string> = new Set(['LS-501', 'LS-511', 'LS-512', 'LS-515']);
const SERIAL_OF_NO_DEVICE = 'GW-210-0000-0000-0000';

/** What an operator was told about a unit. */
export interface Told {
  readonly station: StationName;
  readonly board: SwarmBoard;
  readonly label: string;
  readonly result: UnitResult;
}

interface Surroundings {
  readonly factory: SimFactory;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly troubles: Troubles;
  /** Every board of the shift, for mix-ups. */
  readonly boards: readonly SwarmBoard[];
  /** Disks that say they synced and did not. */
  readonly ignoresSync: boolean;
}

export class Workplace {
  readonly name: StationName;
  readonly told: Told[] = [];
  readonly clock: SkewedClock;
  readonly #world: Surroundings;
  readonly #fixture = makeFixture();
  readonly #earlierDisks: DiskImage[] = [];
  #disk: DiskImage = new Map();
  /** The line said that the session is over. */
  #isOver = false;

  constructor(name: StationName, world: Surroundings) {
    this.name = name;
    this.#world = world;
    this.clock = new SkewedClock(world.factory.clock);
  }

  /** A shift: works through the boards, restarting after each crash, until all were tried often enough. */
  async work(actor: Actor, boards: readonly SwarmBoard[]): Promise<void> {
    const queue = boards.map((board) => ({ board, tries: 0 }));
    while (queue.length > 0) {
      await this.#runProcess(actor, async (station) => {
        await this.#recover(station);
        await signInAsOperator(this.#world.factory, station, this.name);
        for (let next = queue[0]; next !== undefined; next = queue[0]) {
          queue.shift();
          next.tries += 1;
          // A step away from the station, and one's batch, end by themselves.
          if (station.sessionLapse !== null || this.#isOver)
            await signInAsOperator(this.#world.factory, station, this.name);
          const isDone = await this.#presentUnit(actor, station, next.board).catch((error: unknown) => {
            queue.push(next);
            throw error;
          });
          if (!isDone && next.tries < MAX_TRIES) queue.push(next);
          if (this.#isRestartDue()) break;
        }
        if (!this.#world.troubles.strikes('signOutForgotten')) await station.endSession();
      });
      for (const entry of queue) if (entry.tries >= MAX_TRIES) queue.splice(queue.indexOf(entry), 1);
    }
  }

  /**
   * A process that finishes what is open; how many transactions stay so, one when it did not get that far. What waits in a
   * broken spool goes on with the next unit, whose allowance says from where.
   */
  async recover(actor: Actor, board: SwarmBoard): Promise<number> {
    let open = 1;
    await this.#runProcess(actor, async (station) => {
      const { pending, waiting } = await this.#recover(station);
      open = pending;
      if (pending === 0 || waiting < pending) return;
      await signInAsOperator(this.#world.factory, station, this.name);
      await this.#presentUnit(actor, station, board);
      open = (await this.#recover(station)).pending;
      await station.endSession();
    });
    return open;
  }

  async #recover(station: Station): Promise<RecoveryReport> {
    const report = await station.recover();
    for (const result of report.units) this.#hear(result);
    return report;
  }

  /** Whether the operator is done with this unit. */
  async #presentUnit(actor: Actor, station: Station, board: SwarmBoard): Promise<boolean> {
    const { troubles, random, boards } = this.#world;
    const { bay } = this.#fixture;
    this.#disturbClock();
    bay.insert(board.chip);
    if (troubles.strikes('linkDrop')) bay.dropLinkAfter(random.between(1, 12_000));
    if (troubles.strikes('devicePowerCut')) {
      const during = random.pick(['program', 'erase'] as const);
      board.chip.inject({ ...board.faults, powerCut: { during, afterBytes: random.between(0, 8_000) } });
    }
    const isSwapped = troubles.strikes('labelSwapped');
    const label = isSwapped ? random.pick([...boards.map(({ serial }) => serial), SERIAL_OF_NO_DEVICE]) : board.serial;
    const result = await station.programUnit({ job: JOB, label: { raw: label, symbology: 'd2' } });
    this.told.push({ station: this.name, board, label, result });
    this.#isOver = SIGN_IN_AGAIN.has(result.code ?? '');
    this.#world.scheduler.note(`${this.name} told ${result.phase} ${result.code ?? ''}`);
    bay.insert(null);
    if (result.code === 'TR-105') emptyCache(this.#world.factory, this.name);
    await actor.sleep(LOOK_MS);
    if (result.phase === 'passed' && troubles.strikes('unitAgain')) return false;
    return result.phase === 'passed' || (result.phase === 'failed' && !isSwapped);
  }

  /** One process from start to end: by itself, by a crash, or because the disk failed. */
  async #runProcess(actor: Actor, work: (station: Station) => Promise<void>): Promise<void> {
    const { factory, troubles, random } = this.#world;
    this.#earlierDisks.push(this.#disk);
    if (troubles.strikes('diskRestored')) this.#disk = random.pick(this.#earlierDisks);
    const calls = new TroubledCalls(actor, troubles);
    const files = new CrashFs(this.#disk, { ignoresSync: this.#world.ignoresSync });
    const untouched = (): Promise<void> => Promise.resolve();
    try {
      const station = await factory.startStation({
        name: this.name,
        files: faultyFiles(files, calls),
        driver: faultyDriver(this.#fixture.driver, calls, untouched),
        line: faultyLine(factory.wire, calls),
        signer: faultySigner(factory.people.stations[this.name].key, calls),
        releases: faultyReleases(factory.releaseSource(this.name), calls),
        offline: {
          line: faultyOffline(factory.wire, calls),
          spool: await Spool.open(faultyFiles(files, calls), factory.people.stations[this.name].key.publicKey),
          isWanted: true,
        },
        timeService: { source: new SimTimeSource(() => this.clock.skewMs), policy: DEFAULT_TIME_POLICY },
        clock: this.clock,
        pause: (milliseconds) => actor.sleep(milliseconds),
        retryPausesMs: RETRY_PAUSES_MS,
      });
      await work(station);
    } catch (error) {
      if (!(error instanceof Crash) && !isFault(error)) throw error;
    }
    this.#fixture.bay.insert(null);
    this.#disk = calls.isDead ? files.cutPower(() => random.pick(FATES)) : files.currentImage();
    calls.kill();
    await actor.sleep(LOOK_MS);
  }

  /** A unit that was finished after an interruption belongs to the board that has its identifier. */
  #hear(result: UnitResult): void {
    const board = this.#world.boards.find(({ deviceId }) => deviceId === result.deviceId);
    const isKnown = this.told.some(
      (entry) => entry.result.transactionId === result.transactionId && entry.result.code === result.code,
    );
    if (board !== undefined && !isKnown) this.told.push({ station: this.name, board, label: board.serial, result });
  }

  #disturbClock(): void {
    const { troubles, random } = this.#world;
    if (this.clock.skewMs !== 0) this.clock.skewMs = 0;
    else if (troubles.strikes('clockBack')) this.clock.skewMs = -random.pick(CLOCK_SHIFTS_MS);
    else if (troubles.strikes('clockForward')) this.clock.skewMs = random.pick(CLOCK_SHIFTS_MS);
  }

  /** A shift is not one process: people switch stations off. */
  #isRestartDue(): boolean {
    return this.#world.random.chance(0.2);
  }
}

/** Faults of ports outside a unit's flow reach the caller as the errors they are. */
function isFault(error: unknown): boolean {
  if (error instanceof WitnessmarkError) return error.code !== 'ERR_STATION_JOURNAL_DAMAGED';
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}

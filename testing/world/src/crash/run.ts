// SPDX-License-Identifier: Apache-2.0
/**
 * One unit at one station, with one fault in its first process and, if asked for, one in the process that recovers; then
 * undisturbed recovery, twice. Leaves everything the checkers judge by.
 */
import { parseEnvelope, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { parseStatement, provisioningIntent, readPredicateType, PREDICATE_TYPES } from '@witnessmark/attestation';
import type { DeviceDriver, PowerCut } from '@witnessmark/device';
import type { RecoveryReport, ReleaseSource, Station, UnitResult } from '@witnessmark/station';
import { makeFixture, type SimBoard, type SimFixture } from '../sim/sim-device.ts';
import { JOB, type SimFactory } from '../sim/sim-factory.ts';
import { CrashFs, type DiskImage, type FateChooser } from './crash-fs.ts';
import { Crash, FaultPlan, type Fault } from './fault-plan.ts';
import { faultyDriver, faultyFiles, faultyLine, faultyReleases, faultySigner } from './faulty-ports.ts';

export interface RunOptions {
  readonly releases: ReleaseSource;
  readonly fault: Fault | null;
  readonly recoveryFault?: Fault | null;
  readonly choose: FateChooser;
  /** Takes power from the chip alone, in the middle of an instruction. */
  readonly powerCut?: PowerCut;
  /** Between the first process and the next. */
  readonly afterFirst?: () => Promise<void>;
  /** The operator scans the unit again instead of waiting for a recovery. */
  readonly rescans?: boolean;
  /** Variants that do something wrong on purpose. */
  readonly ignoresSync?: boolean;
  readonly alterReleases?: (releases: ReleaseSource, driver: DeviceDriver) => ReleaseSource;
  /** Another kind of board in the fixture. */
  readonly alterDriver?: (driver: DeviceDriver) => DeviceDriver;
}

/** What one process left. */
interface ProcessEnd {
  readonly plan: FaultPlan;
  readonly results: readonly UnitResult[];
  readonly disk: DiskImage;
}

export interface Run {
  readonly board: SimBoard;
  /** Offered to a station that had stopped; null when none had. */
  readonly second: SimBoard | null;
  readonly calls: readonly string[];
  readonly recoveryCalls: readonly string[];
  /** How units ended, as the operator was told, process by process. */
  readonly told: readonly UnitResult[];
  /** Findings made while it ran. */
  readonly violations: readonly string[];
  /** Of the last two processes, which nothing disturbed. */
  readonly finalReports: readonly [RecoveryReport, RecoveryReport];
  readonly logSizes: readonly [number, number];
}

export async function runUnit(factory: SimFactory, options: RunOptions): Promise<Run> {
  const board = factory.makeBoard();
  const offered: SimBoard[] = [];
  const violations: string[] = [];
  if (options.powerCut !== undefined) board.chip.inject({ powerCut: options.powerCut });
  const first = await runProcess(factory, options, {
    disk: new Map(),
    fault: options.fault,
    board,
    violations,
    work: (station, fixture, results) =>
      workOneUnit(factory, station, { board, offered, fixture, results, violations }),
  });
  await options.afterFirst?.();
  const recover = (disk: DiskImage, fault: Fault | null, reports: RecoveryReport[]): Promise<ProcessEnd> =>
    runProcess(factory, options, {
      disk,
      fault,
      board,
      violations,
      work: async (station, _, results) => {
        const report = await station.recover();
        reports.push(report);
        results.push(...report.units);
      },
    });
  const rescan = (disk: DiskImage, fault: Fault | null): Promise<ProcessEnd> =>
    runProcess(factory, options, {
      disk,
      fault,
      board,
      violations,
      work: async (station, _, results) => {
        await signIn(factory, station);
        results.push(await scan(station, board));
      },
    });
  const secondFault = options.recoveryFault ?? null;
  const disturbed =
    options.rescans === true ? await rescan(first.disk, secondFault) : await recover(first.disk, secondFault, []);
  const reports: RecoveryReport[] = [];
  const third = await recover(disturbed.disk, null, reports);
  const sizeAfterFirst = factory.line.log.size;
  const fourth = await recover(third.disk, null, reports);
  const told = [first, disturbed, third, fourth].flatMap(({ results }) => results);
  return {
    board,
    second: offered[0] ?? null,
    calls: first.plan.calls,
    recoveryCalls: disturbed.plan.calls,
    told,
    violations,
    finalReports: reports as unknown as readonly [RecoveryReport, RecoveryReport],
    logSizes: [sizeAfterFirst, factory.line.log.size],
  };
}

async function runProcess(
  factory: SimFactory,
  options: RunOptions,
  context: {
    readonly disk: DiskImage;
    readonly fault: Fault | null;
    readonly board: SimBoard;
    readonly violations: string[];
    readonly work: (station: Station, fixture: SimFixture, results: UnitResult[]) => Promise<void>;
  },
): Promise<ProcessEnd> {
  const plan = new FaultPlan(context.fault);
  const files = new CrashFs(context.disk, { ignoresSync: options.ignoresSync ?? false });
  const fixture = makeFixture(context.board);
  const results: UnitResult[] = [];
  // Power goes with the process: whatever the chip held in volatile registers is gone.
  context.board.chip.powerOn();
  const checkIntent = async (): Promise<void> => {
    const missing = await findMissingIntent(factory, fixture, files);
    if (missing !== null) context.violations.push(missing);
  };
  const board = options.alterDriver?.(fixture.driver) ?? fixture.driver;
  const driver = faultyDriver(board, plan, checkIntent);
  const releases = options.alterReleases?.(options.releases, driver) ?? options.releases;
  try {
    const station = await factory.startStation({
      files: faultyFiles(files, plan),
      driver,
      line: faultyLine(factory.wire, plan),
      signer: faultySigner(factory.people.stations['ST-07'].key, plan),
      releases: faultyReleases(releases, plan),
    });
    await context.work(station, fixture, results);
  } catch (error) {
    if (!(error instanceof Crash) && !isExpectedEnd(error)) throw error;
  }
  fixture.bay.powerOff();
  // A process that ended by itself leaves its page cache to the next one; a power cut leaves what was synced.
  const disk = plan.isDead ? files.cutPower(options.choose) : files.currentImage();
  plan.kill();
  return { plan, results, disk };
}

async function workOneUnit(
  factory: SimFactory,
  station: Station,
  scene: {
    readonly board: SimBoard;
    readonly offered: SimBoard[];
    readonly fixture: SimFixture;
    readonly results: UnitResult[];
    readonly violations: string[];
  },
): Promise<void> {
  const { board, offered, fixture, results, violations } = scene;
  await signIn(factory, station);
  const result = await scan(station, board);
  results.push(result);
  if (result.code !== 'LS-302') return;
  // I9: a station that cannot store records does not touch the next unit.
  const second = factory.makeBoard();
  offered.push(second);
  fixture.bay.insert(second.chip);
  const next = await scan(station, second);
  results.push(next);
  if (next.code !== 'LS-302') violations.push(`I9: the next unit ended ${next.phase} ${next.code ?? ''}`);
}

function scan(station: Station, board: SimBoard): Promise<UnitResult> {
  return station.programUnit({ job: JOB, label: { raw: board.serial, symbology: 'd2' } });
}

/** A process whose sign-in failed goes on and finds that nobody is signed in. */
async function signIn(factory: SimFactory, station: Station): Promise<void> {
  try {
    await station.signIn(await factory.session('ST-07', true));
  } catch (error) {
    if (error instanceof Crash || !isExpectedEnd(error)) throw error;
  }
}

/** Faults of ports outside a unit's flow reach the caller as the errors they are. */
function isExpectedEnd(error: unknown): boolean {
  if (error instanceof WitnessmarkError) return error.code !== 'ERR_STATION_JOURNAL_DAMAGED';
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}

interface OpenIntent {
  readonly deviceId: string;
  readonly transactionId: string;
}

/** I2: why the device that is in the fixture must not be touched now; null when it may. */
async function findMissingIntent(factory: SimFactory, fixture: SimFixture, files: CrashFs): Promise<string | null> {
  const uniqueId = fixture.bay.chip?.uniqueId;
  if (uniqueId === undefined) return null;
  const open = findOpenIntent(files.durableImage());
  if (open === null) return 'I2: the device is changed without a durable intent at the station';
  const row = await factory.line.store.views.unit(open.deviceId);
  if (row?.open_transaction !== open.transactionId) return 'I2: the device is changed without an intent in the log';
  return null;
}

/** The intent that the journal surely holds, read as a stranger would. */
function findOpenIntent(image: DiskImage): OpenIntent | null {
  for (const [path, bytes] of image) {
    const intent = path.endsWith('.journal') ? readIntent(bytes) : null;
    if (intent !== null) return intent;
  }
  return null;
}

function readIntent(bytes: Bytes): OpenIntent | null {
  const [line] = new TextDecoder().decode(bytes).split('\n');
  const record = line === undefined || line === '' ? null : (JSON.parse(line.slice(65)) as { intent?: unknown });
  if (record?.intent === undefined) return null;
  const { payload } = parseEnvelope(new TextEncoder().encode(JSON.stringify(record.intent)));
  if (readPredicateType(payload) !== PREDICATE_TYPES.provisioningIntent) return null;
  const { event, identity } = parseStatement(provisioningIntent, payload).predicate;
  return { deviceId: identity.deviceId, transactionId: event.transactionId };
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A67: a crash at every call of a station from the moment the line is gone until everything made meanwhile is delivered – at
 * every write of journal and spool, every question to the line. A crash never looks like somebody at the spool, nothing is
 * delivered twice, and what was made is passed, or lawfully held, in the end.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TIME_POLICY, Spool, type Station, type UnitResult } from '@witnessmark/station';
import { CrashFs, type DiskImage, type Fate } from '../src/crash/crash-fs.ts';
import { Crash, FaultPlan, type Fault } from '../src/crash/fault-plan.ts';
import { faultyDriver, faultyFiles, faultyLine, faultyOffline } from '../src/crash/faulty-ports.ts';
import { makeFixture, type SimBoard, type SimFixture } from '../src/sim/sim-device.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { SimTimeSource } from '../src/sim/sim-time-source.ts';

const FATES: readonly Fate[] = ['lost', 'torn', 'kept', 'zeros'];
const LAWFUL_ENDS: ReadonlySet<string | null> = new Set(['passed', 'held', 'failed', null]);

let factory: SimFactory;
/** Goes from one process to the next. */
let disk: DiskImage = new Map();

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { offline: { maxUnits: 4, maxHours: 8 }, refusalsPerMinute: 10_000 } });
});

afterAll(async () => {
  await factory.close();
});

interface Shift {
  readonly calls: readonly string[];
  /** How many there were when the line was cut. */
  readonly cutAt: number;
  readonly made: SimBoard;
}

async function startStation(files: CrashFs, fixture: SimFixture, plan: FaultPlan): Promise<Station> {
  const wrapped = faultyFiles(files, plan);
  const { publicKey } = factory.people.stations['ST-07'].key;
  return factory.startStation({
    files: wrapped,
    driver: faultyDriver(fixture.driver, plan, () => Promise.resolve()),
    line: faultyLine(factory.wire, plan),
    offline: { line: faultyOffline(factory.wire, plan), spool: await Spool.open(wrapped, publicKey), isWanted: true },
    timeService: { source: new SimTimeSource(), policy: DEFAULT_TIME_POLICY },
  });
}

async function program(station: Station, fixture: SimFixture, board: SimBoard): Promise<UnitResult> {
  fixture.bay.insert(board.chip);
  return station.programUnit({ job: JOB, label: { raw: board.serial, symbology: 'd2' } });
}

/** One process: a unit, the line is gone, another unit, the line is back, a third unit. */
async function work(fault: Fault | null, fate: Fate): Promise<Shift> {
  const plan = new FaultPlan(fault);
  const files = new CrashFs(disk);
  const fixture = makeFixture();
  const { line } = factory.wire;
  const made = factory.makeBoard();
  let cutAt = 0;
  try {
    const station = await startStation(files, fixture, plan);
    await station.signIn(await factory.session('ST-07', true));
    await program(station, fixture, factory.makeBoard());
    cutAt = plan.calls.length;
    factory.wire.line = null;
    await program(station, fixture, made);
    factory.wire.line = line;
    await program(station, fixture, factory.makeBoard());
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  } finally {
    factory.wire.line = line;
  }
  disk = plan.isDead ? files.cutPower(() => fate) : withoutRunning(files.currentImage());
  plan.kill();
  made.chip.powerOn();
  return { calls: plan.calls, cutAt, made };
}

/** An undisturbed process after it. Returns what does not hold. */
async function repair(made: SimBoard): Promise<readonly string[]> {
  const violations: string[] = [];
  const files = new CrashFs(disk);
  const fixture = makeFixture(made);
  const station = await startStation(files, fixture, new FaultPlan(null));
  await station.signIn(await factory.session('ST-07', true));
  const report = await station.recover();
  if (report.stop !== null) violations.push(`a crash was taken for a breach: ${report.stop.detail ?? ''}`);
  const next = await program(station, fixture, factory.makeBoard());
  if (next.phase !== 'passed')
    violations.push(`the next unit ended ${next.phase} ${next.code ?? ''}: ${next.detail ?? ''}`);
  const row = await factory.line.store.views.unit(made.deviceId);
  const state = row?.state ?? null;
  if (!LAWFUL_ENDS.has(state) || (row?.open_transaction ?? null) !== null)
    violations.push(`the unit is left ${state ?? ''}`);
  const evidence = await factory.evidence(made);
  const verdict = evidence === null ? null : factory.verify(evidence);
  if (state === 'passed' && verdict?.verdict !== 'VERIFIED')
    violations.push(`passed, and ${verdict?.code ?? 'no file'}`);
  const chain = await factory.line.store.views.chain(made.deviceId);
  if (new Set(chain.map(({ kind }) => kind)).size !== chain.length) violations.push('a record was delivered twice');
  for (const { code } of await factory.line.line.openStops()) violations.push(`a line stop is open: ${code}`);
  disk = withoutRunning(files.currentImage());
  return violations;
}

/** As a process leaves its disk that ends by itself. */
function withoutRunning(image: DiskImage): DiskImage {
  const left = new Map(image);
  left.delete('running');
  return left;
}

describe('without the line, a crash at every call', { timeout: 240_000 }, () => {
  it('A67, A19: loses nothing, delivers nothing twice, and is never taken for a breach', async () => {
    expect(await repair((await work(null, 'kept')).made)).toEqual([]);
    const { calls, cutAt, made: first } = await work(null, 'kept');
    expect(await repair(first)).toEqual([]);
    const ends = new Map<string, number>();
    const violations: string[] = [];
    for (let at = cutAt; at < calls.length; at += 1) {
      // What a crash does at the device is the matter of the other sweeps.
      if (!/^(?:fs|line)\./.test(calls[at] ?? '')) continue;
      const mode = at % 2 === 0 ? 'crash-before' : 'crash-after';
      const fate = FATES[at % FATES.length] as Fate;
      const { made } = await work({ at, mode }, fate);
      const found = await repair(made);
      violations.push(...found.map((text) => `${mode} ${at} ${calls[at] ?? ''}, unsynced ${fate}: ${text}`));
      if (found.length > 0) break;
      const state = (await factory.line.store.views.unit(made.deviceId))?.state ?? 'never begun';
      ends.set(state, (ends.get(state) ?? 0) + 1);
    }
    expect(violations).toEqual([]);
    expect(calls.slice(cutAt).filter((name) => name.startsWith('fs.')).length).toBeGreaterThan(30);
    expect([...ends.keys()]).toEqual(expect.arrayContaining(['passed', 'never begun']));
  });
});

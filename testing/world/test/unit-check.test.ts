// SPDX-License-Identifier: Apache-2.0
/** Finished units looked at again, over the real line and the offline verifier (spec/unit-check.md). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RefusedError } from '@witnessmark/core';
import { SpiNorChip, type DeviceDriver } from '@witnessmark/device';
import type { UnitCheckResult } from '@witnessmark/station';
import type { Signer } from '@witnessmark/custody';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { bindDriver, closedWhenLocked, type SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { SimPrinter } from '../src/sim/sim-printer.ts';

/** Where the factory's releases lie. */
const IMAGE_ADDRESS = 0x1000;

let factory: SimFactory;
let bench: SimBench;
let printer: SimPrinter;

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});
afterAll(() => factory.close());

beforeEach(async () => {
  printer = new SimPrinter();
  bench = await SimBench.open(factory, { ports: { labels: { printer, files: new CrashFs() } } });
});

interface LabelledUnit {
  readonly board: SimBoard;
  readonly label: string;
}

/** A unit as it leaves the programming station. */
async function finish(on: SimBench = bench): Promise<LabelledUnit> {
  const board = factory.makeBoard();
  expect((await on.program(board)).phase).toBe('passed');
  await on.station.labels?.print(board.serial);
  const label = printer.last;
  await on.station.labels?.scan(label);
  return { board, label };
}

function check({ board, label }: LabelledUnit, lift?: Signer): Promise<UnitCheckResult> {
  bench.fixture.bay.insert(board.chip);
  return bench.station.checks.check({ label, ...(lift === undefined ? {} : { lift }) });
}

async function state({ board }: LabelledUnit): Promise<string | undefined> {
  return (await factory.line.line.unit(board.deviceId))?.state;
}

async function verdict({ board }: LabelledUnit): Promise<string> {
  const evidence = await factory.evidence(board);
  if (evidence === null) throw new Error('the line knows the board');
  const { verdict: said, code } = factory.verify(evidence);
  return `${said} ${code ?? ''}`.trimEnd();
}

/** The part desoldered, written elsewhere, and put back. */
function reflashed({ board, label }: LabelledUnit): LabelledUnit {
  const content = board.chip.snapshot();
  content.memory[IMAGE_ADDRESS + 100] = (content.memory[IMAGE_ADDRESS + 100] ?? 0) ^ 1;
  return { board: { ...board, chip: new SpiNorChip(content) }, label };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => 'nothing refused',
    (error: unknown) => error,
  );
  if (outcome instanceof RefusedError) return outcome.code;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}

describe('a check of a finished unit', () => {
  it('finds nothing on an honest one, writes nothing, and is in its evidence', async () => {
    const unit = await finish();
    const before = unit.board.chip.snapshot();
    expect(await check(unit)).toMatchObject({ result: 'consistent', findings: [], serial: unit.board.serial });
    expect(unit.board.chip.snapshot()).toEqual(before);
    expect([await state(unit), await verdict(unit)]).toEqual(['passed', 'VERIFIED']);
  });

  it('A3: a label that was swapped after release flags both units and names both manifests', async () => {
    const [left, right] = [await finish(), await finish()];
    const found = await check({ board: left.board, label: right.label });
    expect(found.result).toBe('flagged');
    const [finding] = found.findings;
    expect(finding?.code).toBe('LB-117');
    expect(finding?.expected).toContain(left.board.deviceId.slice(0, 16));
    expect(finding?.observed).toContain(right.board.deviceId.slice(0, 16));
    for (const unit of [left, right]) {
      expect([await state(unit), await verdict(unit)]).toEqual(['quarantined', 'FAILED EV-113']);
    }
  });

  it('A11: a unit reflashed outside a station is flagged, by content and by lock', async () => {
    const unit = await finish();
    const found = await check(reflashed(unit));
    expect(found.findings.map(({ code }) => code)).toEqual(['LB-116']);
    expect([await state(unit), await verdict(unit)]).toEqual(['quarantined', 'FAILED EV-113']);
    const other = await finish();
    const open = other.board.chip.snapshot();
    const chip = new SpiNorChip({ ...open, statusRegister1: 0 });
    expect((await check({ board: { ...other.board, chip }, label: other.label })).findings).toMatchObject([
      { code: 'LB-116', observed: 'one that reads open' },
    ]);
  });

  it('A11: a flagged unit is not programmed again (HD-02)', async () => {
    const unit = await finish();
    await check(reflashed(unit));
    expect(await bench.program(unit.board)).toMatchObject({ phase: 'interrupted', code: 'HD-02' });
  });

  it('A10: a golden sample that answers for another unit is flagged (LB-117)', async () => {
    const [golden, unit] = [await finish(), await finish()];
    expect((await check({ board: golden.board, label: unit.label })).findings).toMatchObject([{ code: 'LB-117' }]);
  });

  it('A10: a device that gives way to another while it is measured is flagged (LB-119)', async () => {
    const unit = await finish();
    const golden = factory.makeBoard();
    let asked = 0;
    const relaying = await SimBench.open(factory, {
      name: 'ST-08',
      alterDriver: (driver) => relay(driver, () => (asked += 1)),
    });
    relaying.fixture.bay.insert(unit.board.chip);
    function relay(driver: DeviceDriver, count: () => number): DeviceDriver {
      return {
        ...bindDriver(driver),
        readHardwareId: (options) => {
          if (count() === 2) relaying.fixture.bay.insert(golden.chip);
          return driver.readHardwareId(options);
        },
      };
    }
    expect((await relaying.station.checks.check({ label: unit.label })).findings).toMatchObject([{ code: 'LB-119' }]);
  });

  it('flags a device nobody has a record of, under the label of a unit (LB-118)', async () => {
    const unit = await finish();
    const stranger = factory.makeBoard();
    const found = await check({ board: stranger, label: unit.label });
    expect(found).toMatchObject({ serial: null, findings: [{ code: 'LB-118' }] });
    expect(await verdict(unit)).toBe('FAILED EV-113');
  });

  it('flags a label that no longer counts (LB-110)', async () => {
    const unit = await finish();
    const { key: signer } = factory.people.operators['ST-07'];
    await bench.station.labels?.reprint(unit.board.serial, { reason: 'smeared', signer });
    await bench.station.labels?.scan(printer.last);
    expect((await check(unit)).findings).toMatchObject([{ code: 'LB-110' }]);
  });

  it('cannot read a part that its lock forbids to read, and says so', async () => {
    const unit = await finish();
    const closed = await SimBench.open(factory, { name: 'ST-08', alterDriver: closedWhenLocked });
    closed.fixture.bay.insert(unit.board.chip);
    expect((await closed.station.checks.check({ label: unit.label })).result).toBe('consistent');
    expect(await verdict(unit)).toBe('VERIFIED');
  });
});

describe('a flag', () => {
  it('is lifted by a consistent check that a supervisor signs, and by nothing else (LB-120)', async () => {
    const unit = await finish();
    await check(reflashed(unit));
    expect((await check(unit)).isLifted).toBe(false);
    expect(await verdict(unit)).toBe('FAILED EV-113');
    expect(await codeOf(check(unit, factory.people.operators['ST-08'].key))).toBe('LB-120');
    expect(await codeOf(check(unit, factory.people.author.key))).toBe('LB-113');
    expect((await check(unit, factory.people.supervisor.key)).isLifted).toBe(true);
    expect([await state(unit), await verdict(unit)]).toEqual(['passed', 'VERIFIED']);
    expect(await codeOf(check(unit, factory.people.supervisor.key))).toBe('LB-120');
  });

  it('stands while the unit is not as recorded, whoever signs', async () => {
    const unit = await finish();
    expect((await check(reflashed(unit), factory.people.supervisor.key)).isLifted).toBe(false);
    expect(await state(unit)).toBe('quarantined');
  });
});

// SPDX-License-Identifier: Apache-2.0
/** The operator's side of an interruption: the same unit is scanned again, or the next one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Journal, type UnitResult } from '@witnessmark/station';
import { CrashFs, type DiskImage } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { beforeOperation, type SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';

const HOUR_MS = 3_600_000;

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open();
});

beforeEach(async () => {
  factory.wire.line = factory.line.line;
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
});

afterAll(async () => {
  await factory.close();
});

function describeResult({ phase, code, resumed }: UnitResult): string {
  return [phase, code, resumed ? 'resumed' : null].filter((word) => word !== null).join(' ');
}

/** The disk of a station whose power went just before it would have read the board back. */
async function interrupt(board: SimBoard): Promise<DiskImage> {
  const bench = await SimBench.open(factory, {
    alterDriver: (driver) =>
      beforeOperation(driver, 'readBack', () => {
        throw new Error('the power is gone');
      }),
  });
  await expect(bench.program(board)).rejects.toThrow('power');
  return bench.disk;
}

/** The same journal with a valid chain, whose last record shows the receipt of the intent as that of the event. */
async function forgeReceipt(disk: DiskImage): Promise<DiskImage> {
  const [transaction] = (await Journal.open(new CrashFs(disk))).transactions;
  if (transaction === undefined) throw new Error('the journal is empty');
  const files = new CrashFs(new Map([...disk].filter(([path]) => !path.endsWith('.journal'))));
  const journal = await Journal.open(files);
  const intent = transaction.records.map(({ fact }) => fact).find((fact) => fact.kind === 'intentLogged');
  for (const { seq, at, fact } of transaction.records) {
    if (seq === 1) await journal.begin(transaction.id, at, fact);
    else if (fact.kind !== 'closed' || intent === undefined) await journal.append(transaction.id, at, fact);
    else {
      const { index, proof } = intent.entry;
      await journal.append(transaction.id, at, { kind: 'closed', entry: { ...fact.entry, index, proof } });
    }
  }
  return files.currentImage();
}

describe('after an interruption', () => {
  it('scanning the same unit gives the verdict of what was begun, not a second pass', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, { disk: await interrupt(board) });
    expect(describeResult(await bench.program(board))).toBe('passed resumed');
    // Told once; from now on it is a unit that passed.
    expect(describeResult(await bench.program(board))).toBe('stopped LS-102');
  });

  it('scanning another unit finishes the open one first, tells it, and goes on', async () => {
    const [board, next] = [factory.makeBoard(), factory.makeBoard()];
    const finished: string[] = [];
    const bench = await SimBench.open(factory, {
      disk: await interrupt(board),
      ports: { onRecovered: (result) => finished.push(`${result.serial ?? ''} ${describeResult(result)}`) },
    });
    expect(describeResult(await bench.program(next))).toBe('passed');
    // Its board was no longer in the fixture, so nobody knows what it holds.
    expect(finished).toEqual([`${board.serial} interrupted HD-02`]);
    expect((await factory.line.line.unit(board.deviceId))?.state).toBe('held');
  });

  it('a verdict that nobody saw, because the process ended right after the record, is given again', async () => {
    const board = factory.makeBoard();
    const first = await SimBench.open(factory);
    const told = await first.program(board);
    const bench = await SimBench.open(factory, { disk: first.disk });
    const again = await bench.program(board);
    expect([describeResult(again), again.record?.index]).toEqual(['passed', told.record?.index]);
    expect(describeResult(await bench.program(board))).toBe('stopped LS-102');
  });

  it('A7 after a clean end the same scan is a second pass, and refused', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory);
    expect(describeResult(await bench.program(board))).toBe('passed');
    await bench.restart();
    expect(describeResult(await bench.program(board))).toBe('stopped LS-102');
  });

  it('a journal that was written by hand, with a receipt that proves something else, gives no verdict', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory);
    await bench.program(board);
    const forged = await SimBench.open(factory, { disk: await forgeReceipt(bench.disk) });
    expect((await forged.station.recover()).units.map(describeResult)).toEqual(['stopped LS-303']);
    expect(describeResult(await forged.program(factory.makeBoard()))).toBe('stopped LS-303');
    const honest = await SimBench.open(factory, { disk: bench.disk });
    expect((await honest.station.recover()).units.map(describeResult)).toEqual(['passed']);
  });

  it('I17 recovery says the same however often it is asked', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, { disk: await interrupt(board) });
    bench.fixture.bay.insert(board.chip);
    const reports = [await bench.station.recover(), await bench.station.recover(), await bench.station.recover()];
    expect(reports.map(({ units, pending }) => [units.map(describeResult), pending])).toEqual(
      Array.from({ length: 3 }, () => [['passed resumed'], 0]),
    );
  });

  it('an operator who ends the work in the middle leaves an open unit, which the next scan finishes', async () => {
    const board = factory.makeBoard();
    const stop = new AbortController();
    const bench = await SimBench.open(factory, {
      alterDriver: (driver) =>
        beforeOperation(driver, 'readBack', () => {
          stop.abort();
        }),
    });
    bench.fixture.bay.insert(board.chip);
    expect(describeResult(await bench.scan(board.serial, stop.signal))).toBe('interrupted HD-02');
    expect((await factory.line.line.unit(board.deviceId))?.state).toBe('open');
    expect(describeResult(await bench.scan(board.serial))).toBe('passed resumed');
  });

  it('A18 a clock set ahead while the line was away leaves nothing that blocks the station afterwards', async () => {
    const [board, next] = [factory.makeBoard(), factory.makeBoard()];
    const bench = await SimBench.open(factory, { disk: await interrupt(board) });
    factory.wire.line = null;
    bench.clock.skewMs = 36 * HOUR_MS;
    await bench.restart();
    // The board is read back, and nothing is signed with a time that nobody vouches for.
    expect(describeResult(await bench.program(board))).toBe('interrupted HD-01');
    expect(describeResult(await bench.program(next))).toBe('interrupted HD-01');
    factory.wire.line = factory.line.line;
    bench.clock.skewMs = 0;
    await bench.restart();
    expect(describeResult(await bench.program(board))).toBe('passed resumed');
    expect(describeResult(await bench.program(next))).toBe('passed');
  });

  it('A18 what a station refused before it ever knew the time is delivered once it does', async () => {
    factory.wire.line = null;
    const bench = await SimBench.open(factory);
    expect(describeResult(await bench.program(factory.makeBoard()))).toBe('interrupted HD-01');
    bench.clock.skewMs = -36 * HOUR_MS;
    expect(describeResult(await bench.program(factory.makeBoard()))).toMatch(/^stopped LS-301|^interrupted HD-01/);
    factory.wire.line = factory.line.line;
    bench.clock.skewMs = 0;
    await bench.restart();
    expect((await bench.station.recover()).pending).toBe(0);
    expect(describeResult(await bench.program(factory.makeBoard()))).toBe('passed');
  });
});

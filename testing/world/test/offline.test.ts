// SPDX-License-Identifier: Apache-2.0
/** Working while the line does not answer: what may be made, what waits, and what becomes of it when the line is back. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StationPorts, UnitResult } from '@witnessmark/station';
import type { DiskImage } from '../src/crash/crash-fs.ts';
import { SimBench, type BenchOptions } from '../src/sim/sim-bench.ts';
import type { SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import type { StationName } from '../src/sim/sim-people.ts';

const MAX_UNITS = 3;
const HOUR_MS = 3_600_000;

let factory: SimFactory;

beforeEach(async () => {
  factory = await openFactory(MAX_UNITS);
});

afterEach(async () => {
  await factory.close();
});

function openFactory(maxUnits: number, options: { readonly withLock?: boolean } = {}): Promise<SimFactory> {
  return SimFactory.open({ ...options, rules: { offline: { maxUnits, maxHours: 2 }, refusalsPerMinute: 10_000 } });
}

interface OfflineBench {
  readonly bench: SimBench;
  /** Units that were finished before another one was begun. */
  readonly recovered: UnitResult[];
}

async function openBench(options: BenchOptions = {}): Promise<OfflineBench> {
  const recovered: UnitResult[] = [];
  const ports: Partial<StationPorts> = { onRecovered: (result) => recovered.push(result), ...options.ports };
  return { bench: await SimBench.open(factory, { worksOffline: true, ...options, ports }), recovered };
}

/** A bench that was given an allowance with its first unit, and is without the line now. */
async function openCutOff(options: BenchOptions = {}): Promise<OfflineBench & { readonly restore: () => void }> {
  const opened = await openBench(options);
  expect(await opened.bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
  return { ...opened, restore: cutLine() };
}

function cutLine(): () => void {
  const { line } = factory.wire;
  factory.wire.line = null;
  return () => {
    factory.wire.line = line;
  };
}

async function makeOffline(bench: SimBench): Promise<SimBoard> {
  const board = factory.makeBoard();
  expect(await bench.program(board)).toMatchObject({ phase: 'interrupted', code: 'HD-06', record: null });
  return board;
}

async function verdictOf(board: SimBoard): Promise<readonly [string | undefined, string | null | undefined]> {
  const evidence = await factory.evidence(board);
  const report = evidence === null ? undefined : factory.verify(evidence);
  return [report?.verdict, report?.code];
}

async function stopsOf(): Promise<readonly string[]> {
  return (await factory.line.line.openStops()).map(({ code }) => code);
}

async function releaseStops(): Promise<void> {
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
}

/** The disk of a bench, as somebody with a screwdriver changes it. */
function alterDisk(bench: SimBench, alter: (disk: Map<string, Uint8Array>) => void): DiskImage {
  const disk = new Map(bench.disk);
  disk.delete('running');
  alter(disk);
  return disk;
}

function linesOf(disk: ReadonlyMap<string, Uint8Array>, path: string): string[] {
  return new TextDecoder().decode(disk.get(path)).split('\n').slice(0, -1);
}

function putLines(disk: Map<string, Uint8Array>, path: string, lines: readonly string[]): void {
  disk.set(path, new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')));
}

function forgetJournals(disk: Map<string, Uint8Array>): void {
  for (const path of [...disk.keys()]) if (path.startsWith('journal/')) disk.delete(path);
}

describe('without the line', () => {
  it('A19: units are made under an allowance, wait, and pass when the line has their records', async () => {
    const { bench, recovered, restore } = await openCutOff();
    const [first, second] = [await makeOffline(bench), await makeOffline(bench)];
    expect(await bench.scan(second.serial)).toMatchObject({ code: 'HD-06' });
    restore();
    expect(await verdictOf(first)).toEqual([undefined, undefined]);
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
    expect(recovered.map(({ phase, serial }) => [phase, serial])).toEqual([
      ['passed', first.serial],
      ['passed', second.serial],
    ]);
    for (const board of [first, second]) expect(await verdictOf(board)).toEqual(['VERIFIED', null]);
  });

  it('A19: when the units of the allowance are used up, the station holds', async () => {
    const { bench, restore } = await openCutOff();
    for (let unit = 0; unit < MAX_UNITS; unit += 1) await makeOffline(bench);
    const extra = factory.makeBoard();
    expect(await bench.program(extra)).toMatchObject({ phase: 'interrupted', code: 'HD-07', record: null });
    restore();
    expect(await bench.program(extra)).toMatchObject({ phase: 'passed' });
  });

  it('A19: when its hours are over, the station holds', async () => {
    const { bench } = await openCutOff();
    await makeOffline(bench);
    factory.clock.advance(2 * HOUR_MS);
    expect((await bench.program(factory.makeBoard())).code).toMatch(/^HD-07|LS-511$/);
  });

  it('nothing is made where the rules allow nothing, which is where they are silent', async () => {
    await factory.close();
    factory = await openFactory(0);
    const { bench, restore } = await openCutOff();
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'interrupted', code: 'HD-01' });
    restore();
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
  });

  it('nothing is made with a clock that only the line could confirm', async () => {
    const { bench } = await openCutOff({ ports: { timeService: undefined } as unknown as Partial<StationPorts> });
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'interrupted', code: 'HD-01' });
  });

  it('nothing is made after a restart, because nobody is signed in', async () => {
    const { bench } = await openCutOff();
    const board = await makeOffline(bench);
    await bench.restart();
    expect((await bench.program(factory.makeBoard())).phase).not.toBe('passed');
    expect(await bench.scan(board.serial)).toMatchObject({ code: 'HD-06' });
  });

  it('a bad unit is bad at once, and so it is in the log', async () => {
    const { bench, recovered, restore } = await openCutOff();
    const board = factory.makeBoard();
    board.chip.inject({
      stuckBits: [
        { address: 0x1003, bit: 2, value: 0 },
        { address: 0x1003, bit: 3, value: 1 },
      ],
    });
    const result = await bench.program(board);
    expect(result.phase).toBe('failed');
    restore();
    await bench.program(factory.makeBoard());
    expect(recovered[0]).toMatchObject({ phase: 'failed', code: result.code, serial: board.serial });
  });

  it('I14: a lost answer, a crash of the line and a second delivery change nothing', async () => {
    const { bench, recovered, restore } = await openCutOff();
    const boards = [await makeOffline(bench), await makeOffline(bench)];
    restore();
    const { line } = factory.wire;
    const cut = new Proxy(line as object, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const call = (...values: unknown[]): unknown => Reflect.apply(value, target, values);
        if (name !== 'submitAll') return call;
        return async (...values: unknown[]) => {
          await call(...values);
          throw new Error('the answer was lost');
        };
      },
    }) as typeof line;
    factory.wire.line = cut;
    expect(await bench.program(factory.makeBoard())).toMatchObject({ code: 'HD-06' });
    await factory.restartLine();
    await bench.restart();
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
    expect(recovered.filter(({ phase }) => phase === 'passed').map(({ serial }) => serial)).toEqual(
      boards.map(({ serial }) => serial),
    );
    for (const board of boards) expect(await verdictOf(board)).toEqual(['VERIFIED', null]);
  });
});

describe('what two stations made of one device', () => {
  beforeEach(async () => {
    await factory.close();
    factory = await openFactory(MAX_UNITS, { withLock: false });
  });

  it('A23: the first to deliver has it; the other is refused, stops, and the unit is held', async () => {
    const names: readonly StationName[] = ['ST-07', 'ST-08'];
    const benches = await Promise.all(names.map((name) => openBench({ name })));
    for (const { bench } of benches) await bench.program(factory.makeBoard());
    const restore = cutLine();
    const board = factory.makeBoard();
    const [first, other] = benches as [OfflineBench, OfflineBench];
    for (const { bench } of benches) expect(await bench.program(board)).toMatchObject({ code: 'HD-06' });
    restore();
    expect(await first.bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
    expect(first.recovered.at(-1)).toMatchObject({ phase: 'passed', serial: board.serial });
    const next = await other.bench.program(factory.makeBoard());
    expect(other.recovered.at(-1)).toMatchObject({ phase: 'stopped', code: 'LS-102', serial: board.serial });
    expect(other.recovered.at(-1)?.record).not.toBeNull();
    expect(next).toMatchObject({ phase: 'stopped', code: 'LS-503' });
    expect(await stopsOf()).toEqual(['LS-102']);
    await releaseStops();
    expect(await other.bench.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
    expect(await verdictOf(board)).toEqual(['VERIFIED', null]);
  });
});

describe('a spool that somebody was at', () => {
  const changes: readonly (readonly [string, string, (disk: Map<string, Uint8Array>) => void])[] = [
    ['A20: deleted', 'LS-312', (disk) => disk.delete('spool/records')],
    [
      'A20: deleted with what speaks of it',
      'LS-312',
      (disk) => {
        disk.delete('spool/records');
        disk.delete('spool-head');
        forgetJournals(disk);
      },
    ],
    [
      'A20: deleted with the journal',
      'LS-312',
      (disk) => {
        disk.delete('spool/records');
        forgetJournals(disk);
      },
    ],
    [
      'A19: its last record cut off',
      'LS-312',
      (disk) => {
        putLines(disk, 'spool/records', linesOf(disk, 'spool/records').slice(0, -1));
        forgetJournals(disk);
      },
    ],
    [
      'A19: one record in the middle dropped',
      'LS-313',
      (disk) => {
        const lines = linesOf(disk, 'spool/records');
        putLines(disk, 'spool/records', [...lines.slice(0, 2), ...lines.slice(3)]);
      },
    ],
    [
      'A20: reordered',
      'LS-313',
      (disk) => {
        const lines = linesOf(disk, 'spool/records');
        const [base, first, second, ...rest] = lines as [string, string, string, ...string[]];
        putLines(disk, 'spool/records', [base, second, first, ...rest]);
      },
    ],
    [
      'A20: one bit of it changed',
      'LS-313',
      (disk) => {
        const bytes = Uint8Array.from(disk.get('spool/records') as Uint8Array);
        bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
        disk.set('spool/records', bytes);
      },
    ],
  ];

  it.each(changes)('%s: named, logged, and the station stops (%s)', async (_, code, alter) => {
    const { bench, restore } = await openCutOff();
    const boards = [await makeOffline(bench), await makeOffline(bench)];
    restore();
    const { bench: after } = await openBench({ disk: alterDisk(bench, alter) });
    const result = await after.program(factory.makeBoard());
    expect(result).toMatchObject({ phase: 'stopped', code });
    expect(result.record).not.toBeNull();
    expect(await stopsOf()).toEqual([code]);
    expect(await after.program(factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-503' });
    await releaseStops();
    expect(await after.program(factory.makeBoard())).toMatchObject({ phase: 'passed' });
    for (const board of boards) expect((await verdictOf(board))[0]).not.toBe('VERIFIED');
  });

  it('an older copy of the whole disk is found out by the line', async () => {
    const { bench, restore } = await openCutOff();
    restore();
    const older = alterDisk(bench, () => undefined);
    const cut = cutLine();
    await makeOffline(bench);
    cut();
    await bench.program(factory.makeBoard());
    const { bench: after } = await openBench({ disk: older });
    expect(await after.program(factory.makeBoard())).toMatchObject({ phase: 'stopped' });
  });
});

// SPDX-License-Identifier: Apache-2.0
/**
 * The power goes at every call that printing, scanning, reprinting and voiding make to disk, line and printer, before and
 * after its effect. Whatever is found then: one label at most counts, and the unit gets its label without anybody's help
 * but a scan or a reprint.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RefusedError } from '@witnessmark/core';
import type { FileSystem, LabelDesk, LabelPrinter, LabelResult } from '@witnessmark/station';
import type { LineService } from '@witnessmark/api';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import type { SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { SimPrinter } from '../src/sim/sim-printer.ts';

class PowerCut extends Error {}

/** Counts calls, and cuts the power at one of them; from then on nothing answers. */
class Breaker {
  calls = 0;
  isArmed = false;
  #isCut = false;
  readonly #at: number;
  readonly #when: 'before' | 'after';

  constructor(at: number, when: 'before' | 'after') {
    this.#at = at;
    this.#when = when;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (!this.isArmed) return call();
    this.calls += 1;
    const isHere = this.calls === this.#at;
    if (this.#isCut || (isHere && this.#when === 'before')) throw this.#cut();
    const answer = await call();
    if (isHere) throw this.#cut();
    return answer;
  }

  #cut(): PowerCut {
    this.#isCut = true;
    return new PowerCut();
  }
}

function breakable<T extends object>(target: T, names: readonly (keyof T & string)[], breaker: Breaker): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (!names.includes(name as keyof T & string)) return call;
      return (...args: unknown[]) => breaker.pass(() => call(...args) as Promise<unknown>);
    },
  });
}

const NEVER = 0;
let factory: SimFactory;
beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});
afterAll(() => factory.close());

const decision = () => ({ reason: 'as decided', signer: factory.people.supervisor.key });

interface Workplace {
  readonly desk: LabelDesk;
  readonly disk: CrashFs;
}

async function open(printer: LabelPrinter, disk: CrashFs, breaker: Breaker): Promise<Workplace> {
  const files: FileSystem = breakable<FileSystem>(
    disk,
    ['open', 'rename', 'remove', 'syncDirectory', 'makeDirectory'],
    breaker,
  );
  const line = breakable<LineService>(factory.wire, ['submit', 'unitEvidence'], breaker);
  const bench = await SimBench.open(factory, {
    ports: { line, labels: { printer: breakable(printer, ['print'], breaker), files } },
  });
  if (bench.station.labels === null) throw new Error('the station has a printer');
  return { desk: bench.station.labels, disk };
}

type Work = (desk: LabelDesk, printer: SimPrinter, board: SimBoard) => Promise<LabelResult>;

const WORK: Readonly<Record<string, { readonly before: Work | null; readonly work: Work }>> = {
  print: { before: null, work: (desk, _, board) => desk.print(board.serial) },
  scan: { before: (desk, _, board) => desk.print(board.serial), work: (desk, printer) => desk.scan(printer.last) },
  reprint: {
    before: (desk, _, board) => desk.print(board.serial),
    work: (desk, _, board) => desk.reprint(board.serial, decision()),
  },
  void: {
    before: (desk, _, board) => desk.print(board.serial),
    work: (desk, _, board) => desk.void(board.serial, decision()),
  },
};

/** Runs one piece of work with the power cut at a call; answers how many calls there were, and how it is found afterwards. */
async function runCut(name: string, at: number, when: 'before' | 'after'): Promise<number> {
  const { before, work } = WORK[name]!;
  const printer = new SimPrinter();
  const board = factory.makeBoard();
  const maker = await SimBench.open(factory);
  expect((await maker.program(board)).phase).toBe('passed');
  const fresh = await open(printer, new CrashFs(), new Breaker(NEVER, 'before'));
  if (before !== null) await before(fresh.desk, printer, board);
  const breaker = new Breaker(at, when);
  const place = await open(printer, new CrashFs(fresh.disk.durableImage()), breaker);
  breaker.isArmed = true;
  await work(place.desk, printer, board).catch((error: unknown) => {
    if (!(error instanceof PowerCut || (error instanceof Error && error.cause instanceof PowerCut))) throw error;
  });
  // What was not synced is lost when the power goes before an effect, and kept when it goes after.
  const left = when === 'before' ? place.disk.durableImage() : place.disk.currentImage();
  await expectLabelled(await open(printer, new CrashFs(left), new Breaker(NEVER, 'before')), printer, board);
  return breaker.calls;
}

/** A person goes on as the codes say: prints, and where a label may have been printed, has another in its place. */
async function expectLabelled({ desk }: Workplace, printer: SimPrinter, board: SimBoard): Promise<void> {
  const code = await desk.print(board.serial).then(
    () => null,
    (error: unknown) => {
      if (error instanceof RefusedError) return error.code;
      throw error;
    },
  );
  if (code === 'LB-111') {
    expect(await desk.findWaiting()).toMatchObject({ serial: board.serial });
    await desk.reprint(board.serial, decision());
  } else if (code !== 'LB-109') expect(code).toBeNull();
  if (code !== 'LB-109') await desk.scan(printer.last, board.serial);
  expect(await desk.findWaiting()).toBeNull();
  for (const stale of printer.labels.slice(0, -1)) {
    await expect(desk.scan(stale, board.serial)).rejects.toMatchObject({ code: 'LB-110' });
  }
  const evidence = await factory.evidence(board);
  expect(factory.verify(evidence ?? new Uint8Array()).verdict).toBe('VERIFIED');
}

describe('I2, I14: the power goes at every call', () => {
  it.each(Object.keys(WORK))('of %s', { timeout: 120_000 }, async (name) => {
    const calls = await runCut(name, NEVER, 'before');
    expect(calls).toBeGreaterThan(3);
    for (let at = 1; at <= calls; at += 1)
      for (const when of ['before', 'after'] as const) await runCut(name, at, when);
  });
});

// SPDX-License-Identifier: Apache-2.0
/** Labels from the record, over the real line: printed after the receipt, scanned back, reprinted, voided (spec/label-event.md). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RefusedError } from '@witnessmark/core';
import { parseUnitEvidence } from '@witnessmark/bundle';
import {
  labelEvent,
  parseStatement,
  PREDICATE_TYPES,
  readPredicateType,
  type LabelEvent,
} from '@witnessmark/attestation';
import type { LabelDesk } from '@witnessmark/station';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { SimPrinter } from '../src/sim/sim-printer.ts';
import type { SimBoard } from '../src/sim/sim-device.ts';

let factory: SimFactory;
let bench: SimBench;
let printer: SimPrinter;
let disk: CrashFs;

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});
afterAll(() => factory.close());

beforeEach(async () => {
  printer = new SimPrinter();
  disk = new CrashFs();
  bench = await SimBench.open(factory, { ports: { labels: { printer, files: disk } } });
});

/** No stop and no label may wait when the next test begins. */
afterEach(async () => {
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'voidLabel');
});

function desk(): LabelDesk {
  const { labels } = bench.station;
  if (labels === null) throw new Error('the station has a printer');
  return labels;
}

async function pass(): Promise<SimBoard> {
  const board = factory.makeBoard();
  expect((await bench.program(board)).phase).toBe('passed');
  return board;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => 'nothing refused',
    (error: unknown) => error,
  );
  if (outcome instanceof RefusedError) return outcome.code;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}

async function events(board: SimBoard): Promise<readonly LabelEvent[]> {
  const evidence = await factory.evidence(board);
  return parseUnitEvidence(evidence ?? new Uint8Array())
    .entries.map(({ envelope }) => envelope.payload)
    .filter((payload) => readPredicateType(payload) === PREDICATE_TYPES.labelEvent)
    .map((payload) => parseStatement(labelEvent, payload).predicate);
}

async function verdict(board: SimBoard): Promise<string> {
  const evidence = await factory.evidence(board);
  if (evidence === null) throw new Error('the line knows the board');
  const { verdict: said, code, checks } = factory.verify(evidence);
  return said === 'VERIFIED' ? (checks.find(({ name }) => name === 'label')?.detail ?? '') : `${said} ${code ?? ''}`;
}

const operator = () => factory.people.operators['ST-07'].key;
const supervisor = () => factory.people.supervisor.key;

describe('a label from the record', () => {
  it('is printed after PASS, scanned back, and both are in the evidence', async () => {
    const board = await pass();
    const printed = await desk().print(board.serial);
    expect(printed).toMatchObject({ action: 'printed', serial: board.serial, deviceId: board.deviceId, copy: 1 });
    expect(await verdict(board)).toContain('not scanned back');
    await desk().scan(printer.last);
    expect((await events(board)).map(({ action }) => action)).toEqual(['printed', 'scanned']);
    expect(await verdict(board)).toContain('copy 1 printed from the record and scanned back');
  });

  it('is refused to a unit that did not pass, and to one nobody has begun (LB-108)', async () => {
    expect(await codeOf(desk().print(factory.makeBoard().serial))).toBe('LB-108');
    expect(printer.labels).toEqual([]);
  });

  it('is demanded before the next unit, also after a restart (LB-111)', async () => {
    const board = await pass();
    await desk().print(board.serial);
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'interrupted', code: 'LB-111' });
    await bench.restart();
    expect(await bench.program(factory.makeBoard())).toMatchObject({ code: 'LB-111' });
    expect(await codeOf(desk().print(board.serial))).toBe('LB-111');
    await desk().scan(printer.last);
    expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
  });

  it('A2: one label on two units stops the line, and a supervisor clears it', async () => {
    const [first, second] = [await pass(), await pass()];
    await desk().print(first.serial);
    const label = printer.last;
    await desk().scan(label);
    await desk().print(second.serial);
    expect(await codeOf(desk().scan(label))).toBe('LS-101');
    const [stop] = await factory.line.line.openStops();
    expect(stop).toMatchObject({ code: 'LS-101', deviceId: second.deviceId });
    await desk().scan(printer.last);
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'stopped' });
  });

  it('A1: the label of another product is refused at the scan-back', async () => {
    const board = await pass();
    await desk().print(board.serial);
    expect(await codeOf(desk().scan(printer.last.replaceAll('GW-210', 'GW-215')))).toBe('LS-101');
    expect(await codeOf(desk().scan(`]C0${board.serial}`))).toBe('LB-115');
    await desk().scan(printer.last);
  });

  it.each([
    ['a letter that looks alike', (label: string) => label.replace('SGW', 'SGVV')],
    [
      'a mark of another record',
      (label: string) => label.replace(/WM1\/([0-9a-f]{16})\/[0-9a-f]{16}/, 'WM1/$1/0000000000000000'),
    ],
    ['another device', (label: string) => label.replace(/WM1\/[0-9a-f]{16}/, 'WM1/0000000000000000')],
    ['half a label', (label: string) => label.slice(0, 30)],
    ['a copy with a leading zero', (label: string) => label.replace(/\/1\u001e/, '/01\u001e')],
  ])('A4: %s is never taken for it', async (_, alter) => {
    const board = await pass();
    await desk().print(board.serial);
    expect(alter(printer.last)).not.toBe(printer.last);
    expect(await codeOf(desk().scan(alter(printer.last)))).toMatch(/^(LS-101|LB-1\d\d)$/);
    expect((await events(board)).map(({ action }) => action)).toEqual(['printed']);
    await desk().scan(printer.last);
  });
});

describe('another label', () => {
  it('is printed once only: a second first label is refused (LB-109)', async () => {
    const board = await pass();
    await desk().print(board.serial);
    await desk().scan(printer.last);
    expect(await codeOf(desk().print(board.serial))).toBe('LB-109');
    expect(await codeOf(desk().scan(printer.last, board.serial))).toBe('LB-109');
    expect(printer.labels).toHaveLength(1);
  });

  it('needs a reason and a person; it replaces the one before, whose scan is refused', async () => {
    const board = await pass();
    await desk().print(board.serial);
    const [first] = printer.labels;
    expect(await codeOf(desk().reprint(board.serial, { reason: ' ', signer: operator() }))).toBe('LB-113');
    expect(await codeOf(desk().reprint(board.serial, { reason: 'x', signer: factory.people.author.key }))).toBe(
      'LB-113',
    );
    const again = await desk().reprint(board.serial, { reason: 'smeared', signer: operator() });
    expect(again.copy).toBe(2);
    expect(await codeOf(desk().scan(first ?? ''))).toBe('LB-110');
    await desk().scan(printer.last);
    const [, reprinted] = await events(board);
    expect(reprinted).toMatchObject({
      action: 'reprinted',
      reason: 'smeared',
      copy: 2,
      authority: { id: 'op-3310', role: 'operator' },
    });
    expect(await verdict(board)).toContain('copy 2');
  });

  it('may be printed after the one before was voided by a supervisor, by nobody else', async () => {
    const board = await pass();
    await desk().print(board.serial);
    await desk().scan(printer.last);
    expect(await codeOf(desk().void(board.serial, { reason: 'torn', signer: operator() }))).toBe('LB-113');
    await desk().void(board.serial, { reason: 'torn', signer: supervisor() });
    expect(await verdict(board)).toBe('FAILED EV-112');
    expect(await codeOf(desk().scan(printer.last, board.serial))).toBe('LB-110');
    expect(await codeOf(desk().void(board.serial, { reason: 'torn', signer: supervisor() }))).toBe('LB-110');
    expect((await desk().print(board.serial)).copy).toBe(2);
    await desk().scan(printer.last);
    expect(await verdict(board)).toContain('copy 2');
  });

  it('is never the second that counts, when two stations print at once', async () => {
    const other = new SimPrinter();
    const secondBench = await SimBench.open(factory, {
      name: 'ST-08',
      ports: { labels: { printer: other, files: new CrashFs() } },
    });
    const board = await pass();
    const results = await Promise.allSettled([
      desk().print(board.serial),
      secondBench.station.labels?.print(board.serial),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(printer.labels.length + other.labels.length).toBe(1);
    const [label = ''] = [...printer.labels, ...other.labels];
    await desk().scan(label, board.serial);
  });
});

describe('a printer that fails', () => {
  it.each(['silent', 'jammed'] as const)(
    '%s: the label may have been printed, so it is reprinted (LB-112)',
    async (trouble) => {
      const board = await pass();
      printer.trouble = trouble;
      expect(await codeOf(desk().print(board.serial))).toBe('LB-112');
      printer.trouble = null;
      await bench.restart();
      expect(await codeOf(desk().print(board.serial))).toBe('LB-111');
      await desk().reprint(board.serial, { reason: 'out of labels', signer: operator() });
      expect((await bench.program(factory.makeBoard())).code).toBe('LB-111');
      const stale = printer.labels.length === 2 ? printer.labels[0] : undefined;
      if (stale !== undefined) expect(await codeOf(desk().scan(stale))).toBe('LB-110');
      await desk().scan(printer.last);
      expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    },
  );
});

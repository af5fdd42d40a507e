// SPDX-License-Identifier: Apache-2.0
/** A station with several places: verdicts by slot, what one slot's trouble means for the others, panels, crashes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '@witnessmark/api';
import { parseStatement, provisioningEvent, type ProvisioningEvent } from '@witnessmark/attestation';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { PanelScan, type ReleaseSource, type UnitResult } from '@witnessmark/station';
import { checkChain, readUnit } from '../src/crash/checkers.ts';
import type { Fate } from '../src/crash/crash-fs.ts';
import { FaultPlan, type Fault } from '../src/crash/fault-plan.ts';
import { faultyDriver, faultyFiles, faultyLine, faultySigner } from '../src/crash/faulty-ports.ts';
import { beforeOperation, inspectBoard, type SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { SimSlots } from '../src/sim/sim-slots.ts';

const IMAGE_ADDRESS = 0x1000;

let factory: SimFactory;
beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});
afterAll(() => factory.close());
afterEach(async () => {
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation').catch(voidLabel);
  async function voidLabel(): Promise<void> {
    for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'voidLabel');
  }
});

async function eventOf(board: SimBoard): Promise<ProvisioningEvent> {
  const evidence = await factory.evidence(board);
  const payloads = parseUnitEvidence(evidence ?? new Uint8Array()).entries.map(({ envelope }) => envelope.payload);
  for (const payload of payloads.toReversed()) {
    try {
      return parseStatement(provisioningEvent, payload).predicate;
    } catch {
      // Another kind of statement.
    }
  }
  throw new Error('no event');
}

describe('slots at work', () => {
  it('pass eight units at once, each with its slot in its record, under one session and one refresh', async () => {
    let refreshes = 0;
    const source = factory.releaseSource('ST-07');
    const releases: ReleaseSource = {
      refresh: async (now) => {
        refreshes += 1;
        await new Promise((done) => setImmediate(done));
        await source.refresh(now);
      },
      releaseInEffect: (query) => source.releaseInEffect(query),
    };
    const sizeBefore = factory.line.log.size;
    const slots = await SimSlots.open(factory, { count: 8, ports: { releases } });
    expect(factory.line.log.size - sizeBefore).toBeLessThanOrEqual(2);
    const boards = slots.group.numbers.map(() => factory.makeBoard());
    const results = await Promise.all(boards.map((board, index) => slots.program(index + 1, board)));
    expect(results.map(({ phase }) => phase)).toEqual(boards.map(() => 'passed'));
    expect(refreshes).toBeLessThan(8);
    for (const [index, board] of boards.entries()) {
      const evidence = await factory.evidence(board);
      expect(evidence === null ? null : factory.verify(evidence).verdict).toBe('VERIFIED');
      expect((await eventOf(board)).station.slot).toBe(index + 1);
    }
  });

  it('a bad unit in one slot is its own verdict, and its slot is on the count', async () => {
    const slots = await SimSlots.open(factory, { count: 3 });
    const boards = [1, 2, 3].map(() => factory.makeBoard());
    boards[1]?.chip.inject({
      stuckBits: [
        { address: IMAGE_ADDRESS + 7, bit: 0, value: 1 },
        { address: IMAGE_ADDRESS + 7, bit: 1, value: 0 },
      ],
    });
    const results = await Promise.all(boards.map((board, index) => slots.program(index + 1, board)));
    expect(results.map(({ phase }) => phase)).toEqual(['passed', 'failed', 'passed']);
    const [tally] = (await factory.line.line.stationTallies()).filter(({ station }) => station === 'ST-07');
    expect(tally?.slots.find(({ slot }) => slot === 2)?.failed).toBe(1);
    expect(tally?.slots.find(({ slot }) => slot === 3)?.failed).toBe(0);
  });

  it('A1 a line stop in one slot lets running units end and no new one begin, anywhere at the station', async () => {
    const reached = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const slots = await SimSlots.open(factory, {
      count: 2,
      alterDriver: (driver, slot) =>
        slot === 1
          ? driver
          : {
              ...beforeOperation(driver, 'program', () => undefined),
              program: async (order, options) => {
                reached.resolve(undefined);
                await goOn.promise;
                return driver.program(order, options);
              },
            },
    });
    const running = slots.program(2, factory.makeBoard());
    await reached.promise;
    const [board, other] = [factory.makeBoard(), factory.makeBoard()];
    const swapped = await slots.program(1, board, { label: { raw: other.serial, symbology: 'd2' } });
    expect(swapped).toMatchObject({ phase: 'stopped', code: 'LS-101' });
    goOn.resolve(undefined);
    expect((await running).phase).toBe('passed');
    expect(await slots.program(2, factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-503' });
    expect(await slots.program(1, board)).toMatchObject({ phase: 'stopped', code: 'LS-503' });
    for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'voidLabel');
    expect((await slots.program(2, factory.makeBoard())).phase).toBe('passed');
    expect((await slots.program(1, board)).phase).toBe('passed');
  });

  it('A1 a stop the line has not heard of is told before another slot begins', async () => {
    let isCut = false;
    const { wire } = factory;
    const slots = await SimSlots.open(factory, {
      count: 2,
      alterPorts: (slot) => ({
        line: {
          requestPermit: (request) => wire.requestPermit(request),
          submit: (statement, attachments) => {
            if (slot === 1 && isCut) return Promise.reject(new ApiError('ERR_API_UNREACHABLE', 'cut'));
            return wire.submit(statement, attachments);
          },
          time: () => wire.time(),
          unitEvidence: (unit) => wire.unitEvidence(unit),
        },
      }),
    });
    isCut = true;
    const label = { raw: factory.makeBoard().serial, symbology: 'd2' };
    const swapped = await slots.program(1, factory.makeBoard(), { label });
    expect(swapped).toMatchObject({ phase: 'stopped', code: 'LS-101', record: null });
    const hindered = await slots.program(2, factory.makeBoard());
    expect(hindered).toMatchObject({ phase: 'stopped', code: 'LS-101' });
    expect(hindered.detail).toContain('slot 1');
    isCut = false;
    expect(await slots.program(2, factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-503' });
  });

  it('I9 a disk that fails under one slot stops all of them', async () => {
    const plans = [new FaultPlan(), new FaultPlan()];
    let fails = false;
    const slots = await SimSlots.open(factory, {
      count: 2,
      alterFiles: (files, slot) => ({
        ...faultyFiles(files, plans[slot - 1] as FaultPlan),
        open: (path, mode) => (fails && slot === 1 ? Promise.reject(new Error('ENOSPC')) : files.open(path, mode)),
      }),
    });
    fails = true;
    expect(await slots.program(1, factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-302' });
    const board = factory.makeBoard();
    expect(await slots.program(2, board)).toMatchObject({ phase: 'stopped', code: 'LS-302' });
    expect(inspectBoard(board, IMAGE_ADDRESS, factory.image).isBlank).toBe(true);
  });

  it('Ctrl-C ends all slots, and a new process finishes what they had begun', async () => {
    const controller = new AbortController();
    const slots = await SimSlots.open(factory, {
      count: 3,
      alterDriver: (driver) =>
        beforeOperation(driver, 'readBack', () => {
          controller.abort();
        }),
    });
    const boards = [1, 2, 3].map(() => factory.makeBoard());
    const { signal } = controller;
    const ended = await Promise.all(boards.map((board, index) => slots.program(index + 1, board, { signal })));
    expect(ended.map(({ phase }) => phase)).toEqual(['interrupted', 'interrupted', 'interrupted']);
    const disks = slots.files.map((files) => files.currentImage());
    const next = await SimSlots.open(factory, { count: 3, boards, disks });
    const reports = [...(await next.group.recover()).values()];
    // Whoever had not begun yet is begun again; whoever had is read back, and finished or held.
    const begun = reports.flatMap(({ units }) => units);
    expect(begun.length).toBeGreaterThan(0);
    for (const { phase, code, record } of begun) {
      expect(record).not.toBeNull();
      expect(['passed', 'interrupted HD-02']).toContain(`${phase} ${code ?? ''}`.trim());
    }
    expect(begun.map(({ phase }) => phase)).toContain('passed');
    const rest = boards.filter(({ deviceId }) => !begun.some((unit) => unit.deviceId === deviceId));
    for (const board of rest) expect((await next.program(boards.indexOf(board) + 1, board)).phase).toBe('passed');
  });
});

describe('a panel', () => {
  it('is programmed position by position, X-outs never, and every record says its place', async () => {
    const slots = await SimSlots.open(factory, { count: 2 });
    const boards = [1, 2, 3, 4].map(() => factory.makeBoard());
    const scan = new PanelScan('P-0042', { slots: [1, 2, 1, 2] }, [3]);
    for (const position of [1, 2, 4]) {
      scan.scan({ raw: (boards[position - 1] as SimBoard).serial, symbology: 'd2' }, position);
    }
    const results: UnitResult[] = [];
    for (const { slot, label, panel } of scan.complete()) {
      results.push(await slots.program(slot, boards[panel.position - 1] as SimBoard, { label, panel }));
    }
    expect(results.map(({ phase }) => phase)).toEqual(['passed', 'passed', 'passed']);
    expect((await eventOf(boards[3] as SimBoard)).identity.panel).toEqual({
      id: 'P-0042',
      position: 4,
      positions: 4,
      xOuts: [3],
    });
    expect(inspectBoard(boards[2] as SimBoard, IMAGE_ADDRESS, factory.image).isBlank).toBe(true);
  });
});

describe('two slots, a crash at every port call', { timeout: 240_000 }, () => {
  /** Runs both slots in one process that may die, then a second one that recovers; returns the calls of the first. */
  async function crashAt(fault: Fault | null, fate: Fate): Promise<readonly string[]> {
    const plan = new FaultPlan(fault);
    const boards = [factory.makeBoard(), factory.makeBoard()] as const;
    const untouched = (): Promise<void> => Promise.resolve();
    const { wire } = factory;
    let slots: SimSlots | null = null;
    const told: UnitResult[] = [];
    try {
      slots = await SimSlots.open(factory, {
        count: 2,
        boards,
        alterFiles: (files) => faultyFiles(files, plan),
        alterDriver: (driver) => faultyDriver(driver, plan, untouched),
        ports: {
          line: faultyLine(wire, plan),
          signer: faultySigner(factory.people.stations['ST-07'].key, plan),
        },
      });
      const group = slots;
      const units = await Promise.allSettled(boards.map((board, index) => group.program(index + 1, board)));
      for (const unit of units) {
        if (unit.status === 'fulfilled') told.push(unit.value);
        else if (!plan.isDead) throw unit.reason;
      }
    } catch (error) {
      // What a dying process still says is said to nobody.
      if (!plan.isDead) throw error;
    }
    for (const { chip } of boards) chip.powerOff();
    const disks = slots?.files.map((files) => (plan.isDead ? files.cutPower(() => fate) : files.currentImage())) ?? [];
    plan.kill();
    for (const { chip } of boards) chip.powerOn();
    const next = await SimSlots.open(factory, { count: 2, boards, disks, isUnattended: true });
    const reports = await next.group.recover();
    expect(
      [...reports.values()].map(({ pending }) => pending),
      describeFault(fault, plan),
    ).toEqual([0, 0]);
    for (const board of boards) {
      const facts = { ...(await readUnit(factory, board)), ...inspectBoard(board, IMAGE_ADDRESS, factory.image) };
      expect([...checkChain(facts)], describeFault(fault, plan)).toEqual([]);
      const last = facts.chain.events.at(-1);
      for (const event of facts.chain.events) expect(event.station.slot).toBe(boards.indexOf(board) + 1);
      const wasTold = told.some(({ phase, deviceId }) => phase === 'passed' && deviceId === board.deviceId);
      if (wasTold) expect(last?.outcome, describeFault(fault, plan)).toBe('SUCCEEDED');
      if (last?.outcome === 'SUCCEEDED') expect(facts.report?.verdict).toBe('VERIFIED');
    }
    return plan.calls;
  }

  it('A67 leaves no unit without a record, in either slot, whatever of the disks survives', async () => {
    const calls = await crashAt(null, 'kept');
    expect(calls.length).toBeGreaterThan(80);
    const fates: readonly Fate[] = ['kept', 'lost'];
    for (const at of calls.keys()) {
      // Before a call is behind the one before it.
      await crashAt({ at, mode: 'crash-after' }, fates[at % 2] as Fate);
    }
  });
});

function describeFault(fault: Fault | null, { calls }: FaultPlan): string {
  return fault === null ? 'no fault' : `${fault.mode} ${fault.at} ${calls[fault.at] ?? '?'}`;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A station that measures itself: what is not as approved makes no units, and of two copies of a station, or a station and
 * its own past, one goes on. Each "no" is in the log.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseStatement, PREDICATE_TYPES, readPredicateType, refusal, stationStart } from '@witnessmark/attestation';
import { ApiError } from '@witnessmark/api';
import { parseEnvelope } from '@witnessmark/core';
import type { GateSchedule } from '@witnessmark/station';
import { SimBench, type BenchOptions } from '../src/sim/sim-bench.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { gateOf, SimMachine } from '../src/sim/sim-gate.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SCHEDULE: GateSchedule = { intervalMs: 8 * HOUR_MS, shiftAfterMs: HOUR_MS };
/** What was signed just before may still be on its way; later than this it is missed. */
const LATER_MS = MINUTE_MS;

let factory: SimFactory;
let machine: SimMachine;
let bench: SimBench;

beforeEach(async () => {
  factory = await SimFactory.open({
    rules: { stations: { measured: 'required', maxMeasurementAgeMs: 24 * HOUR_MS } },
  });
  machine = new SimMachine();
  await machine.approve(factory);
  bench = await open();
});

afterEach(() => factory.close());

function open(options: Partial<BenchOptions> = {}): Promise<SimBench> {
  return SimBench.open(factory, { makeGate: gateOf(machine, SCHEDULE), ...options });
}

/** Programs a fresh board for somebody who has just signed in; `passed`, or the code it ended with. */
async function make(station: SimBench = bench): Promise<string> {
  await station.station.signIn(await factory.session('ST-07', true));
  return program(station);
}

async function program(station: SimBench): Promise<string> {
  const result = await station.program(factory.makeBoard());
  return result.phase === 'passed' ? 'passed' : String(result.code);
}

async function logged(): Promise<{
  readonly starts: readonly string[];
  readonly refusals: readonly { readonly code: string; readonly observed: string }[];
}> {
  const { log } = factory.line;
  const starts: string[] = [];
  const refusals: { code: string; observed: string }[] = [];
  for (let index = 0; index < log.size; index += 1) {
    const { payload } = parseEnvelope(await log.readEntry(index));
    const type = readPredicateType(payload);
    if (type === PREDICATE_TYPES.stationStart) {
      const { sequence, reason } = parseStatement(stationStart, payload).predicate;
      starts.push(`${sequence} ${reason}`);
    } else if (type === PREDICATE_TYPES.refusal) {
      const { code, observed } = parseStatement(refusal, payload).predicate;
      refusals.push({ code, observed });
    }
  }
  return { starts, refusals };
}

describe('a station that measures itself', () => {
  it('is measured at its start, at a shift and when the measurement is old; units name the start they were made under', async () => {
    expect(await make()).toBe('passed');
    const board = factory.makeBoard();
    expect((await bench.program(board)).phase).toBe('passed');
    expect((await logged()).starts).toEqual(['1 start']);
    factory.clock.advance(2 * HOUR_MS);
    expect(await make()).toBe('passed');
    factory.clock.advance(MINUTE_MS);
    expect(await make()).toBe('passed');
    expect((await logged()).starts).toEqual(['1 start', '2 shift']);

    bench = await open({ disk: bench.disk, makeGate: gateOf(machine, { ...SCHEDULE, intervalMs: 20 * MINUTE_MS }) });
    expect(await make()).toBe('passed');
    factory.clock.advance(20 * MINUTE_MS);
    expect(await program(bench)).toBe('passed');
    expect((await logged()).starts).toEqual(['1 start', '2 shift', '3 start', '4 timer']);

    const first = (await factory.line.line.siteRecords('station-start')).at(-1);
    const evidence = await factory.evidence(board);
    if (evidence === null) throw new Error('the unit has no evidence');
    const text = new TextDecoder().decode(evidence);
    const payloads = [...text.matchAll(/"payload":"([^"]+)"/g)].map(([, part]) =>
      Buffer.from(part ?? '', 'base64').toString(),
    );
    expect(payloads.filter((payload) => payload.includes(`"startDigest":{"sha256":"${first?.digest}"`))).toHaveLength(
      2,
    );
    expect(factory.verify(evidence).verdict).toBe('VERIFIED');
  });

  it('A21: makes no unit while it is not as approved (LS-401), and goes on when it is again', async () => {
    machine.set('files', ['/usr/sbin/flashrom sha256:01 0:0 0755']);
    expect(await make()).toBe('LS-401');
    expect(await make()).toBe('LS-401');
    const { refusals, starts } = await logged();
    expect(starts).toEqual([]);
    expect(refusals[0]).toEqual({
      code: 'LS-401',
      observed:
        'files missing: /usr/sbin/flashrom sha256:00 0:0 0755; files added: /usr/sbin/flashrom sha256:01 0:0 0755',
    });
    machine.set('files', ['/usr/sbin/flashrom sha256:00 0:0 0755']);
    expect(await make()).toBe('passed');
  });

  it('A21: or when the change has been approved by two people', async () => {
    machine.set('packages', ['flashrom:amd64 1.4.0-1 77aa']);
    expect(await make()).toBe('LS-401');
    await machine.approve(factory);
    expect(await make()).toBe('passed');
    expect((await logged()).starts).toEqual(['1 start']);
  });

  it('names a device that nobody approved (LS-402), and one that is gone (LS-401)', async () => {
    machine.set('usb', ['0403:6014 - FT9Z1 FT232H', '0951:1666 - - stick']);
    expect(await make()).toBe('LS-402');
    machine.set('usb', []);
    expect(await make()).toBe('LS-401');
  });

  it('finishes the unit that is open while it is not as approved, and begins none', async () => {
    const board = factory.makeBoard();
    const { submit } = factory.wire;
    let isCut = false;
    factory.wire.submit = async (statement, attachments) => {
      const entry = await submit.call(factory.wire, statement, attachments);
      if (readPredicateType(statement.payload) === PREDICATE_TYPES.provisioningIntent) {
        factory.wire.line = null;
        isCut = true;
      }
      return entry;
    };
    bench.fixture.bay.insert(board.chip);
    expect((await bench.scan(board.serial)).code).toBe('HD-01');
    expect(isCut).toBe(true);
    factory.wire.submit = submit;
    factory.wire.line = factory.line.line;
    machine.set('sudo', ['line ALL']);
    await bench.restart();
    const { units, pending } = await bench.station.recover();
    expect([units.map(({ phase }) => phase), pending]).toEqual([['passed'], 0]);
    expect(await make()).toBe('LS-401');
  });

  it('is refused without a measurement where the line asks for one (LS-408)', async () => {
    expect(await make(await SimBench.open(factory))).toBe('LS-408');
  });

  it('is refused when its measurement is older than the line allows (LS-408)', async () => {
    const lazy = await open({ makeGate: gateOf(machine, { intervalMs: 100 * HOUR_MS, shiftAfterMs: 100 * HOUR_MS }) });
    expect(await make(lazy)).toBe('passed');
    factory.clock.advance(25 * HOUR_MS);
    expect(await make(lazy)).toBe('LS-408');
  });

  it('is refused without an approved build, or with a replaced one (LS-404)', async () => {
    const other = new SimMachine();
    expect(await program(await SimBench.open(factory, { name: 'ST-08', makeGate: gateOf(other, SCHEDULE) }))).toBe(
      'LS-404',
    );
    const { build } = machine;
    await machine.approve(factory);
    machine.build = build;
    expect(await make()).toBe('LS-404');
  });

  it('goes on under its last measurement when the line does not hear the new one, and has it logged later', async () => {
    bench = await open({ makeGate: gateOf(machine, { ...SCHEDULE, intervalMs: 20 * MINUTE_MS }) });
    expect(await make()).toBe('passed');
    factory.clock.advance(20 * MINUTE_MS);
    const { submit } = factory.wire;
    factory.wire.submit = (statement, attachments) => {
      const isStart = readPredicateType(statement.payload) === PREDICATE_TYPES.stationStart;
      if (isStart) return Promise.reject(new ApiError('ERR_API_UNREACHABLE', 'cut'));
      return submit.call(factory.wire, statement, attachments);
    };
    expect(await program(bench)).toBe('passed');
    machine.set('usb', []);
    // What the station sees by itself needs no line.
    expect(await program(bench)).toBe('LS-401');
    factory.wire.submit = submit;
    machine.set('usb', ['0403:6014 - FT9Z1 FT232H']);
    expect(await program(bench)).toBe('passed');
    expect((await logged()).starts).toEqual(['1 start', '2 timer', '3 timer']);
  });
});

describe('copies and pasts of a station', () => {
  it('A12: of a station and a copy of its disk one goes on; the other is stopped, and that is in the log', async () => {
    expect(await make()).toBe('passed');
    const copy = await open({ disk: bench.disk });
    expect(await make(copy)).toBe('passed');
    // The copy took over: the first is another instance of the station now, and cannot take it back.
    expect(await program(bench)).toBe('LS-409');
    await bench.restart();
    expect(await make()).toBe('LS-405');
    expect(await make(copy)).toBe('passed');
    const { refusals } = await logged();
    expect(refusals.map(({ code }) => code)).toEqual(['LS-409', 'LS-405']);
    expect(refusals[1]?.observed).toMatch(/^start 2 after entry \d+, [0-9a-f]{64}$/);
  });

  it('A12: when both start at once, the database lets one of them through', async () => {
    expect(await make()).toBe('passed');
    const disk = bench.disk;
    const [left, right] = [await open({ disk }), await open({ disk })];
    // One operator signed in at both, so a later session is what may stop the one that won.
    const results = await Promise.all([program(left), program(right)]);
    expect(results.filter((result) => result === 'LS-405')).toHaveLength(1);
    expect((await logged()).starts).toEqual(['1 start', '2 start']);
    expect(await make(results[0] === 'LS-405' ? right : left)).toBe('passed');
  });

  it('A13: a station set back to an earlier day is refused by what the log has from it since (LS-406)', async () => {
    expect(await make()).toBe('passed');
    const past = bench.disk;
    expect(await make()).toBe('passed');
    expect(await make()).toBe('passed');
    factory.clock.advance(LATER_MS);
    const restored = await open({ disk: past });
    expect(await make(restored)).toBe('LS-406');
    expect(await make(restored)).toBe('LS-406');
    expect((await logged()).starts).toEqual(['1 start']);
    // The disk that was not set back still is the station.
    await bench.restart();
    expect(await make()).toBe('passed');
  });

  it('A13: or by the start it does not know (LS-405), and without any memory', async () => {
    const empty = bench.disk;
    expect(await make()).toBe('passed');
    await bench.restart();
    expect(await make()).toBe('passed');
    const restored = await open({ disk: empty });
    expect(await make(restored)).toBe('LS-405');
    expect(await make(await open({ disk: new Map() }))).toBe('LS-405');
    // No number was used twice.
    expect((await logged()).starts).toEqual(['1 start', '2 start']);
  });

  it('A12: a token moved into another machine is refused (LS-407)', async () => {
    expect(await make()).toBe('passed');
    machine.fingerprint = '7e'.repeat(32);
    await bench.restart();
    expect(await make()).toBe('LS-407');
    machine.fingerprint = '3a'.repeat(32);
    expect(await make()).toBe('passed');
  });

  it('A12: knows the newest start after the line was started again', async () => {
    expect(await make()).toBe('passed');
    const past = bench.disk;
    await bench.restart();
    expect(await make()).toBe('passed');
    await factory.restartLine();
    expect(await make(await open({ disk: past }))).toBe('LS-405');
    expect(await make()).toBe('passed');
  });

  it('LS-303: a line that was set back is refused by what the station knows', async () => {
    expect(await make()).toBe('passed');
    const { head } = (await logged()).starts.length === 1 ? { head: factory.line.log.size } : { head: 0 };
    expect(head).toBeGreaterThan(0);
    const gate = gateOf(machine, SCHEDULE);
    const ahead = await open({
      disk: bench.disk,
      makeGate: (ports, files) => {
        ports.journal.raiseFloor({ head: { treeSize: 10_000, rootHash: new Uint8Array(32) } });
        return gate(ports, files);
      },
      isUnattended: true,
    });
    await expect(ahead.station.signIn(await factory.session('ST-07', true))).rejects.toMatchObject({ code: 'LS-303' });
  });
});

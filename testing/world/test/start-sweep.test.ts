// SPDX-License-Identifier: Apache-2.0
/**
 * Exhaustive: one start of a station, every port call × {fail before, fail after its effect, crash before, crash after} × what
 * a power cut does to bytes that were not synced, then a second crash at every call of the start after it. Whatever is
 * lost, the station is never taken for a copy of itself, and its chain in the log has no gap and no fork.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStatement, stationStart } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { sha256Hex } from '@witnessmark/core';
import { proveStation, type MeasuredGate, type StationPorts } from '@witnessmark/station';
import { CrashFs, type DiskImage, type Fate, type FateChooser } from '../src/crash/crash-fs.ts';
import { Crash, FAULT_MODES, FaultPlan, type Fault } from '../src/crash/fault-plan.ts';
import { faultyFiles, faultyLine, faultySigner } from '../src/crash/faulty-ports.ts';
import { makeFixture } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { gateOf, SimMachine } from '../src/sim/sim-gate.ts';

const FATES: readonly FateChooser[] = [
  () => 'kept',
  () => 'lost',
  (kind): Fate => (kind === 'name' ? 'kept' : 'torn'),
  (kind): Fate => (kind === 'name' ? 'kept' : 'zeros'),
];
const NONCE = 'sweep-2026';

let factory: SimFactory;
const machine = new SimMachine();
/** One station through all runs: its disk is what the run before left. */
let disk: DiskImage = new Map();
const outcomes = new Map<string, number>();

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
  await machine.approve(factory);
});

afterAll(() => factory.close());

/** One process that measures the station once; its calls, and what it was told. */
async function runProcess(
  fault: Fault | null,
  choose: FateChooser,
): Promise<{ readonly calls: readonly string[]; readonly entry: LoggedEntry | null; readonly code: string | null }> {
  const plan = new FaultPlan(fault);
  const files = new CrashFs(disk);
  let entry: LoggedEntry | null = null;
  let code: string | null = null;
  try {
    const opened: { ports: StationPorts; gate: MeasuredGate }[] = [];
    await factory.startStation({
      files: faultyFiles(files, plan),
      driver: makeFixture().driver,
      line: faultyLine(factory.wire, plan),
      signer: faultySigner(factory.people.stations['ST-07'].key, plan),
      makeGate: async (ports, own) => {
        const gate = await gateOf(machine)(ports, own);
        opened.push({ ports, gate });
        return gate;
      },
    });
    const [station] = opened;
    if (station !== undefined) entry = await proveStation(station.ports, station.gate, NONCE);
  } catch (error) {
    code = (error as { code?: string }).code ?? null;
    if (!(error instanceof Crash) && code === null) throw error;
  }
  disk = plan.isDead ? files.cutPower(choose) : files.currentImage();
  plan.kill();
  return { calls: plan.calls, entry, code };
}

/** After whatever happened, a start that nothing disturbs succeeds. */
async function expectSound(scenario: string): Promise<void> {
  const { entry, code } = await runProcess(null, () => 'kept');
  expect([code, entry === null], scenario).toEqual([null, false]);
}

function count(code: string | null, entry: LoggedEntry | null): void {
  const outcome = entry === null ? (code ?? 'crash') : 'proven';
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** What the log holds is one chain: numbers without a gap, each naming the one before. */
async function expectOneChain(): Promise<number> {
  const { log } = factory.line;
  let last: { digest: string; index: number } | null = null;
  let sequence = 0;
  for (let index = 1; index < log.size; index += 1) {
    const { payload } = JSON.parse(Buffer.from(await log.readEntry(index)).toString()) as { payload: string };
    const bytes = new Uint8Array(Buffer.from(payload, 'base64'));
    const start = parseStatement(stationStart, bytes).predicate;
    sequence += 1;
    expect(start.sequence).toBe(sequence);
    expect(start.previous).toEqual(last === null ? null : { digest: { sha256: last.digest }, index: last.index });
    last = { digest: sha256Hex(bytes), index };
  }
  return sequence;
}

describe('one start, a fault at every port call', { timeout: 120_000 }, () => {
  it('A67: leaves a station that goes on, and one chain', async () => {
    const { calls } = await runProcess(null, () => 'kept');
    expect(calls).toEqual(
      expect.arrayContaining(['fs.rename starts', 'fs.sync starts.draft', 'line.submit', 'signer.sign']),
    );
    for (const at of calls.keys()) {
      for (const mode of FAULT_MODES) {
        for (const choose of mode.startsWith('crash') ? FATES : FATES.slice(0, 1)) {
          const { entry, code } = await runProcess({ at, mode }, choose);
          count(code, entry);
          await expectSound(`${mode} ${at} ${calls[at] ?? ''}`);
        }
      }
    }
    // A sweep in which nothing ever fails proves nothing.
    expect([...outcomes.keys()]).toEqual(
      expect.arrayContaining(['crash', 'ERR_API_UNREACHABLE', 'ERR_STATION_STORAGE', 'LS-304']),
    );
    expect(await expectOneChain()).toBeGreaterThan(100);
  });

  it('A67: and when the start after it is cut off as well', async () => {
    const { calls } = await runProcess(null, () => 'kept');
    const turns = ['signer.sign', 'fs.rename starts', 'line.submit'];
    let fate = 0;
    for (const [at, name] of calls.entries()) {
      if (!turns.includes(name)) continue;
      const fault: Fault = { at, mode: 'crash-after' };
      await runProcess(fault, () => 'lost');
      const { calls: next } = await runProcess(null, () => 'kept');
      for (const second of next.keys()) {
        await runProcess(fault, () => 'lost');
        fate += 1;
        await runProcess({ at: second, mode: 'crash-after' }, FATES[fate % FATES.length] ?? (() => 'lost'));
        await expectSound(`crash at ${name}, then at ${next[second] ?? ''}`);
      }
    }
    await expectOneChain();
  });

  it('a memory that this program did not write is not believed', async () => {
    await runProcess(null, () => 'kept');
    const sound = disk;
    const memory = sound.get('starts');
    if (memory === undefined) throw new Error('the station remembers no start');
    for (const damaged of [memory.slice(0, -2), new Uint8Array(0), new TextEncoder().encode('{}\n')]) {
      disk = new Map(sound).set('starts', damaged);
      expect((await runProcess(null, () => 'kept')).code).toBe('ERR_STATION_JOURNAL_DAMAGED');
    }
    disk = sound;
    await expectSound('afterwards');
  });
});

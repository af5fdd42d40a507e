// SPDX-License-Identifier: Apache-2.0
/** Every fault and every crash, on both ends, while somebody signs in, comes back and signs out (A5). */
import { WitnessmarkError } from '@witnessmark/core';
import type { Station } from '@witnessmark/station';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { Crash, FAULT_MODES, FaultPlan, type Fault } from '../src/crash/fault-plan.ts';
import { faultyFiles, faultyLine, faultySigner } from '../src/crash/faulty-ports.ts';
import { makeFixture } from '../src/sim/sim-device.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { judgeSignIns, SIGN_IN_RULES, signInAsOperator } from '../src/swarm/sign-ins.ts';

const NAME = 'ST-07';

let factory: SimFactory;
beforeAll(async () => {
  factory = await SimFactory.open({
    rules: { signIn: { ...SIGN_IN_RULES, batchUnits: 1 }, refusalsPerMinute: 10_000 },
  });
});
afterAll(() => factory.close());

/** A process at the station, with at most one fault; what it did before it ended stands. */
async function runProcess(fault: Fault | null, work: (station: Station) => Promise<void>): Promise<readonly string[]> {
  const plan = new FaultPlan(fault);
  const files = new CrashFs(new Map(), { ignoresSync: false });
  try {
    const station = await factory.startStation({
      name: NAME,
      files: faultyFiles(files, plan),
      driver: makeFixture().driver,
      line: faultyLine(factory.wire, plan),
      signer: faultySigner(factory.people.stations[NAME].key, plan),
    });
    await work(station);
  } catch (error) {
    const isFault = error instanceof WitnessmarkError || (error instanceof Error && 'code' in error);
    if (fault === null || (!(error instanceof Crash) && !isFault)) throw error;
  }
  plan.kill();
  return plan.calls;
}

async function comeAndGo(station: Station): Promise<void> {
  await signInAsOperator(factory, station, NAME);
  // The batch is done, or the pause was long: the same person once more.
  await signInAsOperator(factory, station, NAME);
  await station.endSession();
}

async function peopleSignedIn(): Promise<readonly string[]> {
  return (await factory.wire.openSessions()).map(({ operator }) => operator);
}

describe('signing in, coming back, signing out', { timeout: 120_000 }, () => {
  it('covers as many units as the line allows, each time', async () => {
    const [first, second] = [factory.makeBoard(), factory.makeBoard()];
    const { bay, driver } = makeFixture(first);
    const station = await factory.startStation({ name: NAME, files: new CrashFs(new Map(), {}), driver });
    const scan = async ({ serial }: typeof first): Promise<string | null> =>
      (await station.programUnit({ job: JOB, label: { raw: serial, symbology: 'd2' } })).code;
    await signInAsOperator(factory, station, NAME);
    expect(await scan(first)).toBeNull();
    bay.insert(second.chip);
    expect(station.sessionLapse).toBe('LS-512');
    expect(await scan(second)).toBe('LS-512');
    await signInAsOperator(factory, station, NAME);
    expect(await scan(second)).toBeNull();
    expect(await station.endSession()).not.toBeNull();
    expect(station.sessionLapse).toBe('LS-501');
    expect(await peopleSignedIn()).toEqual([]);
  });

  it('LS-511: is over after a pause, for the station as for the line', async () => {
    const board = factory.makeBoard();
    const { driver } = makeFixture(board);
    const station = await factory.startStation({ name: NAME, files: new CrashFs(new Map(), {}), driver });
    const scan = (): ReturnType<Station['programUnit']> =>
      station.programUnit({ job: JOB, label: { raw: board.serial, symbology: 'd2' } });
    await signInAsOperator(factory, station, NAME);
    factory.clock.advance(SIGN_IN_RULES.idleMinutes * 60_000 + 1_000);
    expect((await scan()).code).toBe('LS-511');
    // Scanning once more is no way back.
    expect((await scan()).code).toBe('LS-511');
    await signInAsOperator(factory, station, NAME);
    expect((await scan()).phase).toBe('passed');
    await station.endSession();
  });

  it('locks nobody out, whatever fails at whichever call', async () => {
    const calls = await runProcess(null, comeAndGo);
    expect(await peopleSignedIn()).toEqual([]);
    for (const at of calls.keys()) {
      for (const mode of FAULT_MODES) {
        await runProcess({ at, mode }, comeAndGo);
        await runProcess(null, async (station) => {
          await signInAsOperator(factory, station, NAME);
          expect(station.sessionLapse, `${mode} at ${at} ${calls[at] ?? ''}`).toBeNull();
          await station.endSession();
        });
        expect(await peopleSignedIn()).toEqual([]);
      }
    }
    expect(await judgeSignIns({ factory })).toEqual([]);
  });

  it('A5 finds each person where they were when the line starts again', async () => {
    const { driver } = makeFixture();
    const station = await factory.startStation({ name: NAME, files: new CrashFs(new Map(), {}), driver });
    await signInAsOperator(factory, station, NAME);
    await factory.line.log.publish();
    await factory.restartLine();
    expect(await peopleSignedIn()).toEqual([factory.people.operators[NAME].owner]);
    const other = await factory.sessionOf(factory.people.operators['ST-08'], NAME);
    await expect(factory.wire.submit(other)).rejects.toMatchObject({ code: 'LS-513' });
    await station.endSession();
    expect(await peopleSignedIn()).toEqual([]);
    expect(await judgeSignIns({ factory })).toEqual([]);
  });
});

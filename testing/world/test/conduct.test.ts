// SPDX-License-Identifier: Apache-2.0
/** A6, A25: links that are cut at each block, programmers that err at random; what was tried is on record and on the count. */
import { afterEach, describe, expect, it } from 'vitest';
import { isReasonCode } from '@witnessmark/core';
import type { UnitResult } from '@witnessmark/station';
import type { SimBoard } from '../src/sim/sim-device.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { LINE } from '../src/sim/sim-people.ts';
import { Random } from '../src/swarm/random.ts';

/** A block of the simulated chip, and how many of them its image spans. */
const BLOCK_BYTES = 4096;
const BLOCKS = 3;

let factory: SimFactory;
afterEach(() => factory.close());

async function tallyOf(
  station: string,
): Promise<{ begun: number; retests: number; passed: number; notPassed: number }> {
  const tallies = await factory.line.line.stationTallies();
  const [slot] = tallies.find((tally) => tally.station === station)?.slots ?? [];
  const { begun = 0, retests = 0, passed = 0, failed = 0, held = 0, aborted = 0 } = slot ?? {};
  return { begun, retests, passed, notPassed: failed + held + aborted };
}

/** A supervisor lets a unit on hold be tried once more. */
async function allowRetry({ deviceId }: SimBoard): Promise<void> {
  const last = (await factory.line.store.views.chain(deviceId)).at(-1);
  if (last?.code === undefined || last.code === null || !isReasonCode(last.code)) throw new Error('nothing to decide');
  await factory.decide(
    {
      refusalId: last.event_id,
      refusalDigest: last.payload_digest,
      code: last.code,
      deviceId,
      station: last.station,
      line: LINE,
    },
    'allowRetry',
  );
}

describe('A6 a unit that is unplugged while it is written', () => {
  it('stays an open intent until it is read back; each further attempt has its reason and is counted', async () => {
    factory = await SimFactory.open({ rules: { retest: { needsReason: true, maxAttemptsPerStation: 100 } } });
    const bench = await SimBench.open(factory);
    let begun = 0;
    let retests = 0;
    for (let block = 0; block <= BLOCKS; block += 1) {
      const board = factory.makeBoard();
      bench.fixture.bay.insert(board.chip);
      bench.fixture.bay.dropLinkAfter(300 + block * BLOCK_BYTES);
      const first = await bench.scan(board.serial);
      begun += 1;
      if (first.phase === 'passed') continue;
      expect(first, `block ${block}`).toMatchObject({ phase: 'interrupted', code: 'HD-02' });
      expect(await bench.scan(board.serial)).toMatchObject({ code: 'HD-02' });
      await allowRetry(board);
      expect(await bench.scan(board.serial)).toMatchObject({ code: 'LS-607' });
      const request = { job: JOB, label: { raw: board.serial, symbology: 'd2' }, retestReason: 'cable reseated' };
      expect((await bench.station.programUnit(request)).phase).toBe('passed');
      begun += 1;
      retests += 1;
    }
    expect(retests).toBeGreaterThan(0);
    expect(await tallyOf('ST-07')).toEqual({ begun, retests, passed: BLOCKS + 1, notPassed: retests });
  });
});

describe('A25 a programmer that has become flaky', () => {
  it('LS-601 is taken out of service by rule, and what was tried adds up', async () => {
    factory = await SimFactory.open({ rules: { maxFailuresInRow: 3, refusalsPerMinute: 10_000 } });
    const random = new Random(25);
    const told: UnitResult[] = [];
    const flaky = await SimBench.open(factory, {
      alterDriver: (driver) => ({
        profile: driver.profile,
        programmer: driver.programmer,
        simulated: driver.simulated,
        identify: (options) => driver.identify(options),
        readHardwareId: (options) => driver.readHardwareId(options),
        erase: (range, options) => driver.erase(range, options),
        program: async (order, options) => {
          options?.onRetry?.({ operation: 'program', start: 1, detail: 'no answer' });
          if (random.chance(0.7)) return { state: 'FAILED', code: 'UF-02', detail: 'erase failed' };
          return driver.program(order, options);
        },
        readBack: (range, options) => driver.readBack(range, options),
        lock: (options) => driver.lock(options),
        readLockState: (options) => driver.readLockState(options),
        reset: (options) => driver.reset(options),
      }),
    });
    while (told.length < 100 && told.at(-1)?.code !== 'LS-601') told.push(await flaky.program(factory.makeBoard()));
    const phases = told.map(({ phase }) => phase);
    expect(phases.slice(-4)).toEqual(['failed', 'failed', 'failed', 'stopped']);
    // Nothing else ends it: neither another board nor another process.
    await flaky.restart();
    expect(await flaky.program(factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-503' });
    const tally = await tallyOf('ST-07');
    expect(tally.passed).toBe(phases.filter((phase) => phase === 'passed').length);
    expect(tally.notPassed).toBe(phases.filter((phase) => phase === 'failed').length);
    const healthy = await SimBench.open(factory, { name: 'ST-08' });
    expect((await healthy.program(factory.makeBoard())).phase).toBe('passed');
    for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
    expect((await flaky.program(factory.makeBoard())).code).not.toBe('LS-601');
  });
});

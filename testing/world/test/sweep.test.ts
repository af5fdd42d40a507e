// SPDX-License-Identifier: Apache-2.0
/**
 * Exhaustive: one unit, every port call of its station × {fail before, fail after its effect, crash before, crash after},
 * then recovery, and a second crash at every call of the recovery; then the same for the line's own store and key, and
 * for a chip that loses its power in the middle of an instruction. The checkers of the promises judge every run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOneHistory } from '../src/crash/checkers.ts';
import { FAULT_MODES, FaultPlan } from '../src/crash/fault-plan.ts';
import { LineFaults } from '../src/crash/faulty-store.ts';
import { Sweep } from '../src/crash/sweep.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';

const CHIP_CUTS = [0, 1, 255, 256, 300, 4095, 4096, 5000, 8191];

let factory: SimFactory;
const faults = new LineFaults();

beforeAll(async () => {
  factory = await SimFactory.open({
    wrapStore: (store) => faults.wrapStore(store),
    wrapSigner: (signer) => faults.wrapSigner(signer),
  });
});

afterAll(async () => {
  await factory.close();
});

function report(title: string, sweep: Sweep): void {
  const endings = [...sweep.endings].sort(([, left], [, right]) => right - left);
  console.log(`${title}: ${sweep.runs} runs\n${endings.map(([name, count]) => `  ${count} × ${name}`).join('\n')}`);
}

describe('one unit, a fault at every port call', { timeout: 240_000 }, () => {
  it('keeps I1, I2, I3, I5, I9, I11, I14 and I17 whatever the station loses', async () => {
    const sweep = new Sweep(factory);
    const calls = await sweep.everyCall();
    report('station', sweep);
    expect(sweep.violations).toEqual([]);
    expect(calls.length).toBeGreaterThan(40);
    // A sweep in which nothing ever fails proves nothing.
    expect([...sweep.endings.keys()]).toEqual(
      expect.arrayContaining(['passed', 'passed resumed', 'interrupted HD-02', 'interrupted HD-05', 'stopped LS-302']),
    );
  });

  it('A67 keeps them when the recovery is cut off as well, at every one of its calls', async () => {
    const sweep = new Sweep(factory);
    const { calls } = await sweep.run({ fault: null, fate: 'keep' });
    await sweep.everyRecoveryCall(calls);
    report('station, then its recovery', sweep);
    expect(sweep.violations).toEqual([]);
  });

  it('keeps them when the operator scans the same unit again, which then passes or is lawfully held', async () => {
    const sweep = new Sweep(factory);
    const { calls } = await sweep.run({ fault: null, fate: 'keep' });
    await sweep.everyCallThenRescan(calls);
    report('station, then the same unit again', sweep);
    expect(sweep.violations).toEqual([]);
    expect(new Set(sweep.endings.keys())).toEqual(new Set(['passed', 'passed resumed', 'interrupted HD-02']));
  });

  it('keeps them when the chip loses power inside an instruction, with and without the station', async () => {
    const sweep = new Sweep(factory);
    const { calls } = await sweep.run({ fault: null, fate: 'keep' });
    const at = calls.indexOf('device.program');
    for (const during of ['erase', 'program'] as const) {
      for (const afterBytes of CHIP_CUTS) {
        const powerCut = { during, afterBytes };
        await sweep.run({ fault: null, powerCut, fate: 'keep' });
        await sweep.run({ fault: { at, mode: 'crash-after' }, powerCut, fate: 'lose' });
      }
    }
    report('chip', sweep);
    expect(sweep.violations).toEqual([]);
    expect([...sweep.endings.keys()]).toEqual(
      expect.arrayContaining(['passed', 'passed resumed', 'interrupted HD-02']),
    );
  });

  it('I3 keeps them when the line loses its store or key, and is started again', async () => {
    const sweep = new Sweep(factory);
    faults.plan = new FaultPlan();
    await sweep.run({ fault: null, fate: 'keep' });
    const { calls } = faults.plan;
    for (const at of calls.keys()) {
      for (const mode of FAULT_MODES) {
        faults.plan = new FaultPlan({ at, mode });
        const afterFirst = async (): Promise<void> => {
          faults.plan = new FaultPlan();
          await factory.restartLine();
        };
        await sweep.run({ fault: null, fate: 'keep', afterFirst });
      }
    }
    report(`line (${calls.join(', ')})`, sweep);
    expect(sweep.violations).toEqual([]);
  });

  it('I4 every head that was shown in any of these runs is of the one history the log holds', async () => {
    expect(await checkOneHistory(factory)).toEqual([]);
  });
});

// SPDX-License-Identifier: Apache-2.0
/** The sweep can fail: each of these does one thing wrong on purpose, and a promise must break. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDriver } from '@witnessmark/device';
import type { FaultMode } from '../src/crash/fault-plan.ts';
import { Sweep, type SweepVariant } from '../src/crash/sweep.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open();
});

afterAll(async () => {
  await factory.close();
});

/** Runs one fault behind each of the named calls and returns which promises broke. */
async function broken(variant: SweepVariant, mode: FaultMode, names: readonly string[]): Promise<ReadonlySet<string>> {
  const sweep = new Sweep(factory, variant);
  const { calls } = await sweep.run({ fault: null, fate: 'keep' });
  for (const [at, name] of calls.entries()) {
    if (names.includes(name)) await sweep.run({ fault: { at, mode }, fate: 'lose' });
  }
  return new Set(sweep.violations.flatMap(({ what }) => what.map((text) => text.slice(0, text.indexOf(':')))));
}

/** A release source that lets the device be written as soon as the image is read: before the permit, before the intent. */
const PROGRAMS_BEFORE_INTENT: SweepVariant = {
  alterReleases: (releases, driver: DeviceDriver) => ({
    refresh: (now) => releases.refresh(now),
    releaseInEffect: async (query) => {
      const release = await releases.releaseInEffect(query);
      return {
        ...release,
        readImage: async (component) => {
          const image = await release.readImage(component);
          await driver.program({ address: component.address, image });
          return image;
        },
      };
    },
  }),
};

describe('sabotage', () => {
  it('no fault, no sabotage: no promise breaks', async () => {
    expect(await broken({}, 'crash-after', ['device.program', 'line.submit'])).toEqual(new Set());
  });

  it('programming before the intent breaks I2, and leaves a written unit without a record (I1)', async () => {
    expect(await broken(PROGRAMS_BEFORE_INTENT, 'crash-after', ['releases.readImage'])).toEqual(new Set(['I1', 'I2']));
  });

  it('a disk that only says it synced breaks I2 and leaves the intent open (I17)', async () => {
    const promises = await broken({ ignoresSync: true }, 'crash-after', ['device.program', 'device.lock']);
    expect(promises).toEqual(new Set(['I2', 'I17']));
  });
});

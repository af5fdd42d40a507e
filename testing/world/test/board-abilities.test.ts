// SPDX-License-Identifier: Apache-2.0
/** What a fixture cannot do with a board is refused before it is touched, and what it needed several times is recorded. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseStatement, provisioningEvent, toDeviceId } from '@witnessmark/attestation';
import type { DeviceDriver } from '@witnessmark/device';
import type { UnitResult } from '@witnessmark/station';
import { SimBench } from '../src/sim/sim-bench.ts';
import { bindDriver, inspectBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';

const IMAGE_ADDRESS = 0x1000;

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open();
});

beforeEach(async () => {
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
});

afterAll(async () => {
  await factory.close();
});

function verdict({ phase, code }: UnitResult): string {
  return code === null ? phase : `${phase} ${code}`;
}

function withoutLock(driver: DeviceDriver): DeviceDriver {
  const lockRecipe = { kind: 'none', reason: 'its boot loader neither sets lock bits nor reads them' } as const;
  return { ...bindDriver(driver), profile: { ...driver.profile, lockRecipe } };
}

describe('a board that cannot be locked', () => {
  it('LS-205 a recipe with a lock is refused for it, before anything is sent; another board passes', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, { alterDriver: withoutLock });
    const result = await bench.program(board);
    expect(verdict(result)).toBe('stopped LS-205');
    expect(result.detail).toContain('neither sets lock bits nor reads them');
    expect(inspectBoard(board, IMAGE_ADDRESS, factory.image).isBlank).toBe(true);
    for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
    expect(verdict(await (await SimBench.open(factory)).program(board))).toBe('passed');
  });

  it('passes with a recipe that has no lock', async () => {
    const open = await SimFactory.open({ withLock: false });
    try {
      const bench = await SimBench.open(open, { alterDriver: withoutLock });
      expect(verdict(await bench.program(open.makeBoard()))).toBe('passed');
    } finally {
      await open.close();
    }
  });
});

describe('a programmer that has to be started again', () => {
  it('A25: each start that failed is in the record of the unit', async () => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, {
      alterDriver: (driver) => ({
        ...bindDriver(driver),
        program: (order, options) => {
          for (const start of [1, 2]) options?.onRetry?.({ operation: 'program', start, detail: 'not in sync' });
          return driver.program(order, options);
        },
      }),
    });
    const { phase, record } = await bench.program(board);
    expect(phase).toBe('passed');
    const { checks } = parseStatement(provisioningEvent, record?.envelope.payload ?? new Uint8Array()).predicate;
    expect(checks).toContainEqual({
      name: 'program: 2 starts of the tool without an answer',
      result: 'NOT_RUN',
    });
  });
});

describe('a driver that lets placeholders through', () => {
  it.each([
    ['zeroes', new Uint8Array(8)],
    ['ones', new Uint8Array(8).fill(0xff)],
    ['one byte over and over', new Uint8Array(8).fill(0x5a)],
    ['a count', Uint8Array.from({ length: 8 }, (_, at) => at)],
  ])('E-21: no unit passes whose identifier is %s', async (_, value) => {
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, {
      alterDriver: (driver) => ({
        ...bindDriver(driver),
        readHardwareId: () => Promise.resolve({ state: 'DONE', value: { scheme: 'spi-nor-uid', value } }),
      }),
    });
    expect(verdict(await bench.program(board))).toBe('failed UF-01');
    expect(inspectBoard(board, IMAGE_ADDRESS, factory.image).isBlank).toBe(true);
  });

  it('and one that differs in a bit is a device', () => {
    const value = Uint8Array.from({ length: 8 }, (_, at) => at).with(7, 6);
    expect(toDeviceId({ scheme: 'spi-nor-uid', value })).toMatch(/^[0-9a-f]{64}$/);
  });
});

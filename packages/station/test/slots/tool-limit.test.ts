// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { DeviceBay, SimulatedDriver, W25Q80_BOARD } from '@witnessmark/device';
import { limitTools, ToolLimit } from '../../src/slots/tool-limit.ts';

describe('a limit on tools', () => {
  it('lets as many run as it says, the others in their order, and goes on after a failure', async () => {
    const limit = new ToolLimit(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const work = Array.from({ length: 4 }, (_, number) =>
      limit.run(async () => {
        begun.push(number);
        await new Promise<void>((done) => ends.push(done));
        if (number === 1) throw new Error('the tool failed');
        return number;
      }),
    );
    const results = Promise.allSettled(work);
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await expect(work[1]).rejects.toThrow('the tool failed');
    await Promise.resolve();
    expect(begun).toEqual([0, 1, 2]);
    while (ends.length > 0) {
      ends.shift()?.();
      await new Promise((done) => setImmediate(done));
    }
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('needs room for one', () => {
    expect(() => new ToolLimit(0)).toThrow(RangeError);
    expect(() => new ToolLimit(1.5)).toThrow(RangeError);
  });

  it('does not begin an operation that was cancelled while it waited', async () => {
    const limit = new ToolLimit(1);
    const driver = limitTools(new SimulatedDriver({ profile: W25Q80_BOARD, bay: new DeviceBay(null) }), limit);
    const held = Promise.withResolvers<undefined>();
    const holding = limit.run(() => held.promise);
    const controller = new AbortController();
    const waiting = driver.identify({ signal: controller.signal });
    controller.abort();
    held.resolve(undefined);
    await holding;
    expect(await waiting).toEqual({ state: 'UNKNOWN', detail: 'identify was cancelled before it began' });
    expect(await driver.identify()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
  });
});

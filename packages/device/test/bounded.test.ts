// SPDX-License-Identifier: Apache-2.0
import { RefusedError } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { DeviceError, runBounded } from '../src/index.ts';

const NEVER = new Promise<never>(() => undefined);

describe('runBounded', () => {
  it('gives what the work gives', async () => {
    expect(await runBounded({ name: 'read', timeoutMs: 1000 }, () => Promise.resolve(42))).toEqual({
      state: 'DONE',
      value: 42,
    });
  });

  it('turns a refusal into FAILED with its code', async () => {
    const outcome = runBounded({ name: 'read', timeoutMs: 1000 }, () =>
      Promise.reject(new RefusedError('UF-01', 'expected a part, found none')),
    );
    expect(await outcome).toEqual({ state: 'FAILED', code: 'UF-01', detail: 'expected a part, found none' });
  });

  it('turns a lost link into UNKNOWN', async () => {
    const outcome = runBounded({ name: 'read', timeoutMs: 1000 }, () =>
      Promise.reject(new DeviceError('ERR_DEVICE_LINK', 'the link to the programmer was lost')),
    );
    expect(await outcome).toEqual({ state: 'UNKNOWN', detail: 'the link to the programmer was lost' });
  });

  it('throws what is a bug', async () => {
    const outcome = runBounded({ name: 'read', timeoutMs: 1000 }, () => Promise.reject(new TypeError('bug')));
    await expect(outcome).rejects.toThrow(TypeError);
  });

  it('stops the work at the time limit and waits until it has put its things away', async () => {
    let tidied = false;
    const outcome = await runBounded({ name: 'program', timeoutMs: 10 }, async (signal) => {
      await stopOf(signal);
      await Promise.resolve();
      tidied = true;
      throw new DeviceError('ERR_DEVICE_LINK', 'stopped');
    });
    expect(outcome).toEqual({ state: 'UNKNOWN', detail: 'program did not end within 10 ms' });
    expect(tidied).toBe(true);
  });

  it('does not call done what ended after the limit', async () => {
    const outcome = await runBounded({ name: 'program', timeoutMs: 10 }, async (signal) => {
      await stopOf(signal);
      return 'done after all';
    });
    expect(outcome).toMatchObject({ state: 'UNKNOWN' });
  });

  it('gives up on work that does not stop', async () => {
    const outcome = await runBounded({ name: 'program', timeoutMs: 10, cleanUpMs: 10 }, () => NEVER);
    expect(outcome).toEqual({
      state: 'UNKNOWN',
      detail: 'program did not end within 10 ms, and it did not stop when told to',
    });
  });

  it('is cancelled by its caller', async () => {
    const controller = new AbortController();
    const operation = { name: 'program', timeoutMs: 60_000, signal: controller.signal };
    const outcome = runBounded(operation, (signal) => {
      controller.abort();
      return Promise.reject(signal.reason as Error);
    });
    expect(await outcome).toEqual({ state: 'UNKNOWN', detail: 'program was cancelled' });
  });

  it('does not begin what is already cancelled', async () => {
    let begun = false;
    const operation = { name: 'program', timeoutMs: 1000, signal: AbortSignal.abort() };
    const outcome = await runBounded(operation, () => {
      begun = true;
      return Promise.resolve();
    });
    expect(outcome).toMatchObject({ state: 'UNKNOWN' });
    expect(begun).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses %s as a time limit', async (timeoutMs) => {
    await expect(runBounded({ name: 'read', timeoutMs }, () => Promise.resolve(1))).rejects.toThrow(TypeError);
  });
});

async function stopOf(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

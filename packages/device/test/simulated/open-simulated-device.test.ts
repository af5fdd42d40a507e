// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildSampleImage, openSimulatedDevice, sampleUniqueId, W25Q32_BOARD } from '../../src/index.ts';

const UNIQUE_ID = sampleUniqueId('open', 0);
const IMAGE = buildSampleImage({ version: '1.0.0', securityCounter: 1, seed: 'open' });
const WHOLE = { address: 0, length: IMAGE.length };

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  path = join(directory, 'unit.chip');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('openSimulatedDevice', () => {
  it('finds the device as the one before left it: content, lock and id', async () => {
    const first = openSimulatedDevice(path, { uniqueId: UNIQUE_ID });
    expect(await first.driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'DONE' });
    expect(await first.driver.lock()).toMatchObject({ state: 'DONE' });
    const { driver } = openSimulatedDevice(path);
    expect(await driver.readHardwareId()).toMatchObject({ value: { value: UNIQUE_ID } });
    expect(await driver.readBack(WHOLE)).toEqual({ state: 'DONE', value: IMAGE });
    expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'locked' });
    expect(readdirSync(directory)).toEqual(['unit.chip']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps what was written when power went: the next process sees a part of the image', async () => {
    const faults = { powerCut: { during: 'program', afterBytes: 500_000 } } as const;
    const first = openSimulatedDevice(path, { uniqueId: UNIQUE_ID, faults });
    expect(await first.driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'UNKNOWN' });
    const { driver } = openSimulatedDevice(path);
    const content = await driver.readBack(WHOLE);
    expect(content.state).toBe('DONE');
    expect(content).not.toEqual({ state: 'DONE', value: IMAGE });
    expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'DONE' });
    expect(await driver.readBack(WHOLE)).toEqual({ state: 'DONE', value: IMAGE });
  });

  it('writes the file when the chip changed, and not for reading', async () => {
    const { driver } = openSimulatedDevice(path, { uniqueId: UNIQUE_ID });
    rmSync(path);
    await driver.identify();
    await driver.readBack(WHOLE);
    await driver.reset();
    expect(existsSync(path)).toBe(false);
    await driver.lock();
    expect(existsSync(path)).toBe(true);
  });

  it.each([
    ['a file that is missing', () => undefined, {}],
    ['a damaged file', () => writeFileSync(path, 'damaged'), {}],
    ['a truncated file', truncate, {}],
    ['a file of another device', create, { uniqueId: sampleUniqueId('open', 1) }],
    ['a file of another part', create, { profile: W25Q32_BOARD }],
    ['a directory', () => undefined, { directory: true }],
  ])('refuses %s', (_name, prepare, { directory: isDirectory, ...options }: Record<string, never> | Refused) => {
    prepare();
    expect(() => openSimulatedDevice(isDirectory === true ? directory : path, options)).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_CHIP_FILE' }),
    );
  });
});

type Refused = Parameters<typeof openSimulatedDevice>[1] & { readonly directory?: boolean };

function create(): void {
  openSimulatedDevice(path, { uniqueId: UNIQUE_ID });
}

function truncate(): void {
  create();
  writeFileSync(path, readFileSync(path).subarray(0, 5000));
}

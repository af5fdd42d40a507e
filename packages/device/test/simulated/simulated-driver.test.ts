// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  blankChip,
  buildSampleImage,
  DeviceBay,
  sampleUniqueId,
  SimulatedDriver,
  SpiNorChip,
  W25Q80_BOARD,
} from '../../src/index.ts';
import { driverConformance } from '../conformance.ts';
import type { MakeHarness } from '../conformance-kit.ts';
import { SPI_NOR_KIT, spiNorConformance } from '../spi-nor/kit.ts';

const makeHarness: MakeHarness<DeviceBay> = (bay) =>
  Promise.resolve({
    driver: new SimulatedDriver({ profile: W25Q80_BOARD, bay }),
    expectNothingLeft: () => undefined,
    close: () => Promise.resolve(),
  });

driverConformance('simulated', SPI_NOR_KIT, makeHarness, { stuckMs: 100, linkDropCount: 16 });
spiNorConformance('simulated', makeHarness);

describe('SimulatedDriver', () => {
  it('is marked as simulated', () => {
    expect(new SimulatedDriver({ profile: W25Q80_BOARD, bay: new DeviceBay() }).simulated).toBe(true);
  });

  it('waits while the part is busy', async () => {
    const state = blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('busy', 0) });
    const driver = new SimulatedDriver({
      profile: W25Q80_BOARD,
      bay: new DeviceBay(new SpiNorChip(state, { busyReads: 3 })),
    });
    const image = buildSampleImage({ sizeBytes: 64 * 1024, version: '2.0.0', securityCounter: 2, seed: 'busy' });
    expect(await driver.program({ address: 0, image })).toEqual({ state: 'DONE', value: undefined });
    expect(await driver.readBack({ address: 0, length: image.length })).toEqual({ state: 'DONE', value: image });
    expect(await driver.lock()).toEqual({ state: 'DONE', value: undefined });
  });

  it('hands over every change to be kept, also when the operation does not end well', async () => {
    const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('kept', 0) }));
    const bay = new DeviceBay(chip);
    let keptRevision = chip.revision;
    const driver = new SimulatedDriver({ profile: W25Q80_BOARD, bay, persist: () => (keptRevision = chip.revision) });
    bay.dropLinkAfter(200_000);
    const image = buildSampleImage({ version: '2.0.0', securityCounter: 2, seed: 'kept' });
    expect(await driver.program({ address: 0, image })).toMatchObject({ state: 'UNKNOWN' });
    expect(keptRevision).toBe(chip.revision);
    expect(keptRevision).toBeGreaterThan(100);
  });
});

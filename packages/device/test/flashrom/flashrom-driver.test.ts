// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  blankChip,
  DeviceBay,
  FlashromDriver,
  sampleUniqueId,
  SerprogServer,
  SpiNorChip,
  W25Q80_BOARD,
} from '../../src/index.ts';
import { driverConformance } from '../conformance.ts';
import type { DriverHarness } from '../conformance-kit.ts';
import { hasProgram } from '../has-program.ts';
import { SPI_NOR_KIT, spiNorConformance } from '../spi-nor/kit.ts';
import { processesIn, ToolBenches, writeTool } from '../tool-kit.ts';

describe.skipIf(!hasProgram('flashrom'))('needs flashrom', () => {
  driverConformance('flashrom', SPI_NOR_KIT, makeHarness, { stuckMs: 4_000 });
  spiNorConformance('flashrom', makeHarness);
});

describe('FlashromDriver', () => {
  it('knows the model behind the wire by its name and marks it as simulated', async () => {
    const server = await SerprogServer.open({ bay: new DeviceBay() });
    try {
      const driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address: server });
      expect(driver.simulated).toBe(true);
      expect(driver.programmer).toEqual({ model: 'serprog WITNESSMARK-SIM', serial: null, firmware: null });
    } finally {
      await server.close();
    }
  });

  it('says LS-403 when the programmer is gone, and LS-403 when the tool is', async () => {
    const server = await SerprogServer.open({ bay: new DeviceBay() });
    const address = { host: server.host, port: server.port };
    const driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address });
    await server.close();
    expect(await driver.identify()).toMatchObject({ state: 'FAILED', code: 'LS-403' });
    expect(await driver.lock()).toMatchObject({ state: 'FAILED', code: 'LS-403' });
    await expect(FlashromDriver.open({ profile: W25Q80_BOARD, address })).rejects.toMatchObject({ code: 'LS-403' });
  });

  it('ends UNKNOWN when the programmer goes away right after the tool, and FAILED when it was gone before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('gone', 0) }));
    const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
    const programPath = writeTool(directory, 'echo "Erase/write done."\nwhile [ ! -e ../go ]; do sleep 0.01; done');
    const options = { profile: W25Q80_BOARD, address: server, programPath, temporaryDirectory: directory };
    const driver = await FlashromDriver.open(options);
    const order = { address: 0, image: Uint8Array.of(1) };
    const running = driver.program(order);
    while (readdirSync(directory).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.close();
    writeFileSync(join(directory, 'go'), '');
    expect(await running).toMatchObject({ state: 'UNKNOWN' });
    expect(await driver.program(order)).toMatchObject({ state: 'FAILED', code: 'LS-403' });
    rmSync(directory, { recursive: true });
  });

  it('starts a tool again that never spoke to the device, and one that did not again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('again', 0) }));
    const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
    const programPath = join(directory, 'tool');
    const options = { profile: W25Q80_BOARD, address: server, programPath, temporaryDirectory: directory };
    const driver = await FlashromDriver.open(options);
    const starts = (): number => readFileSync(join(directory, 'starts'), 'utf8').length;
    for (const [words, expected] of [
      ['Error: Programmer initialization failed.', { code: 'LS-403', starts: 3 }],
      ['Uh oh. Erase/write failed.', { code: 'UF-02', starts: 1 }],
    ] as const) {
      writeFileSync(join(directory, 'starts'), '');
      writeTool(directory, `printf x >> ../starts\necho "${words}"\nexit 1`);
      const outcome = await driver.program({ address: 0, image: Uint8Array.of(1) });
      expect(outcome).toMatchObject({ state: 'FAILED', code: expected.code });
      expect(starts()).toBe(expected.starts);
    }
    await server.close();
    rmSync(directory, { recursive: true });
  });

  it.skipIf(!hasProgram('flashrom') || !hasProgram('setpriv'))(
    'takes flashrom down with a station that is killed, and its files when the next one starts',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
      const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('orphan', 0) }));
      // Busy for ever: flashrom would never end by itself.
      chip.inject({ hangs: true });
      const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
      const station = spawn(process.execPath, [
        '--conditions=@witnessmark/source',
        fileURLToPath(new URL('./program-for-ever.ts', import.meta.url)),
        String(server.port),
        directory,
      ]);
      try {
        await once(station.stdout, 'data');
        expect(processesIn(directory)).toHaveLength(1);
        const gone = once(station, 'exit');
        station.kill('SIGKILL');
        await gone;
        while (processesIn(directory).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(readdirSync(directory)).toHaveLength(1);
        await FlashromDriver.open({ profile: W25Q80_BOARD, address: server, temporaryDirectory: directory });
        expect(readdirSync(directory)).toEqual([]);
      } finally {
        station.kill('SIGKILL');
        await server.close();
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );

  it('refuses an address that would read as further parameters', async () => {
    const address = { host: '127.0.0.1,spispeed=1', port: 1 };
    await expect(FlashromDriver.open({ profile: W25Q80_BOARD, address })).rejects.toThrow(TypeError);
  });
});

const benches = new ToolBenches(3);

async function makeHarness(bay: DeviceBay): Promise<DriverHarness> {
  return benches.open(async (temporaryDirectory) => {
    const server = await SerprogServer.open({ bay });
    const driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address: server, temporaryDirectory });
    return { driver, close: async () => server.close() };
  });
}

// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

describe.skipIf(!hasProgram('flashrom'))('needs flashrom', () => {
  driverConformance('flashrom', SPI_NOR_KIT, makeFlashromHarness, { stuckMs: 4_000 });
  spiNorConformance('flashrom', makeFlashromHarness);
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
    const programPath = join(directory, 'tool');
    writeFileSync(programPath, '#!/bin/sh\necho "Erase/write done."\nwhile [ ! -e ../go ]; do sleep 0.01; done\n', {
      mode: 0o700,
    });
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
      writeFileSync(programPath, `#!/bin/sh\nprintf x >> ../starts\necho "${words}"\nexit 1\n`, { mode: 0o700 });
      const outcome = await driver.program({ address: 0, image: Uint8Array.of(1) });
      expect(outcome).toMatchObject({ state: 'FAILED', code: expected.code });
      expect(starts()).toBe(expected.starts);
    }
    await server.close();
    rmSync(directory, { recursive: true });
  });

  it('refuses an address that would read as further parameters', async () => {
    const address = { host: '127.0.0.1,spispeed=1', port: 1 };
    await expect(FlashromDriver.open({ profile: W25Q80_BOARD, address })).rejects.toThrow(TypeError);
  });
});

/** flashrom keeps a core busy while it waits; more at once than this would only wait for each other. */
const BENCHES = 3;
let benchesTaken = 0;
const queue: (() => void)[] = [];

async function makeFlashromHarness(bay: DeviceBay): Promise<DriverHarness> {
  if (benchesTaken === BENCHES) await new Promise<void>((resolve) => queue.push(resolve));
  else benchesTaken += 1;
  const temporaryDirectory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  const server = await SerprogServer.open({ bay });
  const address = { host: server.host, port: server.port };
  const driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address, temporaryDirectory });
  return {
    driver,
    expectNothingLeft: () => {
      expect(processesNaming(`serprog:ip=${server.host}:${server.port}`)).toEqual([]);
      expect(readdirSync(temporaryDirectory)).toEqual([]);
    },
    close: async () => {
      const next = queue.shift();
      if (next === undefined) benchesTaken -= 1;
      else next();
      await server.close();
      rmSync(temporaryDirectory, { recursive: true, force: true });
    },
  };
}

/** Command lines of running processes that hold the text; the port makes it unique. */
function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(text));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended between the listing and the reading.
    return '';
  }
}

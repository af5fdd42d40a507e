// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '@witnessmark/core';
import { McuBay, OpenocdDriver, RemoteBitbangServer, STM32F103C4_BOARD } from '../../src/index.ts';
import { driverConformance } from '../conformance.ts';
import { onBench, type DriverHarness } from '../conformance-kit.ts';
import { hasProgram } from '../has-program.ts';
import { MCU_KIT, newMcu } from '../stm32/kit.ts';
import { runAlone, ToolBenches, writeTool } from '../tool-kit.ts';

const UNIQUE_ID = MCU_KIT.uniqueId('openocd', 9);
const WHOLE = { address: 0, length: STM32F103C4_BOARD.sizeBytes };
const IMAGE = MCU_KIT.image;

/** The ports of the benches by their driver, for tests that speak to one without it. */
const ports = new WeakMap<object, number>();

describe.skipIf(!hasProgram('openocd'))('needs openocd', () => {
  driverConformance('openocd', MCU_KIT, makeHarness, { stuckMs: 8_000, givesUp: true });

  describe.concurrent('OpenocdDriver', { timeout: 60_000 }, () => {
    it('marks what is behind remote_bitbang as simulated, and says which OpenOCD works', async ({ expect }) => {
      const driver = await OpenocdDriver.open({
        profile: STM32F103C4_BOARD,
        address: { host: '127.0.0.1', port: 9 },
      });
      expect(driver.simulated).toBe(true);
      expect(driver.programmer.model).toMatch(/^OpenOCD \d+\.\d+\.\d+ remote_bitbang$/);
    });

    it('says LS-403 when the programmer is gone, and LS-403 when the tool is', async ({ expect }) => {
      const server = await RemoteBitbangServer.open({ bay: new McuBay(newMcu(UNIQUE_ID)) });
      const options = { profile: STM32F103C4_BOARD, address: { host: server.host, port: server.port } };
      const driver = await OpenocdDriver.open(options);
      await server.close();
      const gone = { state: 'FAILED', code: 'LS-403' };
      expect(await driver.identify()).toMatchObject(gone);
      expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject(gone);
      expect(await driver.lock()).toMatchObject(gone);
      await expect(OpenocdDriver.open({ ...options, programPath: '/nonexistent/openocd' })).rejects.toMatchObject({
        code: 'LS-403',
      });
      await expect(OpenocdDriver.open({ ...options, programPath: '/bin/true' })).rejects.toMatchObject({
        code: 'LS-403',
      });
    });

    it(
      'ends UNKNOWN at its time limit when the programmer falls silent, with no process left',
      onBench(MCU_KIT, makeHarness, newPart, async ({ driver, bay, expectNothingLeft }, expect) => {
        bay.stallAfter(20_000);
        const outcome = await driver.program({ address: 0, image: IMAGE }, { timeoutMs: 1_500 });
        expect(outcome).toEqual({ state: 'UNKNOWN', detail: 'program did not end within 1500 ms' });
        expectNothingLeft();
        expect(await driver.identify()).toMatchObject({ state: 'DONE' });
      }),
    );

    it(
      'says UF-01 for a core with another debug port, with which OpenOCD alone goes on and ends with status 0',
      onBench(MCU_KIT, makeHarness, newPart, async ({ driver, chip }, expect) => {
        chip.inject({ debugPortId: 0x1ba00477 });
        const before = chip.revision;
        const alone = await runStock(ports.get(driver) as number);
        expect(alone).toMatchObject({ exitCode: 0 });
        expect(alone.output).toContain('Trying to use configured scan chain anyway');
        expect(await driver.identify()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(chip.revision).toBe(before);
      }),
    );

    it(
      'refuses to read a locked part, and unlocking it erases everything',
      onBench(MCU_KIT, makeHarness, newPart, async ({ driver, chip }, expect) => {
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'DONE' });
        expect(await driver.lock()).toMatchObject({ state: 'DONE' });
        // The option bytes act from the next reset on.
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
        expect(await driver.reset()).toMatchObject({ state: 'DONE' });
        expect(await driver.readBack(WHOLE)).toMatchObject({ state: 'FAILED', code: 'UF-02' });
        expect(await openocdOf(driver).unlock()).toEqual({ state: 'DONE', value: undefined });
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
        expect(await driver.reset()).toMatchObject({ state: 'DONE' });
        const content = await driver.readBack(WHOLE);
        const blank = new Uint8Array(WHOLE.length).fill(0xff);
        expect(content.state === 'DONE' && sha256Hex(content.value)).toBe(sha256Hex(blank));
        expect(sha256Hex(chip.snapshot().memory)).toBe(sha256Hex(blank));
      }),
    );

    it(
      'says UF-02 for pages that are write-protected by option bytes',
      onBench(MCU_KIT, makeHarness, newWriteProtectedPart, async ({ driver, chip }, expect) => {
        const refused = { state: 'FAILED', code: 'UF-02' };
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject(refused);
        expect(await driver.program({ address: 0x1000, image: IMAGE })).toMatchObject({ state: 'DONE' });
        expect(
          chip
            .snapshot()
            .memory.subarray(0, 0x1000)
            .every((byte) => byte === 0xff),
        ).toBe(true);
      }),
    );
  });
});

describe('OpenocdDriver with another tool in the place of OpenOCD', () => {
  it.each([
    ['ends with status 0 and says nothing', 'exit 0', { state: 'UNKNOWN' }],
    ['claims the end and nothing else', 'echo "witnessmark: end"', { state: 'UNKNOWN' }],
    ['says what no script says', 'echo "witnessmark: id 00; exec"; echo "witnessmark: end"', { state: 'UNKNOWN' }],
    [
      'sees two ids',
      'for id in 1 2; do echo "witnessmark: id 066bff343834554e4317142$id"; done; echo "witnessmark: part 20030412 16"; echo "witnessmark: end"',
      { state: 'FAILED', code: 'UF-01' },
    ],
    [
      'sees another size',
      'for id in 1 1; do echo "witnessmark: id 066bff343834554e4317142$id"; done; echo "witnessmark: part 20030410 64"; echo "witnessmark: end"',
      { state: 'FAILED', code: 'UF-01' },
    ],
  ])('does not believe a run that %s', async (_, commands, wanted) => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const version = 'if [ "$1" = --version ]; then echo "Open On-Chip Debugger 0.12.0"; exit; fi';
    const programPath = writeTool(directory, `${version}\n${commands}`);
    const address = { host: '127.0.0.1', port: 9 };
    const options = { profile: STM32F103C4_BOARD, address, programPath, temporaryDirectory: directory };
    const driver = await OpenocdDriver.open(options);
    expect(await driver.readHardwareId()).toMatchObject(wanted);
    expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject(wanted);
    rmSync(directory, { recursive: true });
  });

  it('refuses an address that would read as further commands', async () => {
    const address = { host: '127.0.0.1; exec id', port: 1 };
    await expect(OpenocdDriver.open({ profile: STM32F103C4_BOARD, address })).rejects.toThrow(TypeError);
    await expect(
      OpenocdDriver.open({ profile: STM32F103C4_BOARD, address: { host: '127.0.0.1', port: 0 } }),
    ).rejects.toThrow(TypeError);
  });
});

function openocdOf(driver: unknown): OpenocdDriver {
  if (!(driver instanceof OpenocdDriver)) throw new TypeError('another driver is on the bench');
  return driver;
}

function newPart(): ReturnType<typeof newMcu> {
  return newMcu(UNIQUE_ID);
}

/** WRP0 clear: the first four pages. */
function newWriteProtectedPart(): ReturnType<typeof newMcu> {
  return newMcu(UNIQUE_ID, { optionBytes: { at: 8, bytes: [0xfe, 0x01] } });
}

const benches = new ToolBenches(3);

async function makeHarness(bay: McuBay): Promise<DriverHarness> {
  return benches.open(async (temporaryDirectory) => {
    const server = await RemoteBitbangServer.open({ bay });
    const driver = await OpenocdDriver.open({ profile: STM32F103C4_BOARD, address: server, temporaryDirectory });
    ports.set(driver, server.port);
    return { driver, close: async () => server.close() };
  });
}

/** OpenOCD with its stock configuration and no script of ours. */
async function runStock(port: number): ReturnType<typeof runAlone> {
  const commands = ['adapter driver remote_bitbang', `remote_bitbang port ${port}`, 'transport select jtag'];
  const then = ['gdb_port disabled', 'tcl_port disabled', 'telnet_port disabled', 'init', 'shutdown'];
  return runAlone('/usr/bin/openocd', [
    ...commands.flatMap((command) => ['-c', command]),
    ...['-f', 'target/stm32f1x.cfg'],
    ...then.flatMap((command) => ['-c', command]),
  ]);
}

// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasAvrBoard, type AvrBay } from '@witnessmark/boards';
import { afterAll, describe, expect, it } from 'vitest';
import { ATMEGA328P_BOARD, AvrdudeDriver, type AvrProfile, type Retry } from '../../src/index.ts';
import { driverConformance } from '../conformance.ts';
import { onBench, type DriverHarness } from '../conformance-kit.ts';
import { hasProgram } from '../has-program.ts';
import { runAlone, ToolBenches, writeTool } from '../tool-kit.ts';
import { AvrWorkshop, avrKit } from './kit.ts';

const PROFILE = ATMEGA328P_BOARD;

/** The ports of the benches by their driver, for tests that speak to one without it. */
const ports = new WeakMap<object, number>();

describe.skipIf(!hasProgram('avrdude') || !hasAvrBoard())('needs avrdude and simavr', () => {
  const workshop = new AvrWorkshop();
  const kit = avrKit(workshop);
  const uniqueId = kit.uniqueId('avrdude', 9);
  const newPart = (): ReturnType<typeof workshop.newPart> => workshop.newPart(uniqueId);
  afterAll(() => {
    workshop.close();
  });

  driverConformance('avrdude', kit, makeHarness, { stuckMs: 8_000 });

  describe.concurrent('AvrdudeDriver', { timeout: 120_000 }, () => {
    it(
      'marks what is behind a socket as simulated, and says which avrdude works',
      onBench(kit, makeHarness, newPart, ({ driver }, expect) => {
        expect(driver.simulated).toBe(true);
        expect(driver.programmer.model).toMatch(/^avrdude \d+\.\d+ arduino over network$/);
        return Promise.resolve();
      }),
    );

    it(
      'takes no exit status for an erased chip: this boot loader says yes to a chip erase and does nothing',
      onBench(
        kit,
        makeHarness,
        () => kit.newPart(uniqueId, kit.image),
        async ({ driver, chip }, expect) => {
          const before = chip.snapshot().memory;
          const alone = await runAvrdude(ports.get(driver) as number, ['-e']);
          expect(alone.exitCode).toBe(0);
          expect(chip.snapshot().memory).toEqual(before);
          const whole = { address: 0, length: PROFILE.sizeBytes };
          expect(await driver.erase(whole)).toEqual({ state: 'DONE', value: undefined });
          expect(chip.snapshot().memory.every((byte) => byte === 0xff)).toBe(true);
        },
      ),
    );

    it(
      'takes no answer about lock bits for one: this boot loader says 0x0 about all of them',
      onBench(kit, makeHarness, newPart, async ({ driver }, expect) => {
        const alone = await runAvrdude(ports.get(driver) as number, ['-U', 'lock:r:-:h', '-U', 'lfuse:r:-:h']);
        expect(alone).toMatchObject({ exitCode: 0 });
        expect(alone.output.match(/^0x0$/gm)).toHaveLength(2);
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'unknown' });
      }),
    );

    it(
      'gives a part an identifier once',
      onBench(
        kit,
        makeHarness,
        () => workshop.newPart(new Uint8Array(12).fill(0xff)),
        async ({ driver }, expect) => {
          const avrdude = avrdudeOf(driver);
          await expect(avrdude.storeHardwareId(new Uint8Array(12))).rejects.toThrow(RangeError);
          expect(await avrdude.storeHardwareId(uniqueId)).toEqual({ state: 'DONE', value: undefined });
          expect(await driver.readHardwareId()).toEqual({
            state: 'DONE',
            value: { scheme: 'stored-id', value: uniqueId },
          });
          const again = await avrdude.storeHardwareId(kit.uniqueId('avrdude', 10));
          expect(again).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        },
      ),
    );

    it(
      'says UF-01 when another boot loader reads the flash out',
      onBench(kit, makeHarness, newPart, async ({ driver }, expect) => {
        const profile = { ...PROFILE, bootLoader: { sha256: '00'.repeat(32) } };
        const address = { host: '127.0.0.1', port: ports.get(driver) as number };
        const suspicious = await AvrdudeDriver.open({ profile, address });
        const outcome = await suspicious.readBack({ address: 0, length: 16 });
        expect(outcome).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(outcome.state === 'FAILED' && outcome.detail).toContain('another boot loader');
      }),
    );

    it('says LS-403 when the line is gone, and LS-403 when the tool is', async ({ expect }) => {
      const options = { profile: PROFILE, address: { host: '127.0.0.1', port: 9 } };
      const driver = await AvrdudeDriver.open(options);
      const gone = { state: 'FAILED', code: 'LS-403' };
      expect(await driver.identify()).toMatchObject(gone);
      expect(await driver.program({ address: 0, image: kit.image })).toMatchObject(gone);
      for (const programPath of ['/nonexistent/avrdude', '/bin/true']) {
        await expect(AvrdudeDriver.open({ ...options, programPath })).rejects.toMatchObject({ code: 'LS-403' });
      }
    });
  });
});

describe('AvrdudeDriver with another tool in the place of avrdude', () => {
  const SPOKE = 'avrdude: AVR device initialized and ready to accept instructions';
  const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  async function openWith(
    commands: string,
    profile: AvrProfile = { ...PROFILE, maxToolStarts: 1 },
  ): Promise<AvrdudeDriver> {
    const version = 'if [ "$1" = "-?" ]; then echo "avrdude version 7.1"; exit; fi';
    const programPath = writeTool(directory, `${version}\n${commands}`);
    const address = { host: '127.0.0.1', port: 9 };
    return AvrdudeDriver.open({ profile, address, programPath, temporaryDirectory: directory });
  }

  it.each([
    ['ends with status 0 and says nothing', 'exit 0', { state: 'UNKNOWN' }],
    [
      'leaves files that are too short',
      'for f in signature eeprom eeprom-again flash; do printf x > $f.bin; done',
      { state: 'UNKNOWN' },
    ],
    ['fails after it has spoken to the part', `echo "${SPOKE}"; exit 1`, { state: 'UNKNOWN' }],
    [
      'sees another part',
      `echo "${SPOKE}"; echo "avrdude error: expected signature for ATmega328P is 1E 95 0F"; exit 1`,
      { state: 'FAILED', code: 'UF-01' },
    ],
    [
      'never reaches a part',
      'echo "avrdude error: programmer is not responding"; exit 1',
      { state: 'FAILED', code: 'UF-01' },
    ],
    [
      'finds no port',
      `echo "can't open device: No such file or directory"; exit 1`,
      { state: 'FAILED', code: 'LS-403' },
    ],
  ])('does not believe a run that %s', async (_, commands, wanted) => {
    const driver = await openWith(commands);
    expect(await driver.readHardwareId()).toMatchObject(wanted);
    expect(await driver.program({ address: 0, image: Uint8Array.of(1) })).toMatchObject(wanted);
  });

  it('A25: starts a tool again that never reached the part, says so each time, and no more often than the profile allows', async () => {
    const starts = join(directory, 'starts');
    const count = (): number => readFileSync(starts, 'utf8').length;
    const driver = await openWith(
      `printf x >> ${starts}; echo "avrdude warning: attempt 1 of 1: not in sync: resp=0x00"; exit 1`,
      { ...PROFILE, maxToolStarts: 3 },
    );
    const retries: Retry[] = [];
    const outcome = await driver.readHardwareId({ onRetry: (retry) => retries.push(retry) });
    expect(outcome).toMatchObject({ state: 'FAILED', code: 'UF-01' });
    expect(retries).toMatchObject([
      { operation: 'readHardwareId', start: 1 },
      { operation: 'readHardwareId', start: 2 },
    ]);
    expect(count()).toBe(3);
  });

  it.each([
    ['has reached the part', `${SPOKE}; protocol expects OK byte 0x10`, 'UNKNOWN'],
    ['has heard nothing', 'programmer is not responding; not in sync: resp=0x00', 'FAILED'],
    ['has found no line', "can't open device", 'FAILED'],
  ])('A25: never starts a tool again that %s', async (_, words, state) => {
    const starts = join(directory, 'once');
    writeFileSync(starts, '');
    const driver = await openWith(`printf x >> ${starts}; echo "${words}"; exit 1`, { ...PROFILE, maxToolStarts: 3 });
    expect(await driver.readHardwareId()).toMatchObject({ state });
    expect(readFileSync(starts, 'utf8')).toBe('x');
  });

  it.each([
    { host: '127.0.0.1 -e', port: 1 },
    { host: '127.0.0.1', port: 0 },
    { path: '/dev/pts/3' },
    { path: '/dev/ttyUSB0; id' },
  ])('refuses the address %o', async (address) => {
    await expect(AvrdudeDriver.open({ profile: PROFILE, address })).rejects.toThrow(TypeError);
  });
});

function avrdudeOf(driver: unknown): AvrdudeDriver {
  if (!(driver instanceof AvrdudeDriver)) throw new TypeError('another driver is on the bench');
  return driver;
}

const benches = new ToolBenches(4);

async function makeHarness(bay: AvrBay): Promise<DriverHarness> {
  return benches.open(async (temporaryDirectory) => {
    const address = { host: bay.host, port: await bay.listen() };
    const driver = await AvrdudeDriver.open({ profile: PROFILE, address, temporaryDirectory });
    ports.set(driver, address.port);
    return { driver, close: async () => bay.close() };
  });
}

async function runAvrdude(port: number, args: readonly string[]): ReturnType<typeof runAlone> {
  const line = ['-q', '-q', '-p', 'm328p', '-c', 'arduino', '-P', `net:127.0.0.1:${port}`];
  return runAlone('/usr/bin/avrdude', [...line, ...args]);
}

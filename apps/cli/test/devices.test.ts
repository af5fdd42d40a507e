// SPDX-License-Identifier: Apache-2.0
/** `--device` and `--profile`: which driver, where, and which board. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvrBay, AvrPart, buildAvrBoard, hasAvrBoard } from '@witnessmark/boards';
import {
  ATMEGA328P_BOARD,
  blankChip,
  DeviceBay,
  PROFILE_MEDIA_TYPE,
  SerprogServer,
  SpiNorChip,
  STM32F103C4_BOARD,
  STM32F103C8_BOARD,
  W25Q32_BOARD,
  W25Q80_BOARD,
} from '@witnessmark/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSelection } from '../src/roots/device-selection.ts';
import { hasProgram } from './programs.ts';
import { run } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function profileFile(name: string, value: object): string {
  const path = join(directory, `${name}.json`);
  writeFileSync(path, JSON.stringify({ mediaType: PROFILE_MEDIA_TYPE, ...value }));
  return path;
}

const NET = { host: '127.0.0.1', port: 24_000 };
const SMALL = { ...W25Q80_BOARD, id: 'small-board' };

describe('--device', () => {
  it.each([
    ['simulated:a.chip', { kind: 'simulated', path: 'a.chip', uniqueId: null, profile: W25Q80_BOARD }],
    [
      'simulated:a.chip,profile=w25q32-board',
      { kind: 'simulated', path: 'a.chip', uniqueId: null, profile: W25Q32_BOARD },
    ],
    ['flashrom:127.0.0.1:24000', { kind: 'flashrom', address: NET, profile: W25Q80_BOARD }],
    ['flashrom:127.0.0.1:24000,chip=W25Q32.V', { kind: 'flashrom', address: NET, profile: W25Q32_BOARD }],
    ['openocd:127.0.0.1:24000', { kind: 'openocd', address: NET, profile: STM32F103C8_BOARD }],
    [
      'openocd:127.0.0.1:24000,profile=stm32f103c4-board',
      { kind: 'openocd', address: NET, profile: STM32F103C4_BOARD },
    ],
    ['avrdude:127.0.0.1:24000', { kind: 'avrdude', address: NET, profile: ATMEGA328P_BOARD }],
    ['avrdude:/dev/ttyACM0', { kind: 'avrdude', address: { path: '/dev/ttyACM0' }, profile: ATMEGA328P_BOARD }],
  ])('reads %s', (text, selection) => {
    expect(parseSelection(text, undefined)).toEqual(selection);
  });

  it.each([
    'jlink:127.0.0.1:24000',
    'simulated:',
    'simulated:a.chip,uid=00',
    'flashrom:127.0.0.1',
    'flashrom:127.0.0.1:70000',
    'flashrom:127.0.0.1:24000,uid=00',
    'flashrom:127.0.0.1:24000,chip=AT25',
    'openocd:127.0.0.1:24000,chip=W25Q80.V',
    'openocd:127.0.0.1:24000,profile=w25q80-board',
    'avrdude:127.0.0.1',
    'avrdude:127.0.0.1:24000,profile=w25q80-board',
    'toString:127.0.0.1:24000',
  ])('refuses %s', (text) => {
    expect(() => parseSelection(text, undefined)).toThrow(expect.objectContaining({ code: 'ERR_CLI_USAGE' }));
  });
});

describe('--profile', () => {
  it('describes a board that does not come with the program', () => {
    expect(parseSelection('flashrom:127.0.0.1:24000', profileFile('small', SMALL))).toMatchObject({ profile: SMALL });
  });

  it.each([
    ['another name for the board', 'flashrom:127.0.0.1:24000,profile=w25q80-board'],
    ['a chip', 'flashrom:127.0.0.1:24000,chip=W25Q80.V'],
    ['a driver for another kind of board', 'openocd:127.0.0.1:24000'],
  ])('is refused together with %s', (_, text) => {
    const file = profileFile('refused', SMALL);
    expect(() => parseSelection(text, file)).toThrow(expect.objectContaining({ code: 'ERR_CLI_USAGE' }));
  });

  it('says that a file holds no profile, and that none is there', () => {
    const open = (file: string): unknown => parseSelection('flashrom:127.0.0.1:9', file);
    const odd = profileFile('odd', { ...SMALL, voltage: 3.3 });
    expect(() => open(odd)).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_PROFILE' }));
    const missing = join(directory, 'missing.json');
    expect(() => open(missing)).toThrow(expect.objectContaining({ code: 'ERR_CLI_INPUT' }));
  });

  it.skipIf(!hasProgram('/usr/sbin/flashrom'))('is the board the fixture is tried with', async () => {
    const chip = new SpiNorChip(blankChip({ ...SMALL, uniqueId: Uint8Array.of(0xd2, 1, 9, 7, 5, 3, 2, 4) }));
    const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
    try {
      const device = ['doctor', '--device', `flashrom:127.0.0.1:${server.port}`, '--profile'];
      expect(await run([...device, profileFile('tried', SMALL)])).toMatchObject({ exit: 0 });
      const other = profileFile('other', { ...SMALL, jedecId: 'c22014' });
      expect((await run([...device, other])).stdout).toContain('UF-01');
    } finally {
      await server.close();
    }
  });
});

describe.skipIf(!hasProgram('/usr/bin/avrdude') || !hasAvrBoard())('an AVR board that programs itself', () => {
  let site: TestSite;
  let line: TestLine;
  let bay: AvrBay;
  let device: string;
  beforeAll(async () => {
    site = await TestSite.makeReleased();
    line = await TestLine.start(site.data);
    const uniqueId = Uint8Array.of(6, 11, 2, 99, 4, 5, 6, 7, 8, 9, 10, 12);
    bay = new AvrBay(new AvrPart({ program: buildAvrBoard(directory), path: join(directory, 'part'), uniqueId }));
    device = `avrdude:127.0.0.1:${await bay.listen()}`;
  });
  afterAll(async () => {
    await bay.close();
    await line.end('SIGTERM');
    site.remove();
  });

  it('has a label, and is refused for a recipe that locks: nothing is written to it', { timeout: 60_000 }, async () => {
    const made = await expectDone(['station', 'label', '--data', site.data, '--device', device]);
    const before = bay.chip?.revision;
    const refused = await run(site.station('program', device, line.url, '--label', made.stdout.trim()));
    expect(refused).toMatchObject({ exit: 4 });
    expect(refused.stdout + refused.stderr).toContain('LS-205');
    expect(bay.chip?.revision).toBe(before);
  });

  it('is refused on a port that could be a program, and with a profile that is none', async () => {
    const label = ['station', 'label', '--data', site.data, '--device'];
    expect(await run([...label, 'avrdude:/dev/pts/3'])).toMatchObject({ exit: 2 });
    const odd = profileFile('odd', { ...ATMEGA328P_BOARD, kind: 'fpga' });
    const refused = await run([...label, device, '--profile', odd]);
    expect(refused).toMatchObject({ exit: 2 });
    expect(refused.stderr).toContain('ERR_DEVICE_PROFILE');
  });
});

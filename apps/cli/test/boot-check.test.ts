// SPDX-License-Identifier: Apache-2.0
/** A recipe with `bootDigest` from the proposal to the verdict: boards that are started by QEMU, by a script, over a console. */
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { buildBootFirmware, buildBootImage, hasBootFirmware } from '@witnessmark/boards';
import { sha256Hex } from '@witnessmark/core';
import { SimulatedDriver, DeviceBay, W25Q80_BOARD } from '@witnessmark/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, stationConfigSchema } from '../src/config.ts';
import { openBootCheck } from '../src/roots/boot-check.ts';
import { hasProgram } from './programs.ts';
import { run, runProcess, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const QEMU = '/usr/bin/qemu-system-arm';
const canBoot = hasProgram(QEMU) && hasBootFirmware();
const IMAGE_BYTES = 16 * 1024;
const OTHER = 'ab'.repeat(32);

let site: TestSite;
let line: TestLine;
let digest: string;
let boards = 0;

beforeAll(async () => {
  site = await TestSite.make();
  if (canBoot) {
    const code = buildBootFirmware(site.folder);
    writeFileSync(site.image, buildBootImage(code, { sizeBytes: IMAGE_BYTES, seed: 'command line' }));
  }
  digest = sha256Hex(readFileSync(site.image));
  await expectDone(site.propose('1.0.0', '--boot-digest'));
  const review = await expectDone(['release', 'review', 'P-0001', '--data', site.data]);
  expect(review.stdout).toContain('recipe     program, measure, bootDigest, lock');
  for (const approver of ['anna', 'ben']) await expectDone(await site.approve('P-0001', approver));
  line = await TestLine.start(site.data);
}, 60_000);
afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

/** Writes `boot` and other members into station.json; undefined takes one out. */
function configure(members: Readonly<Record<string, unknown>>): void {
  const file = `${site.data}/station.json`;
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...config, slots: undefined, ...members }));
}

/** A program that stands for a board and its console. */
function script(text: string): string {
  const path = site.path('board.sh');
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return path;
}

const started = (text: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  boot: { model: 'script', command: { program: script(text), args: ['{chip}'] }, ...more },
});

async function makeUnit(start = run): Promise<RunResult & { readonly label: string }> {
  boards += 1;
  const board = await site.makeBoard(`d2651c0b1f3b${boards.toString(16).padStart(4, '0')}`);
  const result = await start(site.station('program', board.device, line.url, '--label', board.label, '--json'));
  return { ...result, label: board.label };
}

function unitOf({ stdout }: RunResult): { readonly phase: string; readonly code: string | null } {
  return (JSON.parse(stdout) as { unit: { phase: string; code: string | null } }).unit;
}

function verify(label: string): Promise<RunResult> {
  const trust = ['--trust', `${site.data}/trusted-root.json`, '--policy', `${site.data}/policy.json`];
  return run(['verify', `${site.data}/evidence/${label}.evidence.json`, ...trust]);
}

describe('a station whose boards are started by a command', { timeout: 60_000 }, () => {
  it('passes a unit whose firmware names the digest of what the part holds, and verify shows it', async () => {
    configure(
      started(`printf 'loader 1.0\\r\\nwitnessmark boot 1 sha256:%s\\r\\n' "$(head -c ${IMAGE_BYTES} "$1" | sha256sum | cut -c1-64)"
exec sleep 600`),
    );
    const made = await makeUnit();
    expect([made.exit, unitOf(made)]).toEqual([0, expect.objectContaining({ phase: 'passed', code: null })]);
    const verified = await verify(made.label);
    expect([verified.exit, verified.stdout]).toEqual([
      0,
      expect.stringContaining('1 start in which the firmware named'),
    ]);
    expect(readFileSync(`${site.data}/evidence/${made.label}.evidence.json`, 'utf8')).not.toContain(site.folder);
  });

  it('fails a unit whose firmware names another digest (UF-03)', async () => {
    configure(started(`echo witnessmark boot 1 sha256:${OTHER}; exec sleep 600`));
    const made = await makeUnit();
    expect([made.exit, unitOf(made)]).toEqual([1, expect.objectContaining({ phase: 'failed', code: 'UF-03' })]);
    expect(made.stdout).toContain(OTHER);
  });

  it.each([
    ['says nothing', 'exec sleep 600'],
    ['ends without a word', 'exit 0'],
    ['says it on its error stream', `echo witnessmark boot 1 sha256:${OTHER} >&2; exec sleep 600`],
    ['says it within a line', `echo "ok witnessmark boot 1 sha256:${OTHER}"; exec sleep 600`],
    ['says it in another form', `echo witnessmark boot 1 sha256:${OTHER.toUpperCase()}; exec sleep 600`],
  ])('holds a unit whose board %s (HD-02)', async (_, text) => {
    configure(started(text, { timeoutMs: 1000 }));
    const made = await makeUnit();
    expect([made.exit, unitOf(made)]).toEqual([5, expect.objectContaining({ phase: 'interrupted', code: 'HD-02' })]);
  });

  it('refuses the recipe at a fixture that starts no board (LS-205)', async () => {
    configure({ boot: undefined });
    const made = await makeUnit();
    expect([made.exit, unitOf(made)]).toEqual([4, expect.objectContaining({ phase: 'stopped', code: 'LS-205' })]);
  });

  it.skipIf(!canBoot)('QEMU starts the very chip, and the firmware in it names its digest', async () => {
    const machine = ['-M', 'ast2500-evb,fmc-model=w25q80', '-display', 'none', '-monitor', 'none', '-nic', 'none'];
    const args = [...machine, '-serial', 'stdio', '-drive', 'file={chip},format=raw,if=mtd,snapshot=on'];
    configure({ boot: { model: 'QEMU ast2500-evb', command: { program: QEMU, args } } });
    const made = await makeUnit(runProcess);
    expect([made.stderr, unitOf(made)]).toEqual([expect.any(String), expect.objectContaining({ phase: 'passed' })]);
    expect(await verify(made.label)).toMatchObject({ exit: 0 });
    expect(await expectDone(['trace', made.label, '--data', site.data])).toMatchObject({ exit: 0 });
  });
});

describe('a station whose boards speak on a serial line', { timeout: 60_000 }, () => {
  let server: Server;
  let says: string;
  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined).write(says);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });
  const atConsoleServer = (more: object = {}): object => {
    const { port } = server.address() as AddressInfo;
    return { model: 'fixture 7', serial: { port }, ...more };
  };

  it('hears it over a console server, in each slot', async () => {
    says = `\0\xffloader\r\nwitnessmark boot 1 sha256:${digest}\r\n`;
    const board = await site.makeBoard('d2651c0b1f3bff01');
    configure({ boot: undefined, slots: [{ slot: 1, device: board.device, boot: atConsoleServer() }] });
    const operator = ['--operator-key', site.key('operator-olga'), '--line', line.url];
    const shift = await run(['station', 'run', '--data', site.data, ...operator], { stdin: `1:${board.label}\n` });
    expect([shift.exit, shift.stdout]).toEqual([0, expect.stringContaining('1 units: 1 PASS')]);
    expect(await verify(board.label)).toMatchObject({ exit: 0 });
  });

  it('fails another digest there (UF-03), and holds a silent board (HD-02)', async () => {
    configure({ boot: atConsoleServer() });
    says = `witnessmark boot 1 sha256:${OTHER}\n`;
    expect(unitOf(await makeUnit())).toMatchObject({ phase: 'failed', code: 'UF-03' });
    says = 'loader\r\n';
    configure({ boot: atConsoleServer({ timeoutMs: 300 }) });
    expect(unitOf(await makeUnit())).toMatchObject({ phase: 'interrupted', code: 'HD-02' });
  });
});

describe('the member boot of a station configuration', () => {
  const command = { program: '/bin/true' };
  const serial = { port: 1 };
  it.each<[string, object]>([
    ['names neither command nor serial', { model: 'x' }],
    ['names both', { model: 'x', command, serial }],
    ['has no model', { command }],
    ['has an unknown member', { model: 'x', command, shell: true }],
    ['has a limit below the least', { model: 'x', command, timeoutMs: 99 }],
    ['has a limit above the greatest', { model: 'x', command, timeoutMs: 600_001 }],
    ['has one argument too many', { model: 'x', command: { ...command, args: Array(65).fill('a') } }],
    ['has an argument that is too long', { model: 'x', command: { ...command, args: ['a'.repeat(4097)] } }],
    ['has an argument that no program can get', { model: 'x', command: { ...command, args: ['a\0b'] } }],
    ['has a command line in one text', { model: 'x', command: '/bin/true -x' }],
    ['has a device by a relative path', { model: 'x', serial: { device: 'ttyUSB0' } }],
    ['has a speed that no line has', { model: 'x', serial: { device: '/dev/ttyUSB0', baudRate: 49 } }],
    ['has a device and a port', { model: 'x', serial: { device: '/dev/ttyUSB0', port: 1 } }],
    ['has no port', { model: 'x', serial: { host: 'console' } }],
    ['has a port above the last', { model: 'x', serial: { port: 65_536 } }],
  ])('is a usage error when it %s', async (_, boot) => {
    for (const members of [{ boot }, { boot: undefined, slots: [{ slot: 1, device: 'simulated:x', boot }] }]) {
      configure(members);
      const made = await run(site.station('program', 'simulated:x', line.url, '--label', 'x'));
      expect([made.exit, made.stderr]).toEqual([2, expect.stringMatching(/(boot|shell).*ERR_CLI_CONFIG/)]);
    }
  });

  it('takes everything at its limits', () => {
    const args = Array<string>(64).fill('a'.repeat(100));
    for (const boot of [
      { model: 'm'.repeat(128), timeoutMs: 100, command: { program: 'board.sh', args } },
      { model: 'x', timeoutMs: 600_000, command: { program: '/b', args: ['a'.repeat(4096)] } },
      { model: 'x', serial: { device: '/dev/ttyUSB0', baudRate: 4_000_000 } },
      { model: 'x', serial: { host: 'console', port: 65_535 } },
    ]) {
      configure({ boot });
      expect(loadConfig(`${site.data}/station.json`, stationConfigSchema).values.boot).toMatchObject(boot);
    }
  });

  it('hands no part over as a file that is not simulated', async () => {
    configure(started('exit 0'));
    const config = loadConfig(`${site.data}/station.json`, stationConfigSchema);
    const simulated = new SimulatedDriver({ profile: W25Q80_BOARD, bay: new DeviceBay(null) });
    const real = Object.create(simulated, { simulated: { value: false } }) as SimulatedDriver;
    expect(await openBootCheck(config, config.values.boot, simulated)).toMatchObject({ model: 'script' });
    await expect(openBootCheck(config, config.values.boot, real)).rejects.toMatchObject({ code: 'ERR_CLI_CONFIG' });
  });
});

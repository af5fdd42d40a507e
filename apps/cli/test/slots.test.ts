// SPDX-License-Identifier: Apache-2.0
/** A station with several places as people run it: scans by slot, panels, golden units, and programmers that are taken. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChipFile, W25Q80_BOARD } from '@witnessmark/device';
import { leaseDevice } from '@witnessmark/station';
import { SimulatedBay } from '../src/roots/fixture.ts';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

interface ShiftDocument {
  readonly units: readonly {
    readonly slot: number;
    readonly phase: string;
    readonly code: string | null;
    readonly serial: string | null;
    readonly panel: { readonly position: number } | null;
  }[];
  readonly slots: readonly { readonly slot: number; readonly passed: number }[];
  readonly xOuts: number;
}

let site: TestSite;
let line: TestLine;
let boards = 0;

beforeAll(async () => {
  site = await TestSite.makeReleased();
  line = await TestLine.start(site.data);
}, 60_000);
afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

function newBoard(): Promise<{ readonly device: string; readonly label: string }> {
  boards += 1;
  return site.makeBoard(`d2651c0b1f3a${boards.toString(16).padStart(4, '0')}`);
}

/** Puts boards into the slots of station.json, slot 1 first. */
function configureSlots(devices: readonly string[], more: Readonly<Record<string, unknown>> = {}): void {
  const file = `${site.data}/station.json`;
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const slots = devices.map((device, index) => ({ slot: index + 1, device }));
  writeFileSync(file, JSON.stringify({ ...config, slots, ...more }));
}

function shift(scans: readonly string[], ...more: readonly string[]): Promise<RunResult> {
  const operator = ['--operator-key', site.key('operator-olga'), '--line', line.url];
  return run(['station', 'run', '--data', site.data, ...operator, ...more], { stdin: `${scans.join('\n')}\n` });
}

async function shiftDocument(scans: readonly string[]): Promise<ShiftDocument & { readonly exit: number }> {
  const { stdout, exit } = await shift(scans, '--json');
  return { ...(JSON.parse(stdout) as ShiftDocument), exit };
}

/** At a bench, without any line. */
async function writeBoard(device: string, image: Uint8Array): Promise<void> {
  const bay = new SimulatedBay(W25Q80_BOARD);
  bay.insert(ChipFile.open(device.replace('simulated:', ''), { profile: W25Q80_BOARD }));
  expect((await bay.driver.program({ address: 0, image })).state).toBe('DONE');
}

describe('station run with slots', { timeout: 60_000 }, () => {
  it('programs in each slot what is scanned for it, and says which', async () => {
    const [first, second] = [await newBoard(), await newBoard()];
    configureSlots([first.device, second.device]);
    const { stdout, exit } = await shift([`1:${first.label}`, `2:${second.label}`, `1:${first.label}`]);
    expect(stdout).toContain(`[1] PASS  ${first.label}`);
    expect(stdout).toContain(`[2] PASS  ${second.label}`);
    // Scanned while it was at work, the second scan is none; scanned after it, the unit has passed already.
    expect([0, 4]).toContain(exit);
    const { stdout: stops } = await run(['line', 'stops', '--data', site.data, '--line', line.url]);
    expect(stops).toContain('station-1 slot 2 since');
    for (const [, id] of stops.matchAll(/^([0-9a-f-]{36}) {2}LS-102/gm)) {
      const decision = ['--key', site.key('supervisor-sam'), '--action', 'releaseStation', '--reason', 'seen'];
      await expectDone(['line', 'decide', id as string, '--data', site.data, '--line', line.url, ...decision]);
    }
  });

  it('LS-609 wants a slot where two are free, and one that is there', async () => {
    const [first, second] = [await newBoard(), await newBoard()];
    configureSlots([first.device, second.device]);
    const { units, exit } = await shiftDocument([first.label, `3:${first.label}`, `2:${second.label}`]);
    expect(exit).toBe(4);
    const byCode = units.map(({ slot, code }) => `${slot} ${code ?? 'PASS'}`).sort();
    expect(byCode).toEqual(['0 LS-609', '0 LS-609', '2 PASS']);
  });

  it('takes a panel: positions, X-outs, and the codes of one that does not add up', async () => {
    const [first, second] = [await newBoard(), await newBoard()];
    configureSlots([first.device, second.device], { panel: { slots: [1, 2, 1] } });
    const bad = await shiftDocument(['panel P-1 x3', `3:${first.label}`, first.label, first.label, 'panel end']);
    expect(bad.units.map(({ code }) => code)).toEqual(['LS-605', 'LS-606', 'LS-604']);
    const good = await shiftDocument(['panel P-1 x3', first.label, `2:${second.label}`]);
    expect(good.exit).toBe(0);
    expect(good.xOuts).toBe(1);
    expect(good.units.map(({ slot, panel }) => [slot, panel?.position]).sort()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(good.slots).toMatchObject([
      { slot: 1, passed: 1 },
      { slot: 2, passed: 1 },
    ]);
  });

  it('LS-602 does not drive a programmer that somebody else drives, nor one in two slots', async () => {
    const { device, label } = await newBoard();
    configureSlots([device]);
    const lease = await leaseDevice({ path: device.replace('simulated:', '') }, 'another program');
    const taken = await shift([`1:${label}`]);
    expect(taken.exit).toBe(4);
    expect(taken.stderr).toContain('LS-602');
    expect(taken.stderr).toContain('another program');
    await lease.release();
    configureSlots([device, device]);
    expect((await shift([`1:${label}`])).stderr).toContain('LS-602');
    configureSlots([device]);
    expect((await shift([`1:${label}`])).exit).toBe(0);
  });

  it('ERR_STATION_SLOT_OPEN does not forget a slot that has an open unit', async () => {
    const { device, label } = await newBoard();
    configureSlots([device]);
    const open = `${site.data}/stations/station-1/slot-5/journal`;
    mkdirSync(open, { recursive: true });
    writeFileSync(`${open}/019a9f0c-5b7e-7c63-8d51-2f6f3c1f9a10.journal`, '');
    const forgotten = await shift([`1:${label}`]);
    expect(forgotten.exit).toBe(2);
    expect(forgotten.stderr).toContain('ERR_STATION_SLOT_OPEN');
    rmSync(open, { recursive: true });
    expect((await shift([`1:${label}`])).exit).toBe(0);
  });

  it('station program works in one of them, and says which it may be', async () => {
    const [first, second] = [await newBoard(), await newBoard()];
    configureSlots([first.device, second.device]);
    const operator = ['--operator-key', site.key('operator-olga'), '--line', line.url];
    const program = ['station', 'program', '--data', site.data, ...operator, '--label', second.label];
    expect((await run(program)).stderr).toContain('--slot takes one of 1, 2');
    expect((await run([...program, '--slot', '3'])).exit).toBe(2);
    expect((await run([...program, '--slot', '2', '--device', second.device])).exit).toBe(2);
    expect((await run([...program, '--slot', '2'])).exit).toBe(0);
  });
});

describe('golden', { timeout: 60_000 }, () => {
  it('registers a unit that holds the image, proves the station with it, and keeps it from being shipped', async () => {
    const { device, label } = await newBoard();
    const place = ['--data', site.data, '--line', line.url];
    const supervisor = ['--key', site.key('supervisor-sam'), '--reason', 'station check'];
    const registration = ['golden', 'register', ...place, '--device', device, ...supervisor, '--image', site.image];
    const blank = await run([...registration, '--kind', 'golden']);
    expect(blank.exit).toBe(4);
    expect(blank.stderr).toContain('LS-611');
    const registered = await expectDone([...registration, '--kind', 'knownBad', '--json']);
    expect(JSON.parse(registered.stdout)).toMatchObject({ serial: label, kind: 'knownBad' });
    const list = await expectDone(['golden', 'list', ...place]);
    expect(list.stdout).toContain(`${label}  known-bad`);

    const operator = ['--operator-key', site.key('operator-olga')];
    const check = ['golden', 'check', ...place, '--device', device, ...operator];
    const swapped = await run([...check, '--kind', 'golden']);
    expect(swapped.exit).toBe(4);
    const product = await newBoard();
    const program = ['station', 'program', ...place, ...operator];
    const stopped = await run([...program, '--device', product.device, '--label', product.label]);
    expect(stopped.stdout).toContain('LS-613');
    // The unit that was asked for has to be shown; there is none, so it is registered and shown.
    expect((await run([...check, '--kind', 'knownBad'])).exit).toBe(0);
    expect((await run([...program, '--device', product.device, '--label', product.label])).stdout).toContain('LS-613');
    const golden = await newBoard();
    await writeBoard(golden.device, readFileSync(site.image));
    const goldenRegistration = registration.map((word) => (word === device ? golden.device : word));
    await expectDone([...goldenRegistration, '--kind', 'golden']);
    const goldenCheck = check.map((word) => (word === device ? golden.device : word));
    expect((await run([...goldenCheck, '--kind', 'golden'])).exit).toBe(0);
    expect((await run([...program, '--device', product.device, '--label', product.label])).exit).toBe(0);
    const shipped = await run([...program, '--device', golden.device, '--label', golden.label]);
    expect(shipped.stdout).toContain('LS-610');

    await expectDone(['golden', 'retire', label, ...place, ...supervisor]);
    expect((await run(['golden', 'retire', label, ...place, ...supervisor])).exit).toBe(3);
    expect((await run([...program, '--device', device, '--label', label])).stdout).toContain('LS-610');
  });
});

// SPDX-License-Identifier: Apache-2.0
/** A sealed release from the command line: proposed, approved, mirrored, programmed, and accounted for. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankChip, DeviceBay, SerprogServer, SpiNorChip, W25Q80_BOARD } from '@witnessmark/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const hasFlashrom = hasProgram('/usr/sbin/flashrom');
const UNIQUE_ID = Uint8Array.of(0xd2, 0x65, 0x1c, 0x0b, 0x1f, 0x3a, 0x77, 0x99);

let site: TestSite;
let line: TestLine;

beforeAll(async () => {
  site = await TestSite.make();
  await expectDone(site.propose('1.0.0', '--sealed'));
  for (const approver of ['anna', 'ben']) await expectDone(await site.approve('P-0001', approver));
  line = await TestLine.start(site.data);
});

afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

/** Files below a directory that hold a piece of the image. */
function filesWithImage(directory: string): readonly string[] {
  const image = readFileSync(site.image);
  const pieces = [0, 1, 2, 3].map((number) => image.subarray(number * 4096 + 2048, number * 4096 + 2080));
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return pieces.some((piece) => bytes.includes(piece));
    });
}

async function program(device: string, label: string): Promise<string> {
  return (await expectDone(site.station('program', device, line.url, '--label', label))).stdout;
}

describe('a sealed release', () => {
  it('A8: a stick with it holds the envelope, which openssl opens with the key of the line and no other', async () => {
    const stick = site.path('stick');
    await expectDone(['release', 'mirror', '--data', site.data, '--to', stick]);
    expect(filesWithImage(stick)).toEqual([]);
    const name = readdirSync(join(stick, 'targets/images')).find((file) => file.endsWith('.cms'))!;
    const decrypt = (key: string): Buffer => {
      const args = [
        'cms',
        '-decrypt',
        '-binary',
        '-inform',
        'DER',
        '-in',
        join(stick, 'targets/images', name),
        '-inkey',
        key,
      ];
      return spawnSync('openssl', args).stdout;
    };
    expect(decrypt(site.key('unsealing-line-1')).equals(readFileSync(site.image))).toBe(true);
    for (const key of ['evidence-line-1', 'station-station-1', 'author-alex']) {
      expect(decrypt(site.key(key))).toHaveLength(0);
    }
  });

  it('is programmed with one phase more, and every unsealing is accounted for', async () => {
    const { device, label } = await site.makeBoard('d2651c0b1f3a7701');
    expect(await program(device, label)).toContain(`PASS  ${label}`);
    expect(await run(['trace', label, '--data', site.data])).toMatchObject({ exit: 0 });
    // The public log is complete when its writer has ended.
    await line.end('SIGTERM');
    expect((await expectDone(['log', 'show', '--data', site.data])).stdout).toContain(
      `unsealed GW-210-1.0.0 for ${label}`,
    );
    const account = await expectDone(['log', 'unsealings', '--data', site.data, '--json']);
    expect(JSON.parse(account.stdout)).toMatchObject({ unsealings: 1, units: 1, findings: [] });
    expect(await run(['log', 'fsck', '--data', site.data])).toMatchObject({ exit: 0 });
    line = await TestLine.start(site.data);
  });

  it.skipIf(!hasFlashrom)(
    'A8: leaves nothing in clear behind on the disks of station and line, flashrom included',
    async () => {
      const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID }));
      const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
      try {
        const device = `flashrom:127.0.0.1:${server.port},chip=W25Q80.V`;
        const made = await expectDone(['station', 'label', '--data', site.data, '--device', device]);
        expect(await program(device, made.stdout.trim())).toContain('PASS');
        expect(chip.snapshot().memory.subarray(0, 16 * 1024)).toEqual(new Uint8Array(readFileSync(site.image)));
      } finally {
        await server.close();
      }
      for (const folder of ['stations', 'line', 'log', 'trust', 'evidence']) {
        expect(filesWithImage(join(site.data, folder)), folder).toEqual([]);
      }
      for (const parent of [tmpdir(), '/dev/shm'].filter((path) => existsSync(path))) {
        for (const name of readdirSync(parent).filter((file) => /^witnessmark-(?:flashrom|openocd)-/.test(file))) {
          expect(filesWithImage(join(parent, name)), name).toEqual([]);
        }
      }
    },
  );

  it('A8: a line without the key refuses the unit, with the code of its reason', async () => {
    const config = join(site.data, 'line.json');
    const text = readFileSync(config, 'utf8');
    await line.end('SIGTERM');
    writeFileSync(config, text.replace('unsealing-line-1.pem', 'author-alex.pem'));
    line = await TestLine.start(site.data);
    const { device, label } = await site.makeBoard('d2651c0b1f3a7702');
    const refused = await run(site.station('program', device, line.url, '--label', label, '--json'));
    expect([refused.exit, refused.stdout.includes('BX-205')]).toEqual([4, true]);
    await line.end('SIGTERM');
    writeFileSync(config, text);
    line = await TestLine.start(site.data);
    expect(await program(device, label)).toContain(`PASS  ${label}`);
  });

  it('BX-204: an office that requires sealing seals without being asked', async () => {
    const config = join(site.data, 'office.json');
    const office = JSON.parse(readFileSync(config, 'utf8')) as Record<string, unknown>;
    writeFileSync(config, JSON.stringify({ ...office, sealing: 'required' }));
    await expectDone(site.propose('1.1.0'));
    const review = await expectDone(['release', 'review', 'P-0002', '--data', site.data]);
    expect(review.stdout).toContain('+ images/GW-210-1.1.0.firmware.bin.cms');
    writeFileSync(config, JSON.stringify(office));
  });
});

// SPDX-License-Identifier: Apache-2.0
/** A station with a real programming tool: flashrom over serprog, from the command line to the verdict. */
import { readFileSync } from 'node:fs';
import { blankChip, DeviceBay, SerprogServer, SpiNorChip, W25Q80_BOARD } from '@witnessmark/device';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const hasFlashrom = hasProgram('/usr/sbin/flashrom');
const UNIQUE_ID = Uint8Array.of(0xd2, 0x65, 0x1c, 0x0b, 0x1f, 0x3a, 0x77, 0x88);

let site: TestSite;
let line: TestLine;
beforeAll(async () => {
  if (!hasFlashrom) return;
  site = await TestSite.makeReleased();
  line = await TestLine.start(site.data);
});
afterAll(async () => {
  if (!hasFlashrom) return;
  await line.end('SIGTERM');
  site.remove();
});

it.skipIf(!hasFlashrom)('flashrom programs a board, and the evidence verifies', async () => {
  const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID }));
  const bay = new DeviceBay(chip);
  const server = await SerprogServer.open({ bay });
  try {
    const device = `flashrom:127.0.0.1:${server.port},chip=W25Q80.V`;
    const made = await expectDone(['station', 'label', '--data', site.data, '--device', device]);
    const label = made.stdout.trim();
    const programmed = await expectDone(site.station('program', device, line.url, '--label', label));
    expect(programmed.stdout).toContain(`PASS  ${label}`);
    expect(chip.snapshot().memory.subarray(0, 16 * 1024)).toEqual(new Uint8Array(readFileSync(site.image)));
    expect(await run(['trace', label, '--data', site.data])).toMatchObject({ exit: 0 });
    expect(await run(['doctor', '--device', device])).toMatchObject({ exit: 0 });
  } finally {
    await server.close();
  }
  const away = site.station('program', 'flashrom:127.0.0.1:9,chip=W25Q80.V', line.url, '--label', 'x');
  expect(await run(away)).toMatchObject({ exit: 6 });
});

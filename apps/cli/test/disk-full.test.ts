// SPDX-License-Identifier: Apache-2.0
/** A68: the disk of a real line runs full. New units stop first, what was begun is closed, and nothing is there by half. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DISK_RESERVES } from '@witnessmark/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canMountDisks, SmallDisk } from '../../../testing/world/src/small-disk.ts';
import { hasProgram } from './programs.ts';
import { run, type RunResult } from './run.ts';
import { TestLine, TestSite } from './site.ts';

const MIB = 1024 * 1024;
const DISK = '640m';

describe.skipIf(!canMountDisks() || !hasProgram('fallocate'))(
  'the disk of a line (root may mount a small one)',
  { timeout: 120_000 },
  () => {
    let disk: SmallDisk;
    let site: TestSite;
    let line: TestLine;

    beforeAll(async () => {
      disk = SmallDisk.mount(DISK)!;
      const { TMPDIR: before } = process.env;
      process.env['TMPDIR'] = disk.path;
      try {
        site = await TestSite.makeReleased();
      } finally {
        if (before === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = before;
      }
      line = await TestLine.start(site.data);
    }, 120_000);

    afterAll(async () => {
      await line.end('SIGTERM');
      disk.unmount();
    });

    const ballast = (): string => join(disk.path, 'ballast');

    /** Leaves so many bytes, or everything there is; resolves when no earlier reading is believed any more. */
    async function leave(bytes: number | null): Promise<void> {
      rmSync(ballast(), { force: true });
      if (bytes !== null) {
        expect(spawnSync('fallocate', ['-l', `${disk.freeBytes - bytes}`, ballast()]).status).toBe(0);
      }
      await pause(2 * DISK_RESERVES.maxAgeMs);
    }

    async function program(uniqueId: string, label?: string): Promise<RunResult> {
      const board = await site.makeBoard(uniqueId);
      return run(site.station('program', board.device, line.url, '--label', label ?? board.label));
    }

    async function decide(): Promise<RunResult> {
      const open = await run(['line', 'stops', '--data', site.data, '--line', line.url, '--json']);
      const { stops } = JSON.parse(open.stdout) as { stops: { refusalId: string }[] };
      const decision = ['--key', site.key('supervisor-sam'), '--action', 'voidLabel', '--reason', 'wrong roll'];
      const id = stops[0]?.refusalId ?? '';
      return run(['line', 'decide', id, '--data', site.data, '--line', line.url, ...decision]);
    }

    it('A68: stops new units with LS-302, keeps room for refusals and decisions, then refuses those as well', async () => {
      const first = await program('d2651c0b1f3a7001');
      expect(`${first.exit} ${first.stdout}`).toMatch(/^0 .*PASS/s);
      const { label: foreign } = await site.makeBoard('d2651c0b1f3a7002');
      expect((await program('d2651c0b1f3a7003', foreign)).stdout).toContain('LS-101');

      await leave(DISK_RESERVES.newWorkBytes - 64 * MIB);
      expect(await decide()).toMatchObject({ exit: 0 });
      const refused = await program('d2651c0b1f3a7004');
      expect(`${refused.exit} ${refused.stdout}${refused.stderr}`).toMatch(/^[1-9].*LS-302/s);

      await leave(DISK_RESERVES.closingWorkBytes / 2);
      const nothing = await program('d2651c0b1f3a7005', foreign);
      expect(`${nothing.exit} ${nothing.stdout}${nothing.stderr}`).toMatch(/^[1-9].*LS-302/s);

      await leave(null);
      const again = await program('d2651c0b1f3a7004');
      expect(`${again.exit} ${again.stdout}${again.stderr}`).toMatch(/^0 .*PASS/s);
      expect(await run(['log', 'fsck', '--data', site.data])).toMatchObject({ exit: 0 });
    });
  },
);

// SPDX-License-Identifier: Apache-2.0
/** A17, A18: the real station process under another time of day than the line's. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess, type RunResult } from './run.ts';
import { TestLine, TestSite } from './site.ts';

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

let site: TestSite;
let line: TestLine;

describe.skipIf(!existsSync(FAKETIME))('needs libfaketime: a station whose clock was set', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    site = await TestSite.makeReleased();
    line = await TestLine.start(site.data);
  }, 60_000);
  afterAll(async () => {
    await line.end('SIGTERM');
    site.remove();
  });

  /** One unit in a process of its own, so that only what is on disk can be remembered. */
  async function program(uniqueId: string, offset?: string): Promise<RunResult> {
    const { device, label } = await site.makeBoard(uniqueId);
    const environment = { LD_PRELOAD: FAKETIME, FAKETIME: offset ?? '', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    const argv = site.station('program', device, line.url, '--label', label);
    return runProcess(argv, offset === undefined ? {} : { environment });
  }

  it('A17: set back over the night shift: stops, in a new process as well, and signs nothing', async () => {
    expect((await program('d2651c0b1f3a7721')).exit).toBe(0);
    const stopped = await program('d2651c0b1f3a7722', '-12h');
    expect([stopped.exit, (stopped.stdout + stopped.stderr).includes('LS-301')]).toEqual([4, true]);
    expect((await program('d2651c0b1f3a7722')).exit).toBe(0);
  });

  it('A18: set forward a year: stops as clock trouble, not as one of signatures or expiry, and goes on when it is right', async () => {
    const stopped = await program('d2651c0b1f3a7723', '+365d');
    const said = stopped.stdout + stopped.stderr;
    expect([stopped.exit, said.includes('LS-301'), said.includes('TR-')]).toEqual([4, true, false]);
    expect((await program('d2651c0b1f3a7723')).exit).toBe(0);
  });
});

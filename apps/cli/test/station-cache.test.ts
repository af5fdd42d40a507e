// SPDX-License-Identifier: Apache-2.0
/** The release cache on a real disk, and who may be at work there at one time. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIN, run, runProcess, SOURCE_CONDITION } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

interface CheckDocument {
  readonly keyGrade: string;
  readonly files: readonly { readonly name: string; readonly code: string | null }[];
}

let site: TestSite;
let line: TestLine;

beforeAll(async () => {
  site = await TestSite.makeReleased();
  line = await TestLine.start(site.data);
  const { device, label } = await site.makeBoard('d2651c0b1f3a7701');
  await expectDone(site.station('program', device, line.url, '--label', label));
}, 120_000);

afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function cacheFile(suffix: string): string {
  const file = filesUnder(join(site.data, 'stations')).find((name) => name.endsWith(suffix));
  if (file === undefined) throw new Error(`no ${suffix} in the cache`);
  return file;
}

async function check(): Promise<{ readonly exit: number; readonly document: CheckDocument }> {
  const { exit, stdout } = await run(['station', 'cache', 'check', '--data', site.data, '--json']);
  return { exit, document: JSON.parse(stdout) as CheckDocument };
}

describe('the release cache of a station', { timeout: 120_000 }, () => {
  it('A8: after a run no part of the image is in clear on the disk of the station', () => {
    const image = readFileSync(site.image);
    const files = filesUnder(join(site.data, 'stations'));
    expect(files.some((file) => file.endsWith('.sealed'))).toBe(true);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (let at = 0; at + 64 <= image.length; at += 1024) {
        const part = image.subarray(at, at + 64);
        if (new Set(part).size < 8) continue;
        expect(bytes.includes(part), `${file} holds byte ${at} of the image`).toBe(false);
      }
    }
  });

  it('lists and checks what is there, and says how its key is kept', async () => {
    const listed = await expectDone(['station', 'cache', 'list', '--data', site.data]);
    expect(listed.stdout).toMatch(/its key is kept by: file/);
    const { exit, document } = await check();
    expect(exit).toBe(0);
    expect(document.files.length).toBeGreaterThan(2);
    expect(document.files.every(({ code }) => code === null)).toBe(true);
  });

  it('A15: a changed entry stops the next unit by its name, and is purged on record', async () => {
    const { document } = await check();
    for (const { name } of document.files) {
      const file = cacheFile(name);
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
      writeFileSync(file, bytes);
    }
    const { device, label } = await site.makeBoard('d2651c0b1f3a7702');
    const stopped = await run(site.station('program', device, line.url, '--label', label));
    expect(stopped.exit).toBe(4);
    expect(stopped.stdout).toContain('LS-321');
    expect(await check()).toMatchObject({ exit: 1 });
    const purged = await expectDone(['station', 'cache', 'purge', '--data', site.data]);
    // The configured address is not the one this line was given, so the record waits for the station.
    expect(purged.stdout).toMatch(/files removed/);
    expect((await check()).exit).toBe(0);
    await expectDone(site.station('program', device, line.url, '--label', label));
    const answer = await fetch(`${line.url}/api/v1/site-records/cache-purge`);
    const { records } = (await answer.json()) as { records: { state: string }[] };
    expect(records.map(({ state }) => state)).toEqual(['damage']);
  });

  it('a foreign file is named', async () => {
    writeFileSync(join(cacheFile('index.sealed'), '..', 'image.bin'), readFileSync(site.image));
    const { exit, document } = await check();
    expect(exit).toBe(1);
    expect(document.files.find(({ name }) => name === 'image.bin')?.code).toBe('LS-323');
    await expectDone(['station', 'cache', 'purge', '--data', site.data]);
    expect((await check()).exit).toBe(0);
  });
});

describe('one at a time', { timeout: 120_000 }, () => {
  it('a second line on the same data directory is refused (LG-110), and the first goes on', async () => {
    const second = await runProcess(['line', 'serve', '--data', site.data, '--port', '0']);
    expect(second.exit).toBe(4);
    expect(second.stderr).toContain('LG-110');
    expect((await fetch(`${line.url}/readyz`)).status).toBe(200);
  });

  it('a second station on the same directory is refused (ERR_STATION_LOCKED), and the first goes on', async () => {
    const { device, label } = await site.makeBoard('d2651c0b1f3a7703');
    const argv = site.station('run', device, line.url);
    const first = spawn(process.execPath, [SOURCE_CONDITION, MAIN, ...argv], { stdio: ['pipe', 'pipe', 'ignore'] });
    const hasPassed = new Promise<void>((resolve, reject) => {
      first.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('PASS')) resolve();
      });
      first.once('exit', reject);
    });
    first.stdin.write(`${label}\n`);
    await hasPassed;
    const other = await site.makeBoard('d2651c0b1f3a7704');
    const second = await runProcess(site.station('program', other.device, line.url, '--label', other.label));
    expect(second.exit).toBe(2);
    expect(second.stderr).toContain('ERR_STATION_LOCKED');
    const ended = new Promise((resolve) => first.once('exit', resolve));
    first.stdin.end();
    expect(await ended).toBe(0);
  });
});

// SPDX-License-Identifier: Apache-2.0
/** The demo as a newcomer runs it, and what it leaves judged by programs that share no code with ours. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSampleImage } from '@witnessmark/device';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSumdbcheck, hasSumdb, runSumdbcheck } from '../../../packages/tlog/test/sumdbcheck.ts';
import { MAIN, run, runProcess, SOURCE_CONDITION, type RunResult } from './run.ts';

const LEFT_BEHIND = ['evidence', 'log', 'trust', 'trusted-root.json', 'policy.json'];

let folder: string;
let data: string;
let image: string;
let headless: RunResult;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-demo-'));
  data = join(folder, 'data');
  image = join(folder, 'firmware.bin');
  writeFileSync(
    image,
    buildSampleImage({ sizeBytes: 16 * 1024, version: '1.0.0', securityCounter: 1, seed: 'demo test' }),
  );
  for (const name of ['home', 'tmp', 'cwd']) mkdirSync(join(folder, name));
  headless = await runDemo(['--headless', '--units', '2']);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function runDemo(more: readonly string[]): Promise<RunResult> {
  const environment = { HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') };
  const wrapper = ['env', '-C', join(folder, 'cwd')];
  return runProcess(['demo', '--data', data, '--image', image, ...more], { environment, wrapper });
}

function evidenceFiles(): readonly string[] {
  return readdirSync(join(data, 'evidence')).map((name) => join(data, 'evidence', name));
}

function trustArguments(policy = 'policy.json'): readonly string[] {
  return ['--trust', join(data, 'trusted-root.json'), '--policy', join(data, policy)];
}

describe('demo --headless', () => {
  it('makes the units one after the other and ends with 0', () => {
    expect(headless).toMatchObject({ exit: 0 });
    expect(headless.stdout.match(/^PASS /gm)).toHaveLength(2);
    expect(headless.stdout.match(/^VERIFIED /gm)).toHaveLength(2);
    expect(headless.stdout.trimEnd().split('\n').at(-1)).toMatch(/^2 of 2 units VERIFIED, \d+\.\d s$/);
    for (const phase of ['ERASE', 'PROGRAM', 'MEASURE', 'LOCK']) expect(headless.stderr).toContain(`  ${phase}`);
  });

  it('leaves what the world may check, and nothing outside its folder', () => {
    for (const name of LEFT_BEHIND) expect(existsSync(join(data, name)), name).toBe(true);
    expect(evidenceFiles()).toHaveLength(2);
    for (const name of ['home', 'tmp', 'cwd']) expect(readdirSync(join(folder, name)), name).toEqual([]);
  });

  it('leaves evidence that the verifier accepts under the trial policy and refuses under the production policy', async () => {
    expect(await run(['verify', ...evidenceFiles(), ...trustArguments()])).toMatchObject({ exit: 0 });
    const strict = await run(['verify', ...evidenceFiles(), ...trustArguments('policy-production.json')]);
    expect(strict.exit).toBe(1);
    expect(strict.stdout).toContain('EV-301');
    expect(strict.stdout).toContain('EV-304');
  });

  it('E-13: says which software made the record', () => {
    const [file = ''] = evidenceFiles();
    const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries: { envelope: { payload: string } }[] };
    const statement = JSON.parse(Buffer.from(entries.at(-1)?.envelope.payload ?? '', 'base64').toString()) as {
      predicate: { environment: { simulated: boolean }; station: { softwareDigest: { sha256: string } } };
    };
    expect(statement.predicate.environment.simulated).toBe(true);
    expect(statement.predicate.station.softwareDigest.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('other programs', () => {
  it('tuf-js: a stock client reads the release, and refuses one whose image was changed', async () => {
    const [name = ''] = readdirSync(join(data, 'trust', 'targets', 'images'));
    const targetPath = `images/${name.slice(65)}`;
    expect(await readTarget(join(data, 'trust'), targetPath)).toEqual(readFileSync(image));
    const copy = join(folder, 'trust-copy');
    cpSync(join(data, 'trust'), copy, { recursive: true });
    const changed = readFileSync(image);
    changed[100] = (changed[100] ?? 0) ^ 1;
    writeFileSync(join(copy, 'targets', 'images', name), changed);
    await expect(readTarget(copy, targetPath)).rejects.toThrow();
  });

  it.skipIf(!hasSumdb)('Go sumdb: reads checkpoint, tiles and proofs, and refuses a changed entry', () => {
    const program = buildSumdbcheck(folder);
    const { logs } = JSON.parse(readFileSync(join(data, 'trusted-root.json'), 'utf8')) as {
      logs: { verifierKey: string; owner: string }[];
    };
    const key = logs.find(({ owner }) => owner === 'line-1')?.verifierKey ?? '';
    const log = join(data, 'log');
    expect(runSumdbcheck(program, key, log)).toMatchObject({ status: 0 });
    const copy = join(folder, 'log-copy');
    cpSync(log, copy, { recursive: true });
    for (const width of readdirSync(join(copy, 'tile', 'entries', '000.p'))) {
      const file = join(copy, 'tile', 'entries', '000.p', width);
      const bytes = readFileSync(file);
      bytes[500] = (bytes[500] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    }
    expect(runSumdbcheck(program, key, copy)).toMatchObject({ status: 1 });
  });
});

describe('demo', () => {
  it('shows every trouble refused, leaves a line running that others can use, and ends with Ctrl-C', async () => {
    const child = spawn(process.execPath, [
      SOURCE_CONDITION,
      MAIN,
      'demo',
      '--data',
      data,
      '--image',
      image,
      '--units',
      '1',
    ]);
    let shown = '';
    const isReady = new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text;
        if (shown.includes('Ctrl-C stops it')) resolve();
      });
      child.once('exit', (code) => {
        reject(new Error(`the demo ended with ${String(code)}: ${shown}`));
      });
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await isReady;
    for (const code of ['LS-101', 'LS-503', 'LS-321', 'UF-03', 'LS-301', 'PL-106', 'LS-202', 'EV-102', 'LG-102']) {
      expect(shown).toMatch(new RegExp(`^   refused  ${code}  `, 'm'));
    }
    expect(shown).toMatch(/^1 of 1 units VERIFIED, 9 of 9 troubles refused, \d+\.\d s$/m);

    const [, url = ''] = /line server +(http:\S+),/.exec(shown) ?? [];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await run(['demo', '--headless', '--data', data])).toMatchObject({ exit: 2 });
    const chip = `simulated:${join(folder, 'new.chip')}`;
    const made = await run(['station', 'label', '--data', data, '--device', `${chip},uid=d2651c0b1f3a7788`]);
    const label = [
      '--device',
      chip,
      '--label',
      made.stdout.trim(),
      '--operator-key',
      join(data, 'keys', 'operator-olga.pem'),
    ];
    expect(await run(['station', 'program', '--data', data, ...label])).toMatchObject({ exit: 0 });

    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await expect(fetch(`${url}/readyz`)).rejects.toThrow();
  }, 120_000);

  it('--clean removes what it made and nothing else', async () => {
    writeFileSync(join(data, 'notes.txt'), 'mine');
    expect(await run(['demo', '--clean', '--data', data])).toMatchObject({ exit: 0 });
    expect(readdirSync(data)).toEqual(['notes.txt']);
    expect(await run(['demo', '--clean', '--data', data])).toMatchObject({ exit: 2 });
  });
});

class FolderFetcher extends BaseFetcher {
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = fileURLToPath(url);
    if (!existsSync(path)) return Promise.reject(new DownloadHTTPError('not found', 404));
    return Promise.resolve(new Response(readFileSync(path)).body as ReadableStream<Uint8Array<ArrayBuffer>>);
  }
}

async function readTarget(repository: string, path: string): Promise<Buffer> {
  const metadataDir = mkdtempSync(join(folder, 'tuf-'));
  cpSync(join(data, 'trust-root.json'), join(metadataDir, 'root.json'));
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: pathToFileURL(join(repository, 'metadata')).href,
    targetDir: metadataDir,
    targetBaseUrl: pathToFileURL(join(repository, 'targets')).href,
    fetcher: new FolderFetcher(),
  });
  await updater.refresh();
  const target = await updater.getTargetInfo(path);
  if (target === undefined) throw new Error(`no target ${path}`);
  return readFileSync(await updater.downloadTarget(target));
}

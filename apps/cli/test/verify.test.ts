// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canUnshareNetwork, hasProgram } from './programs.ts';
import { MAIN, run, runOnTerminal, runProcess, SOURCE_CONDITION } from './run.ts';
import { listVectors, readVector } from './vectors.ts';

const EXITS = { VERIFIED: 0, FAILED: 1, 'NOT VERIFIED': 3 } as const;
/** Words that say yes; none may stand in what is printed about a unit that did not pass. */
const SUCCESS_WORDS = /\b(?:VERIFIED|ok|done|success\w*)\b/;

const GOOD = readVector('one-pass');
const BAD = readVector('label-swapped_fail');
const UNCLEAR = readVector('last-event-left-out_unverified');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-verify-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(listVectors().map((vector) => [vector.name, vector] as const))('verify %s', (_name, vector) => {
  it('E-01: ends with the verdict, last and alone, and with its exit code', async () => {
    const { exit, stdout } = await run(['verify', vector.file, ...vector.judging]);
    expect(exit).toBe(EXITS[vector.verdict]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(new RegExp(`^${vector.verdict}  `));
    if (vector.code !== null) expect(lines.at(-1)).toContain(vector.code);
  });

  it('E-08: --json has one document whose "ok" is the exit code', async () => {
    const { exit, stdout } = await run(['verify', vector.file, ...vector.judging, '--json']);
    const document = JSON.parse(stdout) as {
      ok: boolean;
      exit: number;
      units: { verdict: string; code: string | null }[];
    };
    expect(document).toMatchObject({ ok: exit === 0, exit, units: [{ verdict: vector.verdict, code: vector.code }] });
  });
});

describe('what verify prints', () => {
  it('E-02: no success word after a failure, and why it matters and what next', async () => {
    const { stdout } = await run(['verify', BAD.file, ...BAD.judging]);
    const lines = stdout.split('\n');
    const failure = lines.findIndex((line) => line.startsWith('  FAIL'));
    expect(lines[failure + 1]).toMatch(/^ {8}why it matters: /);
    expect(lines[failure + 2]).toMatch(/^ {8}next: /);
    const rest = lines.slice(failure).filter((line) => !line.startsWith('  pass'));
    for (const line of rest) expect(line.replace(/^NOT VERIFIED.*/, '')).not.toMatch(SUCCESS_WORDS);
  });

  it('lists what was not checked', async () => {
    expect((await run(['verify', GOOD.file, ...GOOD.judging])).stdout).toContain('\nnot checked:\n');
  });

  it('-q keeps the verdict, -qq nothing, the exit code stays', async () => {
    const quiet = await run(['verify', BAD.file, ...BAD.judging, '-q']);
    expect(quiet).toMatchObject({ exit: 1, stderr: '' });
    expect(quiet.stdout).toMatch(/^FAILED {2}\S+ {2}EV-112 [^\n]+\n$/);
    expect(await run(['verify', BAD.file, ...BAD.judging, '-qq'])).toEqual({ exit: 1, stdout: '', stderr: '' });
  });

  it('several files: each verdict, the list of what did not pass, and the worst verdict last', async () => {
    const { exit, stdout } = await run(['verify', GOOD.file, UNCLEAR.file, BAD.file, ...GOOD.judging]);
    expect(exit).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('FAILED  3 files: 1 verified, 1 failed, 1 not verified');
    expect(lines.slice(-3, -1).map((line) => line.split(': ')[0])).toEqual([UNCLEAR.file, BAD.file]);
    expect(await run(['verify', GOOD.file, UNCLEAR.file, ...GOOD.judging])).toMatchObject({ exit: 3 });
    expect(await run(['verify', GOOD.file, GOOD.file, ...GOOD.judging])).toMatchObject({ exit: 0 });
  });
});

describe('what verify is given', () => {
  it('reads stdin for -, and only once', async () => {
    const stdin = readFileSync(GOOD.file, 'utf8');
    expect(await run(['verify', '-', ...GOOD.judging], { stdin })).toMatchObject({ exit: 0 });
    expect(await run(['verify', '-', '-', ...GOOD.judging], { stdin })).toMatchObject({ exit: 2 });
  });

  it.each([
    ['that does not exist', (): string => join(folder, 'missing.json')],
    ['that is a folder', (): string => folder],
    ['that is a pipe nobody writes to', (): string => makePipe()],
  ])('E-01: a file %s is NOT VERIFIED', async (_, makeFile) => {
    const { exit, stdout } = await run(['verify', makeFile(), ...GOOD.judging]);
    expect(exit).toBe(3);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^NOT VERIFIED .*EV-208/);
  });

  it('a symbolic link to a good file is judged by its own name', async () => {
    const link = join(folder, 'GW-210-AAAA-AAAA-AAAA.evidence.json');
    symlinkSync(GOOD.file, link);
    expect((await run(['verify', link, ...GOOD.judging])).stdout).toContain('EV-108');
  });

  it.each(['--trust', '--policy'])('E-01: without a usable file for %s nothing is judged', async (flag) => {
    const damaged = join(folder, 'damaged.json');
    writeFileSync(damaged, '{');
    for (const file of [damaged, join(folder, 'nowhere.json')]) {
      const { exit, stdout } = await run(['verify', GOOD.file, ...GOOD.judging, flag, file]);
      expect(exit).toBe(3);
      expect(stdout).toMatch(/\nNOT VERIFIED .*EV-205[^\n]*\n$/);
    }
  });

  it('E-17: a missing --trust or --policy is named, with and without a terminal', async () => {
    for (const options of [{}, { answers: [] }]) {
      const withoutTrust = await run(['verify', GOOD.file, '--policy', 'p'], options);
      expect(withoutTrust).toMatchObject({ exit: 2, stdout: '' });
      expect(withoutTrust.stderr).toContain('--trust (or WITNESSMARK_TRUST) is missing');
      const withoutPolicy = await run(['verify', GOOD.file, '--trust', 't'], options);
      expect(withoutPolicy.stderr).toContain('--policy (or WITNESSMARK_POLICY) is missing');
    }
  });

  it('refuses a time that is none', async () => {
    expect(await run(['verify', GOOD.file, ...GOOD.judging, '--time', 'yesterday'])).toMatchObject({ exit: 2 });
  });
});

describe('the real program', () => {
  it.skipIf(!hasProgram('script'))('says the same with and without a terminal', async () => {
    for (const vector of [GOOD, BAD, UNCLEAR]) {
      const piped = await runProcess(['verify', vector.file, ...vector.judging]);
      const shown = await runOnTerminal(['verify', vector.file, ...vector.judging]);
      expect(shown.exit).toBe(piped.exit);
      expect(shown.stdout.replaceAll('\r\n', '\n')).toBe(piped.stdout);
    }
  });

  it.skipIf(!canUnshareNetwork())('E-07: works in an empty network namespace', async () => {
    const wrapper = ['unshare', '-rn'];
    expect(await runProcess(['verify', GOOD.file, ...GOOD.judging], { wrapper })).toMatchObject({ exit: 0 });
    expect(await runProcess(['verify', BAD.file, ...BAD.judging], { wrapper })).toMatchObject({ exit: 1 });
  });

  it.skipIf(!hasProgram('strace'))('E-07: never asks the system for a socket', () => {
    const trace = join(folder, 'sockets');
    const program = [process.execPath, SOURCE_CONDITION, MAIN, 'verify', GOOD.file, ...GOOD.judging];
    const traced = spawnSync('strace', ['-f', '-qq', '-e', 'trace=socket,socketpair,connect', '-o', trace, ...program]);
    expect(traced.status).toBe(0);
    expect(readFileSync(trace, 'utf8')).toBe('');
  });
});

function makePipe(): string {
  const pipe = join(folder, `pipe-${String(Math.random())}`);
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  return pipe;
}

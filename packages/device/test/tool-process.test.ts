// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runTool } from '../src/tool-process.ts';

const MAX_OUTPUT = 8 * 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Run {
  readonly outcome: Promise<number>;
  readonly stop: AbortController;
  /** Resolves with a line of the tool that holds this text. */
  said(text: string): Promise<string>;
}

let count = 0;

/** Runs a shell script in the place of a tool. */
function run(script: string): Run {
  count += 1;
  const programPath = join(directory, `tool-${count}`);
  writeFileSync(programPath, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  const stop = new AbortController();
  let output = '';
  const onOutput = (text: string): void => {
    output = (output + text).slice(-1024);
  };
  const outcome = runTool('tool', { programPath, args: [], directory, signal: stop.signal, onOutput });
  // Each test awaits it; until then it is nobody's unhandled rejection.
  outcome.catch(() => undefined);
  const said = async (text: string): Promise<string> => {
    while (!output.includes(`${text}\n`)) await new Promise((resolve) => setTimeout(resolve, 5));
    return output;
  };
  return { outcome, stop, said };
}

function isThere(pid: string): boolean {
  return existsSync(`/proc/${pid.trim()}`);
}

/** Children of this process that have ended and that nobody has asked how. */
function zombies(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const [, state, parent] = /\) (\w) (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      return state === 'Z' && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}

describe('runTool', { timeout: 30_000 }, () => {
  it('gives the exit code, passes on both streams, and hands no environment over', async () => {
    const { outcome, said } = run('echo out; echo err >&2; env | sort; exit 3');
    expect(await outcome).toBe(3);
    const output = await said('out');
    expect(output).toContain('err\n');
    expect(output).toContain('LC_ALL=C');
    expect(output).not.toContain('HOME=');
  });

  it('does not know what a killed tool has done', async () => {
    await expect(run('kill -9 $$').outcome).rejects.toMatchObject({ code: 'ERR_DEVICE_TOOL' });
  });

  it('asks a tool to end before it kills it, so that it can leave its programmer in order', async () => {
    const file = join(directory, 'in-order');
    const { outcome, stop, said } = run(
      `trap 'echo done > ${file}; exit 0' TERM\necho up\nwhile :; do sleep 0.02; done`,
    );
    await said('up');
    stop.abort();
    await expect(outcome).rejects.toThrow();
    expect(readFileSync(file, 'utf8')).toBe('done\n');
    expect(zombies()).toEqual([]);
  });

  it('kills a tool that ignores polite signals', async () => {
    const { outcome, stop, said } = run(`trap '' TERM INT HUP\necho $$\nwhile :; do sleep 0.05; done`);
    const pid = await said('');
    stop.abort();
    await expect(outcome).rejects.toThrow();
    expect(isThere(pid)).toBe(false);
  });

  it('kills a tool that hangs, and what it has started, which ignores requests and holds its output open', async () => {
    const { outcome, stop, said } = run(`trap '' TERM\n(trap '' TERM; while :; do sleep 0.05; done) &\necho $!\nwait`);
    const pid = await said('');
    stop.abort();
    await expect(outcome).rejects.toThrow();
    while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(zombies()).toEqual([]);
  });

  it('does not wait for what a tool left running when it ended', async () => {
    const { outcome, said } = run(`(trap '' TERM HUP; while :; do sleep 0.05; done) &\necho $!\nexit 3`);
    const pid = await said('');
    expect(await outcome).toBe(3);
    while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('ends a tool that never stops talking', async () => {
    const { outcome } = run('exec yes endless');
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_DEVICE_TOOL' });
    expect(zombies()).toEqual([]);
  });

  it('takes as much output as is allowed, and not one character more', async () => {
    const say = (characters: number): Promise<number> => run(`head -c ${characters} /dev/zero | tr '\\0' x`).outcome;
    expect(await say(MAX_OUTPUT)).toBe(0);
    await expect(say(MAX_OUTPUT + 1)).rejects.toMatchObject({ code: 'ERR_DEVICE_TOOL' });
  });

  it('takes no tool by its name alone', async () => {
    const options = { args: [], directory, signal: new AbortController().signal, onOutput: () => undefined };
    await expect(runTool('tool', { ...options, programPath: 'flashrom' })).rejects.toThrow(TypeError);
  });

  it('says LS-403 for a tool that is not there', async () => {
    const options = { args: [], directory, signal: new AbortController().signal, onOutput: () => undefined };
    await expect(runTool('tool', { ...options, programPath: '/nonexistent/tool' })).rejects.toMatchObject({
      code: 'LS-403',
    });
  });
});

// SPDX-License-Identifier: Apache-2.0
/** However a demo ends, nothing of it goes on: its line server, the commands it runs, the boards of its scenes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run, SOURCE_CONDITION } from './run.ts';

/** What `npm run demo` starts: it runs the program in its place. */
const DEMO = join(import.meta.dirname, '../../../scripts/demo.mjs');
const GONE_WITHIN_MS = 60_000;
const POLL_MS = 50;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-ending-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Programs in this process group; what has ended and was not fetched yet is none. */
function programsOf(group: number): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, state, , owner] = /\) (\S) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        if (Number(owner) !== group || state === 'Z') return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

async function untilNoPrograms(group: number): Promise<void> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (let left = programsOf(group); left.length > 0; left = programsOf(group)) {
    if (performance.now() > deadline) throw new Error(`still there: ${left.join('; ')}`);
    await pause(POLL_MS);
  }
}

/** Starts a program as the first of a group of its own, and resolves when it has said this. */
async function start(argv: readonly string[], until: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, [SOURCE_CONDITION, ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(until)) resolve();
    });
    child.once('exit', () => {
      reject(new Error(`it ended before it said "${until}": ${said}`));
    });
  });
  return child as ChildProcess & { readonly pid: number };
}

it.each(SIGNALS)('after %s the demo leaves nothing running', { timeout: 120_000 }, async (signal) => {
  const child = await start([DEMO, '--headless', '--units', '1', '--data', join(folder, signal)], 'line server');
  expect(programsOf(child.pid).some((program) => program.includes('line serve'))).toBe(true);
  await endWith(child, signal);
});

it('boards and commands of a scene go with it when it is killed', { timeout: 120_000 }, async () => {
  const sites = ['told', 'run', 'cut'].map((name) => join(folder, name));
  for (const data of sites) expect(await run(['init', '--data', data])).toMatchObject({ exit: 0 });
  const scene = join(folder, 'scene.ts');
  const from = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  writeFileSync(
    scene,
    `import { Stage } from ${from('../src/demo/stage.ts')};
import { Board, Place } from ${from('../src/demo/station/place.ts')};
for (const [kind, number] of [['nor', 1], ['mcu', 2]]) {
  const place = await Place.open(kind, number);
  await place.insert(new Board(kind, number, ${JSON.stringify(folder)}));
}
const stage = new Stage({ signal: new AbortController().signal }, {});
const [told, ran, cut] = ${JSON.stringify(sites)}.map((data) => ['line', 'serve', '--data', data, '--port', '0']);
void stage.attempt(ran);
void stage.cut(cut, new Promise(() => undefined));
await stage.start(told).until(/http/);
console.log('all are there');
`,
  );
  const child = await start([scene], 'all are there');
  const count = (text: string): number => programsOf(child.pid).filter((program) => program.includes(text)).length;
  expect([count('server-main'), count('line serve')]).toEqual([2, 3]);
  await endWith(child, 'SIGKILL');
});

async function endWith(
  child: ChildProcess & { readonly pid: number },
  signal: (typeof SIGNALS)[number],
): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  try {
    await untilNoPrograms(child.pid);
  } catch (error) {
    process.kill(-child.pid, 'SIGKILL');
    throw error;
  }
}

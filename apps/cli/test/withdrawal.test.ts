// SPDX-License-Identifier: Apache-2.0
/** A withdrawal reaches a station that is running: the next unit is stopped, by the line's repository and by a stick alike. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAIN, SOURCE_CONDITION } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

let site: TestSite;
let line: TestLine;
let station: RunningStation | null = null;
let labels: string[];

beforeEach(async () => {
  site = await TestSite.makeReleased();
  line = await TestLine.start(site.data);
  mkdirSync(site.path('boards'));
  labels = [];
  for (const uniqueId of ['d265000000000021', 'd265000000000022', 'd265000000000023']) {
    const { label } = await site.makeBoard(uniqueId);
    copyFileSync(site.path(`${uniqueId}.chip`), site.path('boards', `${label}.chip`));
    labels.push(label);
  }
});
afterEach(async () => {
  await station?.end();
  station = null;
  await line.end('SIGTERM');
  site.remove();
});

/** `station run`, one label after the other. */
class RunningStation {
  #seen = '';
  #woken = (): void => undefined;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(argv: readonly string[]) {
    this.#child = spawn(process.execPath, [SOURCE_CONDITION, MAIN, ...argv], { stdio: 'pipe' });
    const collect = (text: string): void => {
      this.#seen += text;
      this.#woken();
    };
    this.#child.stdout.setEncoding('utf8').on('data', collect);
    this.#child.stderr.resume();
  }

  /** Resolves with the result line of the unit. */
  async program(label: string): Promise<string> {
    this.#seen = '';
    this.#child.stdin.write(`${label}\n`);
    const result = /^(?:PASS|FAIL|LINE STOP|HOLD) .*$/m;
    for (;;) {
      const found = result.exec(this.#seen.slice(0, this.#seen.lastIndexOf('\n') + 1));
      if (found !== null) return found[0];
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
    }
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }
}

function withdraw(): Promise<unknown> {
  const words = ['--confirm', 'GW-210-1.0.0', '--reason', 'boot loop in the field', '--ticket', 'INC-9'];
  const key = ['--key', site.key('approver-ben')];
  return expectDone(['release', 'withdraw', 'GW-210-1.0.0', '--data', site.data, ...key, ...words]);
}

it('LS-203 from the line: the unit after the withdrawal is stopped', async () => {
  station = new RunningStation(site.station('run', `simulated:${site.path('boards')}`, line.url));
  expect(await station.program(labels[0]!)).toMatch(/^PASS /);
  await withdraw();
  expect(await station.program(labels[1]!)).toMatch(/^LINE STOP .*LS-203/);
});

it('LS-203 from a stick: once it is mirrored anew, without the station being started again', async () => {
  const stick = site.path('stick');
  const mirror = (): Promise<unknown> => expectDone(['release', 'mirror', '--data', site.data, '--to', stick]);
  await mirror();
  const config = JSON.parse(readFileSync(join(site.data, 'station.json'), 'utf8'));
  config.trust.repository = stick;
  const path = join(site.data, 'station-with-stick.json');
  writeFileSync(path, JSON.stringify(config));
  const words = ['--operator-key', site.key('operator-olga'), '--line', line.url];
  station = new RunningStation([
    'station',
    'run',
    '--config',
    path,
    '--device',
    `simulated:${site.path('boards')}`,
    ...words,
  ]);
  expect(await station.program(labels[0]!)).toMatch(/^PASS /);
  await withdraw();
  await mirror();
  expect(await station.program(labels[1]!)).toMatch(/^LINE STOP .*LS-203/);
});

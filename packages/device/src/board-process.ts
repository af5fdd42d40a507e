// SPDX-License-Identifier: Apache-2.0
/** Process adapter: a server of a simulated board as a program of its own, as a programmer on a bench is. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { encodeUtf8, parseStrictJson, type JsonValue } from '@witnessmark/core';
import { DeviceError } from './error.ts';

const START_MS = 10_000;
const STOP_MS = 5_000;
const MAX_GREETING_BYTES = 1024;

export interface BoardProgram {
  /** For people: what did not start. */
  readonly name: string;
  /** Its file without the suffix, which is `.ts` as source and `.js` as shipped. */
  readonly program: URL;
  /** What follows `--` and the name on its command line; undefined leaves the option out. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

interface StartedProgram {
  readonly child: ChildProcess;
  readonly port: number;
}

/** A running server; `close` ends it after its last save. */
export class BoardProcess {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  protected constructor({ child, port }: StartedProgram) {
    this.#child = child;
    this.pid = child.pid as number;
    this.port = port;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.kill('SIGTERM');
    await exited;
    clearTimeout(limit);
  }
}

/** Throws `ERR_DEVICE_TOOL` when it does not come up, with what it said. */
export async function startBoardProgram({ name, program, options }: BoardProgram): Promise<StartedProgram> {
  const args = Object.entries(options).flatMap(([key, value]) => (value === undefined ? [] : [`--${key}`, value]));
  const child = spawn(process.execPath, [...programArguments(program), ...args], {
    // The channel says to the program when this process is gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {},
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    return { child, port: await readPort(child, name) };
  } finally {
    clearTimeout(limit);
  }
}

function programArguments(program: URL): string[] {
  const isSource = import.meta.url.endsWith('.ts');
  const file = new URL(`${program.href}${isSource ? '.ts' : '.js'}`);
  return [...(isSource ? ['--conditions=@witnessmark/source'] : []), fileURLToPath(file)];
}

async function readPort(child: ChildProcess, name: string): Promise<number> {
  let greeting = '';
  let complaint = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    greeting = (greeting + text).slice(0, MAX_GREETING_BYTES);
    if (greeting.includes('\n')) child.emit('greeting');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MAX_GREETING_BYTES);
  });
  await Promise.race([once(child, 'greeting'), once(child, 'close')]);
  if (!greeting.includes('\n')) {
    throw new DeviceError('ERR_DEVICE_TOOL', `the ${name} did not start: ${complaint.trim()}`);
  }
  const line = parseStrictJson(encodeUtf8(greeting.slice(0, greeting.indexOf('\n'))));
  const { port } = line as Readonly<Record<string, JsonValue>>;
  if (typeof port !== 'number') throw new DeviceError('ERR_DEVICE_TOOL', `the ${name} named no port`);
  return port;
}

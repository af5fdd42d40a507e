// SPDX-License-Identifier: Apache-2.0
/** Runs the program in this process with a terminal of our own, or as a real process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeUtf8, type Clock } from '@witnessmark/core';
import { commands } from '../src/commands/index.ts';
import { runProgram } from '../src/program.ts';
import { systemClock, uuidSource } from '../src/system.ts';
import type { Terminal } from '../src/terminal.ts';

export const MAIN: string = fileURLToPath(new URL('../src/main.ts', import.meta.url));
export const SOURCE_CONDITION = '--conditions=@witnessmark/source';

/** Programs start in half the time when Node keeps what it compiled. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../node_modules/.cache/node-compile', import.meta.url));

export interface RunResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Answers a person types; their presence makes the terminal interactive. */
  readonly answers?: readonly string[];
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const streams = { stdout: '', stderr: '' };
  const answers = [...(options.answers ?? [])];
  const terminal: Terminal = {
    environment: options.environment ?? {},
    isInteractive: options.answers !== undefined,
    isAnimated: options.answers !== undefined,
    columns: 100,
    write: (stream, text) => {
      streams[stream] += text;
    },
    style: (_stream, _style, text) => text,
    ask: (question) => {
      streams.stderr += question;
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new Error('nobody answers')) : Promise.resolve(answer);
    },
    askSecret: (question) => {
      streams.stderr += question;
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new Error('nobody answers')) : Promise.resolve(answer);
    },
    readInput: () => Promise.resolve(encodeUtf8(options.stdin ?? '')),
    // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous
    async *lines() {
      yield* (options.stdin ?? '').split('\n').filter((line) => line !== '');
    },
  };
  const exit = await runProgram(argv, {
    commands,
    terminal,
    clock: options.clock ?? systemClock,
    newId: uuidSource(systemClock),
    signal: options.signal ?? new AbortController().signal,
    version: '0.0.0-test',
  });
  return { exit, ...streams };
}

export interface ProcessOptions {
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Put in front of the program, for example `['unshare', '-rn']`. */
  readonly wrapper?: readonly string[];
}

/** The real program, without a terminal. */
export async function runProcess(argv: readonly string[], options: ProcessOptions = {}): Promise<RunResult> {
  const line = [...(options.wrapper ?? []), process.execPath, SOURCE_CONDITION, MAIN, ...argv];
  return execute(line, options);
}

/** The real program on a pseudo terminal; stdout and stderr arrive together. */
export async function runOnTerminal(argv: readonly string[], options: ProcessOptions = {}): Promise<RunResult> {
  const line = [process.execPath, SOURCE_CONDITION, MAIN, ...argv].map(shellQuote).join(' ');
  return execute(['script', '-qec', line, '/dev/null'], options);
}

async function execute(line: readonly string[], options: ProcessOptions): Promise<RunResult> {
  const [program, ...args] = line as [string, ...string[]];
  const child = spawn(program, args, {
    env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  child.stdin.end(options.stdin ?? '');
  const exit = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code ?? -1);
    });
  });
  return { exit, stdout, stderr };
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

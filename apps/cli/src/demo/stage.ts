// SPDX-License-Identifier: Apache-2.0
/** The program, run as its users run it: one process for each command, with the answers that people would type in files. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CliError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

const PROGRAM = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
/** Tells a command when this process is gone, whatever ended it. */
const CHANNEL = 'ipc' as const;
const REASON_CODE = /\b[A-Z]{2}-[0-9]{2,3}\b/g;
/** A unit takes seconds; on the slowest machine, with retries, much more. */
const ANSWER_TIMEOUT_MS = 120_000;
const SHOWN_OF_A_FAILURE = 2_000;

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A "no" that was to be shown: what was tried, and under which code it was refused. */
export interface RefusalRow {
  /** Of the catalogue of attacks, for example `A26`. */
  readonly scenario: string;
  readonly code: string;
  readonly tried: string;
  /** Whether it was refused, with that code. */
  readonly refused: boolean;
}

/** What a command finds when it starts. */
export interface Circumstances {
  /** Added to the environment of the scene. */
  readonly environment?: Readonly<Record<string, string>>;
  /** All of standard input; it is empty when absent. */
  readonly input?: string;
}

export class Stage {
  readonly rows: RefusalRow[] = [];
  readonly #session: Session;
  readonly #environment: Readonly<Record<string, string>>;
  #commands = 0;

  constructor(session: Session, environment: Readonly<Record<string, string>>) {
    this.#session = session;
    this.#environment = environment;
  }

  get commands(): number {
    return this.#commands;
  }

  say(text: string): void {
    this.#session.output.data(text);
  }

  /** Runs a command that has to end this way. Throws `ERR_CLI_DEMO_STEP` with what it said when it does not. */
  async run(argv: readonly string[], found: Circumstances & { readonly exit?: ExitCode } = {}): Promise<Ran> {
    const { exit: expected = EXIT.yes } = found;
    const ran = await this.attempt(argv, found);
    if (ran.exit === expected) return ran;
    const said = `${ran.stdout}\n${ran.stderr}`.trim().slice(-SHOWN_OF_A_FAILURE);
    throw new CliError('ERR_CLI_DEMO_STEP', `"witnessmark ${argv.join(' ')}" ended with ${ran.exit}: ${said}`);
  }

  /** Runs a command that has to be refused with this code; the outcome is a row of the report, whatever it is. */
  async refuse(
    scenario: string,
    code: string,
    tried: string,
    argv: readonly string[],
    found?: Circumstances,
  ): Promise<void> {
    const ran = await this.attempt(argv, found);
    const codes = new Set(`${ran.stdout}\n${ran.stderr}`.match(REASON_CODE) ?? []);
    const isRefused = ran.exit !== EXIT.yes && ran.exit !== EXIT.bug && codes.has(code);
    this.note({ scenario, code, tried, refused: isRefused });
    if (isRefused) return;
    const said = `${ran.stdout}\n${ran.stderr}`.trim().slice(-SHOWN_OF_A_FAILURE);
    for (const line of [...said.split('\n'), `(exit ${ran.exit})`]) this.#session.output.note(line);
  }

  note(row: RefusalRow): void {
    this.rows.push(row);
    const verdict = row.refused ? `refused ${row.code}` : `NOT REFUSED as ${row.code}`;
    this.say(`     ${row.scenario.padEnd(4)} ${verdict.padEnd(16)} ${row.tried}`);
  }

  /** Runs a command, whatever its end. */
  attempt(argv: readonly string[], { environment = {}, input }: Circumstances = {}): Promise<Ran> {
    this.#commands += 1;
    const { signal } = this.#session;
    const settings = { environment: { ...this.#environment, ...environment }, signal, isLinked: true };
    return runToEnd(process.execPath, programOf(argv), input === undefined ? settings : { ...settings, input });
  }

  /** Starts a command that is told things while it runs. */
  start(argv: readonly string[]): Conversation {
    this.#commands += 1;
    return new Conversation(argv, this.#environment);
  }

  /**
   * Runs a command and takes the power away from it when it has said this on stderr, or when something else has happened;
   * the tools it started go with it. Throws `ERR_CLI_DEMO_STEP` when it ends before.
   */
  async cut(argv: readonly string[], when: RegExp | Promise<unknown>): Promise<void> {
    this.#commands += 1;
    const child = spawn(process.execPath, programOf(argv), {
      env: { ...process.env, ...this.#environment },
      stdio: ['ignore', 'ignore', 'pipe', CHANNEL],
    });
    let said = '';
    const moment = Promise.withResolvers<null>();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (when instanceof RegExp && when.test(said)) moment.resolve(null);
    });
    const ended = once(child, 'close');
    const isCut = await Promise.race([
      ended.then(() => false),
      (when instanceof RegExp ? moment.promise : when).then(() => true),
    ]);
    child.kill('SIGKILL');
    await ended;
    if (isCut) return;
    throw new CliError('ERR_CLI_DEMO_STEP', `"witnessmark ${argv.join(' ')}" was to be cut, and said: ${said}`);
  }
}

/** A command that goes on, with somebody at its standard input. */
class Conversation {
  readonly #argv: readonly string[];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';
  #isOver = false;
  #heard: () => void = () => undefined;

  constructor(argv: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#argv = argv;
    this.#child = spawn(process.execPath, programOf(argv), {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe', CHANNEL],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
        this.#heard();
      });
    }
    this.#ended = once(this.#child, 'close').then(() => {
      this.#isOver = true;
      this.#heard();
    });
  }

  /** Says a line and resolves with what was answered, up to this. Throws `ERR_CLI_DEMO_STEP` when the command ends before. */
  async tell(line: string, until: RegExp): Promise<string> {
    const from = this.#said.length;
    this.#child.stdin?.write(`${line}\n`);
    return this.#listen(from, until);
  }

  /** Resolves once it has said this. */
  until(text: RegExp): Promise<string> {
    return this.#listen(0, text);
  }

  /** Nothing more is said; resolves when the command has ended. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  async #listen(from: number, until: RegExp): Promise<string> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      const answer = this.#said.slice(from);
      if (until.test(answer)) return answer;
      if (this.#isOver || performance.now() > deadline) {
        throw new CliError('ERR_CLI_DEMO_STEP', `"witnessmark ${this.#argv.join(' ')}" said: ${this.#said}`);
      }
      const heard = Promise.withResolvers<null>();
      this.#heard = () => {
        heard.resolve(null);
      };
      await Promise.race([heard.promise, pause(1000)]);
    }
  }
}

function programOf(argv: readonly string[]): string[] {
  return [...process.execArgv, PROGRAM, ...argv];
}

interface ProgramSettings {
  readonly signal?: AbortSignal;
  /** Of our own programs: goes with this process, whatever ends it. */
  readonly isLinked?: boolean;
}

/** Runs any program to its end; standard input is empty unless said. */
export async function runToEnd(
  program: string,
  argv: readonly string[],
  { environment, input, signal, isLinked = false }: Circumstances & ProgramSettings = {},
): Promise<Ran> {
  const child = spawn(program, argv, {
    env: { ...process.env, ...environment },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(isLinked ? [CHANNEL] : [])],
    ...(signal === undefined ? {} : { signal }),
  });
  child.stdin?.end(input);
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => {
    resolve(code ?? EXIT.bug);
  });
  return { exit: await promise, ...streams };
}

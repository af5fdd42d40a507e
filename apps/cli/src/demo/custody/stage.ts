// SPDX-License-Identifier: Apache-2.0
/** The program, run as its users run it: one process for each command, with the answers that people would type in files. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CliError } from '../../error.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';

const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
);
const REASON_CODE = /\b[A-Z]{2}-[0-9]{3}\b/g;
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
  async run(argv: readonly string[], expected: ExitCode = EXIT.yes): Promise<Ran> {
    const ran = await this.attempt(argv);
    if (ran.exit === expected) return ran;
    const said = `${ran.stdout}\n${ran.stderr}`.trim().slice(-SHOWN_OF_A_FAILURE);
    throw new CliError('ERR_CLI_DEMO_STEP', `"witnessmark ${argv.join(' ')}" ended with ${ran.exit}: ${said}`);
  }

  /** Runs a command that has to be refused with this code; the outcome is a row of the report, whatever it is. */
  async refuse(scenario: string, code: string, tried: string, argv: readonly string[]): Promise<void> {
    const ran = await this.attempt(argv);
    const codes = new Set(`${ran.stdout}\n${ran.stderr}`.match(REASON_CODE) ?? []);
    const isRefused = ran.exit !== EXIT.yes && ran.exit !== EXIT.bug && codes.has(code);
    this.note({ scenario, code, tried, refused: isRefused });
    if (!isRefused) this.#session.output.note(`${ran.stderr.trim().slice(-SHOWN_OF_A_FAILURE)} (exit ${ran.exit})`);
  }

  note(row: RefusalRow): void {
    this.rows.push(row);
    const verdict = row.refused ? `refused ${row.code}` : `NOT REFUSED as ${row.code}`;
    this.say(`     ${row.scenario.padEnd(4)} ${verdict.padEnd(16)} ${row.tried}`);
  }

  attempt(argv: readonly string[]): Promise<Ran> {
    this.#commands += 1;
    return runToEnd(process.execPath, [...process.execArgv, PROGRAM, ...argv], this.#environment, this.#session.signal);
  }
}

/** Runs any program to its end; standard input is empty. */
export async function runToEnd(
  program: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Ran> {
  const child = spawn(program, argv, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
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

// SPDX-License-Identifier: Apache-2.0
/** A program that goes on while others use it: the custody process, the line server. */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CliError } from '../../error.ts';

const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
);
const START_TIMEOUT_MS = 30_000;

export class Serving {
  /** What it said first: where it can be reached. */
  readonly place: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, place: string) {
    this.#child = child;
    this.place = place;
  }

  /** Resolves when it says where it is. Throws `ERR_CLI_DEMO_STEP` when it ends before, with what it said. */
  static async start(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<Serving> {
    const child = fork(PROGRAM, [...argv], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-2_000);
    });
    const said = Promise.withResolvers<string>();
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', said.resolve);
    child.once('error', said.reject);
    child.once('exit', (code) => {
      said.reject(new CliError('ERR_CLI_DEMO_STEP', `"${argv.join(' ')}" ended with ${String(code)}: ${complaint}`));
    });
    const timer = setTimeout(() => {
      said.reject(new CliError('ERR_CLI_DEMO_STEP', `"${argv.join(' ')}" did not start in time`));
    }, START_TIMEOUT_MS);
    try {
      return new Serving(child, await said.promise);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}

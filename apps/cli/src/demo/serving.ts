// SPDX-License-Identifier: Apache-2.0
/** A program that goes on while others use it: the custody process, the line server. */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CliError } from '../error.ts';

const PROGRAM = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
const START_TIMEOUT_MS = 30_000;

export class Serving {
  /** What it said first: where it can be reached. */
  readonly place: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, place: string) {
    this.#child = child;
    this.place = place;
  }

  /** Resolves when it says where it is. Throws `ERR_CLI_TRANSPORT` when it ends before, with what it said. */
  static async start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Serving> {
    // The channel takes the program along when this process goes, whatever ends it.
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
      said.reject(new CliError('ERR_CLI_TRANSPORT', `"${argv.join(' ')}" ended with ${String(code)}: ${complaint}`));
    });
    const timer = setTimeout(() => {
      said.reject(new CliError('ERR_CLI_TRANSPORT', `"${argv.join(' ')}" did not start in time`));
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

  /** Resolves with the exit code when the process ends by itself or by a signal. */
  get ended(): Promise<number | null> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve(this.#child.exitCode);
      else this.#child.once('exit', resolve);
    });
  }

  /** Ends it cleanly: what it had to finish is finished when this resolves. */
  async stop(): Promise<void> {
    const { ended } = this;
    this.#child.kill('SIGTERM');
    await ended;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** The line server as a process of its own, as it is in a factory. */
import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CliError } from '../error.ts';

const PROGRAM = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url));
const START_TIMEOUT_MS = 20_000;

export class LineProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when the line says its URL; throws `ERR_CLI_TRANSPORT` when it ends before, with what it said. */
  static async start(data: string): Promise<LineProcess> {
    // The channel of a fork takes the line along when this process goes, whatever ends it.
    const child = fork(PROGRAM, ['line', 'serve', '--data', data], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    const said = Promise.withResolvers<string>();
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', said.resolve);
    child.once('error', said.reject);
    child.once('exit', (code) => {
      const lastLine = complaint.trim().split('\n')[0] ?? '';
      said.reject(new CliError('ERR_CLI_TRANSPORT', `the line server ended (exit ${String(code)}): ${lastLine}`));
    });
    const timer = setTimeout(() => {
      said.reject(new CliError('ERR_CLI_TRANSPORT', 'the line server did not start in time'));
    }, START_TIMEOUT_MS);
    try {
      return new LineProcess(child, await said.promise);
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

  /** Ends the line cleanly: everything is published when this resolves. */
  async stop(): Promise<void> {
    const { ended } = this;
    this.#child.kill('SIGTERM');
    await ended;
  }
}

/** A port nobody listens on now: the preferred one, else any. */
export async function findFreePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const found = await tryPort(port);
    if (found !== null) return found;
  }
  throw new CliError('ERR_CLI_TRANSPORT', 'no port of 127.0.0.1 is free');
}

async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  const listening = Promise.withResolvers<number | null>();
  server.once('error', () => {
    listening.resolve(null);
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    const found = typeof address === 'object' && address !== null ? address.port : null;
    server.close(() => {
      listening.resolve(found);
    });
  });
  return listening.promise;
}

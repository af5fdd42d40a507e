// SPDX-License-Identifier: Apache-2.0
/** Process adapter: one run of a programming tool, ended by its process group when it is told to stop. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { RefusedError } from '@witnessmark/core';
import { DeviceError } from './error.ts';

/** Nothing of the station's environment reaches the tool. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** Ends the tool with its parent: an orphan would go on writing to a device that somebody else recovers by then. */
const SETPRIV = '/usr/bin/setpriv';
const SETPRIV_ARGUMENTS = ['--pdeathsig', 'KILL'];
/** How long a tool that was asked to end may take. */
const POLITE_MS = 500;
/** A verbose flashrom says some 200,000 about a flash of 16 MiB. */
const MAX_OUTPUT_CHARACTERS = 8 * 1024 * 1024;

export interface ToolRun {
  readonly programPath: string;
  readonly args: readonly string[];
  /** Private working directory; the command line names files in it. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string, stream: 'stdout' | 'stderr') => void;
}

/**
 * Runs the tool to its end and returns its exit code. Throws `LS-403` when it cannot be started, and a `DeviceError`
 * when it was killed – by us because `signal` fired or because it never stopped talking, or by somebody else. No process
 * of the tool is left when this returns.
 */
export async function runTool(
  tool: string,
  { programPath, args, directory, signal, onOutput }: ToolRun,
): Promise<number> {
  signal.throwIfAborted();
  if (!isAbsolute(programPath)) throw new TypeError('a tool is named by an absolute path');
  if (!isExecutable(programPath)) throw new RefusedError('LS-403', `${programPath} is not there or not executable`);
  const bound = isExecutable(SETPRIV);
  const child = spawn(bound ? SETPRIV : programPath, bound ? [...SETPRIV_ARGUMENTS, programPath, ...args] : args, {
    cwd: directory,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what the tool starts goes with it.
    detached: true,
  });
  const ending = new ToolEnding(child);
  const stop = (): void => {
    ending.begin();
  };
  signal.addEventListener('abort', stop, { once: true });
  let outputBytes = 0;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      outputBytes += text.length;
      if (outputBytes <= MAX_OUTPUT_CHARACTERS) onOutput(text, name);
      else stop();
    });
  }
  try {
    const exitCode = await ending.exited;
    signal.throwIfAborted();
    if (outputBytes > MAX_OUTPUT_CHARACTERS) {
      throw new DeviceError('ERR_DEVICE_TOOL', `${tool} said more than ${MAX_OUTPUT_CHARACTERS} characters`);
    }
    if (exitCode === null) throw new DeviceError('ERR_DEVICE_TOOL', `${tool} was killed before it ended`);
    return exitCode;
  } finally {
    signal.removeEventListener('abort', stop);
    ending.complete();
  }
}

/** How a process group ends, by its id: asked first, so that a tool can leave its programmer in order, then killed. */
class ToolEnding {
  /** The exit code, or null for a process that was killed or never began. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #settle: (code: number | null) => void = () => undefined;
  #kill: NodeJS.Timeout | null = null;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
    child.once('error', () => {
      this.#settle(null);
    });
    child.once('exit', (code) => {
      // Nobody asked for what the tool left running.
      this.#signal('SIGKILL');
      if (this.#kill !== null) this.#settle(code);
    });
    // All it said has arrived.
    child.once('close', this.#settle);
  }

  begin(): void {
    if (this.#kill !== null) return;
    this.#kill = setTimeout(() => {
      this.#signal('SIGKILL');
    }, POLITE_MS);
    const { exitCode, signalCode } = this.#child;
    // It has ended, and something that left its group holds its output open.
    if (exitCode !== null || signalCode !== null) this.#settle(exitCode);
    else this.#signal('SIGTERM');
  }

  complete(): void {
    if (this.#kill !== null) clearTimeout(this.#kill);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A trial site whose line and office keys are in a SoftHSM token behind the custody process, all as real processes. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MAIN, runProcess, SOURCE_CONDITION, type RunResult } from './run.ts';
import { TestSite } from './site.ts';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';

/** The programs, and the optional package that reaches tokens. */
export function hasSoftHsm(): boolean {
  const hasProgram = (name: string): boolean => spawnSync(name, ['--version']).error === undefined;
  try {
    createRequire(new URL('../../../packages/custody/src/index.ts', import.meta.url)).resolve('pkcs11js');
  } catch {
    return false;
  }
  return existsSync(SOFTHSM_MODULE) && hasProgram('pkcs11-tool') && hasProgram('openssl');
}

/** A program of ours that runs until it is told to end. */
export class RunningProgram {
  readonly child: ChildProcess;
  readonly firstLine: string;

  private constructor(child: ChildProcess, firstLine: string) {
    this.child = child;
    this.firstLine = firstLine;
  }

  static async start(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<RunningProgram> {
    const child = spawn(process.execPath, [SOURCE_CONDITION, MAIN, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const firstLine = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').once('data', (text: string) => {
        resolve(text.split('\n', 1)[0] as string);
      });
      child.once('exit', (code) => {
        reject(new Error(`${argv.slice(0, 2).join(' ')} ended with ${String(code)}: ${errors}`));
      });
    });
    return new RunningProgram(child, firstLine);
  }

  /** Resolves with the exit code, null after a kill. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    return ended;
  }
}

export class CustodySite extends TestSite {
  custody: RunningProgram | null = null;

  /** Nothing runs yet. */
  static override async make(): Promise<CustodySite> {
    const site = new CustodySite();
    demandDone(await runProcess(['init', '--data', site.data, '--custody', 'softhsm', '--port', '0']));
    return site;
  }

  inCustody(...names: readonly string[]): string {
    return join(this.data, 'custody', ...names);
  }

  get pin(): string {
    return readFileSync(this.inCustody('pin'), 'utf8').trim();
  }

  get token(): { readonly label: string; readonly serial: string } {
    const config = JSON.parse(readFileSync(this.inCustody('custody.json'), 'utf8')) as {
      readonly token: { readonly label: string; readonly serial: string };
    };
    return config.token;
  }

  async startCustody(): Promise<void> {
    this.custody = await RunningProgram.start(['custody', 'serve', '--data', this.data, '-q']);
  }

  async endCustody(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.custody?.end(signal);
    this.custody = null;
  }

  startLine(): Promise<RunningProgram> {
    return RunningProgram.start(['line', 'serve', '--data', this.data, '--port', '0', '-q']);
  }

  /** As somebody who has the PIN and stands beside the machine. */
  pkcs11Tool(...args: readonly string[]): string {
    const { label } = this.token;
    const login = ['--module', SOFTHSM_MODULE, '--token-label', label, '--login', '--pin', this.pin];
    const env = { ...process.env, SOFTHSM2_CONF: this.inCustody('softhsm2.conf') };
    const { status, stdout, stderr } = spawnSync('pkcs11-tool', [...login, ...args], { env, encoding: 'utf8' });
    // The arguments hold a PIN, so they are not repeated.
    if (status !== 0) throw new Error(`pkcs11-tool ended with ${String(status)}: ${stderr}`);
    return stdout;
  }
}

export function demandDone(result: RunResult): RunResult {
  if (result.exit === 0) return result;
  throw new Error(`ended with ${result.exit}: ${result.stdout}${result.stderr}`);
}

// SPDX-License-Identifier: Apache-2.0
/** Process adapter: asks a running chronyd through `chronyc -c`, on its command socket or its UDP command port. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CHRONY_REPORT_LIMITS, parseChronyReports } from './chrony-report.ts';
import type { TimeSource, TimeSourceAnswer } from './time-reading.ts';

const DEFAULT_PROGRAM_PATH = '/usr/bin/chronyc';
const DEFAULT_TIMEOUT_MS = 2_000;
/** Nothing of the station's environment reaches the tool. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
const MAX_DETAIL_CHARACTERS = 200;

export interface ChronyTimeSourceOptions {
  /** The command socket tells more: over UDP nobody learns how a source is authenticated. */
  readonly command: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  readonly programPath?: string;
  /** For each question. */
  readonly timeoutMs?: number;
}

type Report = { readonly text: string } | { readonly problem: string };

const run = promisify(execFile);

export class ChronyTimeSource implements TimeSource {
  readonly name = 'chrony';
  readonly #arguments: readonly string[];
  readonly #programPath: string;
  readonly #timeoutMs: number;

  /** Throws `TypeError` for an address chronyc would read as something else. */
  constructor({ command, programPath, timeoutMs }: ChronyTimeSourceOptions) {
    this.#arguments = [...toArguments(command), '-n', '-c'];
    this.#programPath = programPath ?? DEFAULT_PROGRAM_PATH;
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  async read(): Promise<TimeSourceAnswer> {
    const [tracking, sources, sourcestats, authdata] = await Promise.all([
      this.#ask('tracking'),
      this.#ask('sources'),
      this.#ask('sourcestats'),
      this.#ask('authdata'),
    ]);
    for (const report of [tracking, sources, sourcestats]) {
      if ('problem' in report) return { state: 'silent', detail: report.problem };
    }
    const reading = parseChronyReports({
      tracking: textOf(tracking) ?? '',
      sources: textOf(sources) ?? '',
      sourcestats: textOf(sourcestats) ?? '',
      authdata: textOf(authdata),
    });
    if (reading === null) return { state: 'silent', detail: 'chronyc said something it does not say' };
    return { state: 'answered', reading };
  }

  async #ask(report: string): Promise<Report> {
    try {
      const { stdout } = await run(this.#programPath, [...this.#arguments, report], {
        env: ENVIRONMENT,
        timeout: this.#timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: CHRONY_REPORT_LIMITS.characters,
        encoding: 'utf8',
      });
      return { text: stdout };
    } catch (error) {
      return { problem: `chronyc ${report}: ${describe(error)}` };
    }
  }
}

function toArguments(command: ChronyTimeSourceOptions['command']): string[] {
  if ('socketPath' in command) {
    if (!command.socketPath.startsWith('/')) throw new TypeError('a command socket is named by an absolute path');
    return ['-h', command.socketPath];
  }
  const { host, port } = command;
  if (!/^[A-Za-z0-9.:][A-Za-z0-9.:-]{0,252}$/.test(host))
    throw new TypeError('a command port has a host name or an address');
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new TypeError('a port is a number from 1 to 65535');
  return ['-h', host, '-p', String(port)];
}

function textOf(report: Report): string | null {
  return 'text' in report ? report.text : null;
}

/** Printable and bounded: what the tool said, or why it was not heard. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  const { stdout, stderr, killed } = error as Error & { stdout?: unknown; stderr?: unknown; killed?: unknown };
  if (killed === true) return 'no answer in time';
  const said = [stdout, stderr].find((text): text is string => typeof text === 'string' && text.trim() !== '');
  const text = (said ?? error.message).replace(/[^\x20-\x7e]/g, ' ').trim();
  return text.slice(0, MAX_DETAIL_CHARACTERS);
}

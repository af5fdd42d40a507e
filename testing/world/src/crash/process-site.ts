// SPDX-License-Identifier: Apache-2.0
/** A site made with the real program, and its processes under strace, which ends them at a chosen system call. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { encodeHex, type Bytes } from '@witnessmark/core';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { HttpLineService } from '@witnessmark/api';
import { sampleUniqueId } from '@witnessmark/device';
import { Verifier, type VerificationReport } from '@witnessmark/verify';
import { simImage } from '../sim/sim-factory.ts';

const PROGRAM = fileURLToPath(new URL('../../../../apps/cli/bin/witnessmark.mjs', import.meta.url));
const SKU = 'GW-210';

/** The calls that make something durable or visible. */
export const SYNC_CALLS = ['fsync', 'fdatasync', 'rename'] as const;
export type SyncCall = (typeof SYNC_CALLS)[number];

/** `when` counts the calls of one thread, from 1. */
export interface KillPoint {
  readonly call: SyncCall;
  readonly when: number;
}

/** What strace does to a process: nothing, count its calls, or end it in one of them. */
type Tracing = 'none' | 'count' | KillPoint;

/** How often the busiest thread made each call. */
export type CallCounts = Readonly<Record<SyncCall, number>>;

export interface ProcessBoard {
  readonly serial: string;
  readonly device: string;
}

export interface LineProcess {
  readonly url: string;
  /** Whether it still runs. */
  readonly isAlive: () => boolean;
  readonly counts: () => CallCounts;
  stop(): Promise<void>;
}

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

export class ProcessSite {
  readonly directory: string;
  readonly #data: string;
  #boards = 0;
  #traces = 0;

  private constructor(directory: string) {
    this.directory = directory;
    this.#data = join(directory, 'site');
  }

  /** Makes a site with one approved release. */
  static create(): ProcessSite {
    const site = new ProcessSite(
      mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'witnessmark-site-')),
    );
    const image = join(site.directory, 'firmware.bin');
    writeFileSync(image, simImage(1));
    const reason = ['--ticket', 'T-1', '--reason', 'first'];
    site.#call('init');
    site.#call(
      'release',
      'propose',
      '--image',
      image,
      '--release-version',
      '1.0.0',
      '--key',
      site.#key('author-alex'),
      ...reason,
    );
    const proposal = JSON.parse(site.#call('release', 'status', '--json')) as ReleaseStatus;
    const [promotion] = proposal.promotions;
    if (promotion?.proposal === undefined) throw new Error('the release was not proposed');
    const confirm = promotion.proposal.candidateDigest.slice(0, 4);
    for (const approver of ['anna', 'ben']) {
      const decision = ['--confirm', confirm, '--meaning', 'looked at', '--ticket', 'T-1'];
      site.#call('release', 'approve', promotion.promotionId, '--key', site.#key(`approver-${approver}`), ...decision);
    }
    return site;
  }

  makeBoard(): ProcessBoard {
    this.#boards += 1;
    const value = sampleUniqueId('kill sweep', this.#boards);
    const serial = deriveLabelSerial(SKU, toDeviceId({ scheme: 'spi-nor-uid', value }));
    return { serial, device: `simulated:${join(this.directory, `${serial}.chip`)},uid=${encodeHex(value)}` };
  }

  /** Runs `station program` to its end, however it comes about; the exit code is null when it was killed. */
  async program(board: ProcessBoard, line: LineProcess, tracing: Tracing): Promise<StationEnd> {
    const key = this.#key('operator-olga');
    const unit = ['--device', board.device, '--label', board.serial, '--operator-key', key, '--line', line.url];
    const { child, counts } = this.#start(['station', 'program', ...unit, '--json'], tracing);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { exit: child.signalCode === null ? code : null, stdout, counts: counts() };
  }

  /** Starts `line serve` and waits for its URL. */
  async serve(tracing: Tracing): Promise<LineProcess> {
    const { child, counts } = this.#start(['line', 'serve', '--port', '0', '-q'], tracing);
    const ended = once(child, 'close');
    if (child.stdout === null) throw new Error('the line has no output');
    const lines = createInterface({ input: child.stdout });
    const url = await Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      ended.then(() => Promise.reject(new Error('the line ended before it served'))),
    ]);
    return {
      url,
      isAlive: () => child.exitCode === null && child.signalCode === null,
      counts,
      stop: async () => {
        end(child);
        await ended;
      },
    };
  }

  async evidence(board: ProcessBoard, line: LineProcess): Promise<Bytes | null> {
    return new HttpLineService({ baseUrl: line.url, timeoutMs: 5000 }).unitEvidence(board.serial);
  }

  /** The verdict of the offline verifier with the site's own trusted root and policy. */
  verify(evidence: Bytes): VerificationReport {
    const read = (name: string): Bytes => new Uint8Array(readFileSync(join(this.#data, name)));
    return new Verifier({ trustedRoot: read('trusted-root.json'), policy: read('policy.json') }).inspect(
      evidence,
      Date.now(),
    );
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #call(...argv: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv, '--data', this.#data], {
      encoding: 'utf8',
    });
    // 5: waiting for people.
    if (status !== 0 && status !== 5) throw new Error(`${argv.join(' ')} ended with ${String(status)}: ${stderr}`);
    return stdout;
  }

  #start(argv: readonly string[], tracing: Tracing): { child: ChildProcess; counts: () => CallCounts } {
    const program = [process.execPath, PROGRAM, ...argv, '--data', this.#data];
    const options = {
      stdio: ['ignore', 'pipe', 'ignore'] as 'pipe'[],
      // A group of its own, so that whatever it starts can be ended with it.
      detached: true,
      // strace counts by thread: with one thread for files the n-th call is the n-th.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    };
    if (tracing === 'none') {
      const [node = '', ...rest] = program;
      return { child: spawn(node, rest, options), counts: () => countCalls('') };
    }
    this.#traces += 1;
    const trace = join(this.directory, `trace-${this.#traces}`);
    const inject = tracing === 'count' ? [] : ['-e', `inject=${tracing.call}:signal=KILL:when=${tracing.when}`];
    const strace = ['-f', '-qq', '-o', trace, '-e', `trace=${SYNC_CALLS.join(',')}`, ...inject];
    return {
      child: spawn('strace', [...strace, ...program], options),
      counts: () => countCalls(readFileSync(trace, 'utf8')),
    };
  }

  #key(name: string): string {
    return join(this.#data, 'keys', `${name}.pem`);
  }
}

interface StationEnd {
  readonly exit: number | null;
  readonly stdout: string;
  readonly counts: CallCounts;
}

interface ReleaseStatus {
  readonly promotions: readonly {
    readonly promotionId: string;
    readonly proposal?: { readonly candidateDigest: string };
  }[];
}

/** Ends a process and everything it started; no more gently than a power cut. */
function end({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Lines of a trace read `PID call(…) = …`. */
function countCalls(trace: string): CallCounts {
  const counts = new Map<string, number>();
  for (const line of trace.split('\n')) {
    const match = /^(\d+) +(fsync|fdatasync|rename)\(/.exec(line);
    if (match === null) continue;
    const [, thread = '', call = ''] = match;
    counts.set(`${thread} ${call}`, (counts.get(`${thread} ${call}`) ?? 0) + 1);
  }
  const most = (call: SyncCall): number =>
    Math.max(0, ...[...counts].filter(([key]) => key.endsWith(` ${call}`)).map(([, count]) => count));
  return { fsync: most('fsync'), fdatasync: most('fdatasync'), rename: most('rename') };
}

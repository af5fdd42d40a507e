// SPDX-License-Identifier: Apache-2.0
/**
 * The time service of the first station: a chrony daemon that follows two honest ones and one that lies by hours. None of
 * them touches the machine's clock.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../../error.ts';
import { clockMovedBy, findProgram } from './equipment.ts';

const HONEST = ['127.0.0.11', '127.0.0.12'] as const;
const LIAR = '127.0.0.13';
const LIE_MINUTES = 180;
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/** Ages of seconds: the daemons ask four times a second. */
const POLICY = {
  sane: { maxOffsetMs: 200, maxRootDistanceMs: 500, maxAgeMs: 60_000, minSources: 2, maxFalsetickers: 1 },
  degraded: { maxOffsetMs: 1000, maxRootDistanceMs: 3000, maxAgeMs: 120_000, minSources: 1, maxFalsetickers: 1 },
  minAnsweredPolls: 3,
  minSamples: 3,
  maxStratum: 10,
  requireNts: false,
};

export class TimeNetwork {
  readonly #folder: string;
  readonly #daemons: ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws `ERR_CLI_DEMO_EQUIPMENT` when chrony does not start, with what it said. */
  static async start(folder: string): Promise<TimeNetwork> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const network = new TimeNetwork(folder);
    const port = await freePort();
    for (const host of [...HONEST, LIAR]) {
      const serving = ['local stratum 5', 'allow 127.0.0.0/8', `bindaddress ${host}`, `port ${port}`];
      await network.#start(host, serving, host === LIAR ? clockMovedBy(LIE_MINUTES) : {});
    }
    const sources = [...HONEST, LIAR].map((host) => `server ${host} port ${port} iburst minpoll -2 maxpoll -2`);
    await network.#start('station', [...sources, 'port 0']);
    return network;
  }

  /** As a station's configuration names it. */
  get service(): object {
    const chrony = { socketPath: join(this.#folder, 'station.sock') };
    return { chrony, program: findProgram('chronyc'), policy: POLICY };
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await ended;
    }
  }

  async #start(
    name: string,
    lines: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const file = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    const own = ['cmdport 0', `bindcmdaddress ${file('sock')}`, `pidfile ${file('pid')}`, ''];
    writeFileSync(file('conf'), [...lines, ...own].join('\n'));
    const program = findProgram('chronyd') ?? 'chronyd';
    const args = ['-4', '-d', '-x', '-U', '-u', userInfo().username, '-f', file('conf')];
    // A daemon goes with this process, whatever ends it.
    const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    this.#daemons.push(daemon);
    for (let waitedMs = 0; !existsSync(file('sock')); waitedMs += POLL_MS) {
      if (daemon.exitCode !== null || waitedMs > START_TIMEOUT_MS) {
        throw new CliError('ERR_CLI_DEMO_EQUIPMENT', `chronyd did not start: ${log}`);
      }
      await pause(POLL_MS);
    }
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, HONEST[0]);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

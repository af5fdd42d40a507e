// SPDX-License-Identifier: Apache-2.0
/** Real chronyd instances on the loopback interface that leave the system clock alone, each with files of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';

const ABSENT = '';
const CHRONYD = findProgram('chronyd');
export const CHRONYC = findProgram('chronyc');
const NTP_EPOCH_S = 2_208_988_800;

export function hasChrony(): boolean {
  return CHRONYD !== ABSENT && CHRONYC !== ABSENT;
}

/** A program's path; {@link ABSENT} where it is not installed. */
function findProgram(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? ABSENT;
}

export interface Daemon {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string;
  readonly kill: () => Promise<void>;
}

/** A network of daemons and clocks that ends together. */
export class TimeNetwork {
  readonly directory = mkdtempSync(join(tmpdir(), 'witnessmark-chrony-'));
  readonly #children: ChildProcess[] = [];
  readonly #sockets: Socket[] = [];
  #next = 1;

  /** A daemon that serves this machine's own time. */
  async serve(extra: readonly string[] = [], host?: string): Promise<Daemon> {
    return this.#start(['local stratum 5', ...extra], host);
  }

  /** A daemon that follows an upstream clock which is wrong by so much, and serves that. */
  async serveWrong(offsetMs: number): Promise<Daemon> {
    const upstream = await this.#wrongClock(offsetMs);
    const { address, port } = upstream.address();
    return this.#start([`server ${address} port ${port} iburst minpoll -4 maxpoll -2`]);
  }

  /** A daemon that follows these and serves nobody. */
  async follow(servers: readonly Daemon[], extra: readonly string[] = [], options = ''): Promise<Daemon> {
    const lines = servers.map(
      ({ host, port }) => `server ${host} port ${port} iburst minpoll -4 maxpoll -4 ${options}`,
    );
    return this.#start([...lines, ...extra], null);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#children.map(end));
    rmSync(this.directory, { recursive: true });
  }

  async #start(lines: readonly string[], wantedHost?: string | null): Promise<Daemon> {
    const number = this.#next;
    this.#next += 1;
    // chrony takes one source per address: each server has its own.
    const host = wantedHost ?? `127.0.0.${10 + number}`;
    const port = wantedHost === null ? 0 : await freePort(host);
    const file = (suffix: string): string => join(this.directory, `${number}.${suffix}`);
    const configuration = [
      ...lines,
      ...(port === 0 ? [] : ['allow 127.0.0.0/8', `bindaddress ${host}`]),
      `port ${port}`,
      ...(lines.some((line) => line.startsWith('cmdport')) ? [] : ['cmdport 0']),
      `bindcmdaddress ${file('sock')}`,
      `pidfile ${file('pid')}`,
      '',
    ].join('\n');
    writeFileSync(file('conf'), configuration);
    const args = ['-4', '-d', '-x', '-U', '-u', userInfo().username, '-f', file('conf')];
    const child = spawn(CHRONYD, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    this.#children.push(child);
    await until(() => {
      if (child.exitCode !== null) throw new Error(`chronyd did not start: ${log}`);
      return Promise.resolve(existsSync(file('sock')));
    });
    return { host, port, socketPath: file('sock'), kill: () => end(child) };
  }

  async #wrongClock(offsetMs: number): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    const now = (): number => performance.timeOrigin + performance.now() + offsetMs;
    socket.on('message', (question, { port, address }) => {
      socket.send(answerTo(question, now()), port, address);
    });
    socket.bind(0, '127.0.0.9');
    await once(socket, 'listening');
    return socket;
  }
}

/** Looks again until it is so; the test's own time limit ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A certificate for NTS on this machine; its files. */
export function makeCertificate(directory: string): { readonly key: string; readonly certificate: string } {
  const [key, certificate] = [join(directory, 'nts.key'), join(directory, 'nts.crt')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  spawnSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate]);
  return { key, certificate };
}

export async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** A server's answer of RFC 5905, stratum 2. */
function answerTo(question: Buffer, nowMs: number): Buffer {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 2, question[2] ?? 0, 0xe9]);
  answer.writeUInt32BE(1, 8);
  writeTime(answer, 16, nowMs - 1000);
  question.copy(answer, 24, 40, 48);
  writeTime(answer, 32, nowMs);
  writeTime(answer, 40, nowMs);
  return answer;
}

function writeTime(answer: Buffer, at: number, ms: number): void {
  const seconds = ms / 1000 + NTP_EPOCH_S;
  answer.writeUInt32BE(Math.floor(seconds) % 2 ** 32, at);
  answer.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), at + 4);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Real PC/SC: Debian's pcscd with vsmartcard's vpcd readers, in a mount namespace of its own, so that the machine's
 * /run is never touched and several can run side by side. Clients find it through `PCSCLITE_CSOCK_NAME`.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const VPCD_DRIVER = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';
/** Programs without which there are no readers. */
const NEEDED = ['/usr/sbin/pcscd', '/usr/bin/unshare', '/usr/bin/gcc', VPCD_DRIVER];
/** Each entry of reader.conf is two readers, on neighbouring ports. */
const READERS_PER_ENTRY = 2;
const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

export function hasCardReaders(): boolean {
  return process.getuid?.() === 0 && NEEDED.every((path) => existsSync(path));
}

export interface CardReaders {
  /** A card is inserted by connecting to its reader's port. */
  readonly ports: readonly number[];
  /** For the environment of clients, before they load a PC/SC or PKCS#11 library. */
  readonly env: Readonly<Record<'PCSCLITE_CSOCK_NAME' | 'OPENSC_CONF', string>>;
  stop(): Promise<void>;
}

export async function startCardReaders(count: number): Promise<CardReaders> {
  const dir = mkdtempSync(join(tmpdir(), 'witnessmark-pcscd-'));
  const run = join(dir, 'run');
  mkdirSync(run);
  const ports = await writeReaderConfiguration(dir, count);
  const opensc = join(dir, 'opensc.conf');
  // OpenSC shows four slots unless told otherwise; its cache would show a card that was swapped.
  writeFileSync(
    opensc,
    'app default { framework pkcs15 { use_file_caching = no; } }\n' +
      'app opensc-pkcs11 { pkcs11 { max_virtual_slots = 32; slots_per_card = 1; } }\n',
  );
  const daemon = startDaemon(dir, run);
  const stop = async (): Promise<void> => {
    await end(daemon);
    rmSync(dir, { recursive: true, force: true });
  };
  const socket = join(run, 'pcscd.comm');
  try {
    await waitUntil(daemon, async () => existsSync(socket) && (await isListening(ports[0] as number)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports, env: { PCSCLITE_CSOCK_NAME: socket, OPENSC_CONF: opensc }, stop };
}

async function writeReaderConfiguration(dir: string, count: number): Promise<number[]> {
  const ports: number[] = [];
  const entries: string[] = [];
  for (let entry = 0; entry * READERS_PER_ENTRY < count; entry += 1) {
    const port = await freePortPair(ports);
    ports.push(port, port + 1);
    // Entries of one library share state and hang; each gets a copy.
    const driver = join(dir, `libifdvpcd-${entry}.so`);
    copyFileSync(VPCD_DRIVER, driver);
    const device = `/dev/null:0x${port.toString(16)}`;
    const lines = [`FRIENDLYNAME "Virtual PCD ${entry}"`, `DEVICENAME ${device}`, `LIBPATH ${driver}`];
    entries.push([...lines, `CHANNELID 0x${port.toString(16)}`].join('\n'));
  }
  writeFileSync(join(dir, 'reader.conf'), `${entries.join('\n\n')}\n`);
  return ports.slice(0, count);
}

function startDaemon(dir: string, run: string): ChildProcess {
  const shim = join(dir, 'vpcdfix.so');
  const source = join(import.meta.dirname, 'vpcdfix.c');
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl'], { stdio: 'pipe' });
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/pcscd && mount --bind "$1" /run/pcscd && shift && exec "$@"';
  const pcscd = ['/usr/sbin/pcscd', '--foreground', '--config', join(dir, 'reader.conf'), '--critical'];
  // Its parent's death ends it, so that a killed test leaves nothing behind.
  const command = ['setpriv', '--pdeathsig', 'KILL', 'env', `LD_PRELOAD=${shim}`, ...pcscd];
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', run, ...command];
  return spawn('unshare', args, { stdio: 'ignore' });
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const kill = setTimeout(() => daemon.kill('SIGKILL'), 2_000);
  await exited;
  clearTimeout(kill);
}

async function waitUntil(daemon: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await isReady())) {
    if (daemon.exitCode !== null) throw new Error(`pcscd ended with exit code ${daemon.exitCode}`);
    if (performance.now() > deadline) throw new Error(`pcscd was not ready within ${START_TIMEOUT_MS} ms`);
    await pause(POLL_MS);
  }
}

async function freePortPair(taken: readonly number[]): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const isFree = port < 65_535 && !taken.includes(port + 1) && (await canListen(port + 1));
    server.close();
    await once(server, 'close');
    if (isFree && !taken.includes(port)) return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  const listening = Promise.withResolvers<boolean>();
  server.once('error', () => listening.resolve(false));
  server.listen(port, '127.0.0.1', () => listening.resolve(true));
  const result = await listening.promise;
  server.close();
  return result;
}

/** Without connecting, which would look like a card. */
async function isListening(port: number): Promise<boolean> {
  return !(await canListen(port));
}

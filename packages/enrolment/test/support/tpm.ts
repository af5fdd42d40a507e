// SPDX-License-Identifier: Apache-2.0
/** A TPM 2.0 of its own: swtpm behind tpm2-abrmd, both on a private bus, with a PKCS#11 store beside it. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const TPM_MODULE = '/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1';
export const TPM_PIN = 'pin-tpm-71c2';
const WAIT_MS = 30_000;
const POLL_MS = 50;

const PROGRAMS = ['swtpm', 'tpm2-abrmd', 'tpm2_quote', 'tpm2_ptool', 'dbus-daemon'];

export const hasTpm: boolean =
  existsSync(TPM_MODULE) &&
  PROGRAMS.every((name) => spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0);

export interface TestTpm {
  readonly folder: string;
  /** As tpm2-tools take it. */
  readonly tcti: string;
  /** For programs that are to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  run(program: string, ...args: readonly string[]): string;
  end(): Promise<void>;
}

/** The environment of this process is set as well: modules loaded into it read it from there. */
export async function startTpm(): Promise<TestTpm> {
  const folder = mkdtempSync(join(tmpdir(), 'witnessmark-swtpm-'));
  for (const name of ['state', 'store']) mkdirSync(join(folder, name));
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[], environment: NodeJS.ProcessEnv = process.env): void => {
    children.push(spawn(program, args, { stdio: 'ignore', env: environment, cwd: folder }));
  };
  // tpm2-abrmd wants two ports in a row, the second for control.
  const port = await findTwoPorts();
  start('swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${join(folder, 'state')}`],
    ...[
      '--server',
      `type=tcp,port=${port},bindaddr=127.0.0.1`,
      '--ctrl',
      `type=tcp,port=${port + 1},bindaddr=127.0.0.1`,
    ],
    ...['--flags', 'not-need-init,startup-clear'],
  ]);
  const bus = `unix:path=${join(folder, 'bus')}`;
  start('dbus-daemon', ['--session', '--nofork', '--nopidfile', `--address=${bus}`]);
  const tcti = 'tabrmd:bus_type=session';
  const environment = {
    DBUS_SESSION_BUS_ADDRESS: bus,
    TPM2TOOLS_TCTI: tcti,
    TPM2_PKCS11_TCTI: tcti,
    TPM2_PKCS11_STORE: join(folder, 'store'),
  };
  Object.assign(process.env, environment);
  await until(() => existsSync(join(folder, 'bus')));
  const env = { ...process.env, ...environment };
  const isUp = (): boolean =>
    spawnSync('tpm2_getrandom', ['--hex', '4'], { env, stdio: 'ignore', timeout: 5_000 }).status === 0;
  const startBroker = (): void => {
    start('tpm2-abrmd', ['--session', '--allow-root', `--tcti=swtpm:host=127.0.0.1,port=${port}`], env);
  };
  startBroker();
  // A broker that came before the TPM ends; another one is started then.
  await until(() => {
    if (children.at(-1)?.exitCode !== null) startBroker();
    return isUp();
  });
  return {
    folder,
    tcti,
    environment,
    run: (program, ...args) =>
      execFileSync(program, args, { env, cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    end: async () => {
      const ended = children.map(
        (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(null))),
      );
      for (const child of children.toReversed()) child.kill('SIGKILL');
      await Promise.all(ended);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An attestation key under the endorsement hierarchy, made persistent. */
export function makeAttestationKey(tpm: TestTpm, handle: string): void {
  tpm.run('tpm2_createek', '-Q', '-c', 'ek.ctx', '-G', 'ecc', '-u', 'ek.pub');
  tpm.run(
    'tpm2_createak',
    '-Q',
    '-C',
    'ek.ctx',
    '-c',
    'ak.ctx',
    '-G',
    'ecc',
    '-g',
    'sha256',
    '-s',
    'ecdsa',
    '-u',
    'ak.pem',
    '-f',
    'pem',
  );
  tpm.run('tpm2_evictcontrol', '-Q', '-C', 'o', '-c', 'ak.ctx', handle);
}

/** A PKCS#11 token in the TPM; gives its serial. */
export function makeTpmToken(tpm: TestTpm, label: string): string {
  tpm.run('tpm2_ptool', 'init', '--path', 'store');
  tpm.run(
    'tpm2_ptool',
    'addtoken',
    '--pid=1',
    '--sopin=so-87654321',
    `--userpin=${TPM_PIN}`,
    `--label=${label}`,
    '--path',
    'store',
  );
  const text = tpm.run('pkcs11-tool', '--module', TPM_MODULE, '-L');
  return /serial num\s*:\s*(\S+)/.exec(text)?.[1] ?? '';
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < WAIT_MS; waited += POLL_MS) {
    if (isSo()) return;
    await pause(POLL_MS);
  }
  throw new Error('the TPM did not come up');
}

async function findTwoPorts(): Promise<number> {
  for (;;) {
    const port = await tryPort(0);
    if (port < 65_000 && (await tryPort(port + 1).catch(() => null)) !== null) return port;
  }
}

function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' ? (address?.port ?? 0) : 0;
      server.close(() => {
        resolve(found);
      });
    });
  });
}

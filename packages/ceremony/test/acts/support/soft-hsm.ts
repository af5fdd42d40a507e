// SPDX-License-Identifier: Apache-2.0
/** An empty SoftHSM in a temporary folder: every token in it is made by an act. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).error === undefined;
}

/** It is compiled when it is installed, which a machine without a compiler leaves out. */
export function hasPkcs11js(): boolean {
  try {
    createRequire(import.meta.url).resolve('@witnessmark/custody');
    createRequire(import.meta.resolve('@witnessmark/custody')).resolve('pkcs11js');
    return true;
  } catch {
    return false;
  }
}

export const hasSoftHsm: boolean = ['softhsm2-util', 'pkcs11-tool', 'openssl'].every(hasProgram) && hasPkcs11js();

export interface EmptyHsm {
  readonly dir: string;
  /** What the module itself says of its objects, to somebody else's program. */
  pkcs11Tool(...args: string[]): string;
  remove(): void;
}

/** Its configuration is per process, and read when the module starts. */
export function createEmptyHsm(): EmptyHsm {
  const dir = mkdtempSync(join(tmpdir(), 'witnessmark-acts-'));
  mkdirSync(join(dir, 'tokens'));
  const conf = join(dir, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${join(dir, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env['SOFTHSM2_CONF'] = conf;
  return {
    dir,
    pkcs11Tool: (...args) =>
      execFileSync('pkcs11-tool', ['--module', SOFTHSM_MODULE, ...args], { encoding: 'utf8', stdio: 'pipe' }),
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

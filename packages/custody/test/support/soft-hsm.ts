// SPDX-License-Identifier: Apache-2.0
/** SoftHSM 2 with tokens of its own in a temporary folder. Its configuration is per process, and read when it starts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPkcs11Module, type Pkcs11Module } from '@witnessmark/custody';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';
export const PIN = 'pin-9f3a71c2';
const SECURITY_OFFICER_PIN = 'so-5512e08b';

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).error === undefined;
}

/** The program, and the optional package that reaches its tokens. */
export const hasSoftHsm: boolean = hasProgram('softhsm2-util') && hasPkcs11js();

/** It is compiled when it is installed, which a machine without a compiler leaves out. */
export function hasPkcs11js(): boolean {
  try {
    createRequire(import.meta.url).resolve('pkcs11js');
    return true;
  } catch {
    return false;
  }
}

export interface SoftHsm {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Makes a token and returns its serial. */
  createToken(label: string): string;
  remove(): void;
}

export function createSoftHsm(): SoftHsm {
  const dir = mkdtempSync(join(tmpdir(), 'witnessmark-softhsm-'));
  mkdirSync(join(dir, 'tokens'));
  const conf = join(dir, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${join(dir, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env['SOFTHSM2_CONF'] = conf;
  const env = { ...process.env, SOFTHSM2_CONF: conf };
  return {
    dir,
    env,
    createToken: (label) => {
      const args = ['--init-token', '--free', '--label', label, '--so-pin', SECURITY_OFFICER_PIN, '--pin', PIN];
      execFileSync('softhsm2-util', args, { env, stdio: 'pipe' });
      const slots = execFileSync('softhsm2-util', ['--show-slots'], { env, encoding: 'utf8' }).split(/^Slot /m);
      const slot = slots.find((text) => new RegExp(`Label:\\s+${label}\\s*$`, 'm').test(text)) ?? '';
      return /Serial number:\s+(\S+)/.exec(slot)?.[1] ?? '';
    },
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function openSoftHsmModule(): Promise<Pkcs11Module> {
  return openPkcs11Module(SOFTHSM_MODULE);
}

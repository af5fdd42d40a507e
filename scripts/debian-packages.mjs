// SPDX-License-Identifier: Apache-2.0
/** The Debian programs the tests talk to. Installed when this runs as root; otherwise the tests that need one are skipped by name. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A file that shows the package is there, and the package. Programs are looked up on PATH. */
const NEEDED = [
  { program: 'flashrom', package: 'flashrom' },
  { program: 'openocd', package: 'openocd' },
  // Installing chrony would remove the machine's own time service.
  { program: 'chronyd', package: 'chrony', unless: '/lib/systemd/systemd-timesyncd' },
  { program: 'strace', package: 'strace' },
  { program: 'openssl', package: 'openssl' },
  { program: 'jq', package: 'jq' },
  { program: 'go', package: 'golang-go' },
  { program: 'script', package: 'bsdutils' },
  { program: 'softhsm2-util', package: 'softhsm2' },
  { program: 'pkcs11-tool', package: 'opensc' },
  { program: 'pcscd', package: 'pcscd' },
  { program: 'yubico-piv-tool', package: 'yubico-piv-tool' },
  { file: '/etc/reader.conf.d/vpcd', package: 'vsmartcard-vpcd' },
  // pkcs11js, an optional dependency, is compiled when it is installed.
  { program: 'g++', package: 'g++' },
  { program: 'make', package: 'make' },
  { program: 'python3', package: 'python3' },
  { program: 'unshare', package: 'util-linux' },
  { file: '/usr/share/gocode/src/golang.org/x/mod/sumdb/note/note.go', package: 'golang-golang-x-mod-dev' },
  { file: '/usr/share/seabios/bios-256k.bin', package: 'seabios' },
];

export function installDebianPackages(print) {
  const missing = NEEDED.filter((need) => !isPresent(need)).map((need) => need.package);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    print(`not installed, tests that need them are skipped: ${names}`);
    print(`  to run them: sudo apt-get install --no-install-recommends ${names}`);
    return;
  }
  print(`installing Debian packages: ${names}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args) =>
    spawnSync('apt-get', ['-q', ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  run('update');
  const result = run('install', '-y', '--no-install-recommends', ...missing);
  if (result.status !== 0)
    print(`apt-get failed (exit ${result.status}): ${String(result.stderr).trim().split('\n').at(-1)}`);
}

function isPresent(need) {
  if (need.unless !== undefined && existsSync(need.unless)) return true;
  return need.program === undefined ? existsSync(need.file) : onPath(need.program);
}

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

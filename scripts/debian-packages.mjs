// SPDX-License-Identifier: Apache-2.0
/** The Debian programs the tests talk to. Installed when this runs as root; otherwise the tests that need one are skipped by name. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file that shows the package is there, and the package. Programs are looked up on PATH. */
const NEEDED = [
  { program: 'flashrom', package: 'flashrom' },
  { program: 'openocd', package: 'openocd' },
  { program: 'avrdude', package: 'avrdude' },
  { file: '/usr/include/simavr/sim_avr.h', package: 'libsimavr-dev' },
  { file: '/usr/include/libelf.h', package: 'libelf-dev' },
  { file: '/usr/share/arduino/hardware/arduino/avr/boards.txt', package: 'arduino-core-avr' },
  { program: 'qemu-system-arm', package: 'qemu-system-arm' },
  { program: 'arm-none-eabi-as', package: 'binutils-arm-none-eabi' },
  { program: 'gcc', package: 'gcc' },
  // Installing chrony would remove the machine's own time service; beside that, it is only unpacked.
  { program: 'chronyd', package: 'chrony', isUnpackedBeside: '/lib/systemd/systemd-timesyncd' },
  { program: 'strace', package: 'strace' },
  { file: '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', package: 'libfaketime' },
  { program: 'openssl', package: 'openssl' },
  { program: 'age', package: 'age' },
  { program: 'ssh-keygen', package: 'openssh-client' },
  { program: 'jq', package: 'jq' },
  { program: 'patch', package: 'patch' },
  { program: 'go', package: 'golang-go' },
  { program: 'script', package: 'bsdutils' },
  { program: 'softhsm2-util', package: 'softhsm2' },
  { program: 'pkcs11-tool', package: 'opensc' },
  { program: 'curl', package: 'curl' },
  { file: '/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so', package: 'libengine-pkcs11-openssl' },
  { program: 'swtpm', package: 'swtpm' },
  { program: 'tpm2-abrmd', package: 'tpm2-abrmd' },
  { program: 'tpm2_quote', package: 'tpm2-tools' },
  { program: 'tpm2_ptool', package: 'libtpm2-pkcs11-tools' },
  { file: '/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1', package: 'libtpm2-pkcs11-1' },
  // How tpm2-tools and the PKCS#11 module reach the broker.
  { file: '/usr/lib/x86_64-linux-gnu/libtss2-tcti-tabrmd.so.0', package: 'libtss2-tcti-tabrmd0' },
  { program: 'dbus-daemon', package: 'dbus-daemon' },
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
  { file: '/usr/share/OVMF/OVMF_CODE_4M.fd', package: 'ovmf' },
];

const UNPACKED = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'debian');

/** Where programs of Debian are looked for besides PATH. */
export const PROGRAM_FOLDERS = ['/usr/sbin', '/sbin', join(UNPACKED, 'usr', 'sbin'), join(UNPACKED, 'usr', 'bin')];

export function installDebianPackages(print) {
  const absent = NEEDED.filter((need) => !isPresent(need));
  const unpacked = absent.filter(
    ({ isUnpackedBeside }) => isUnpackedBeside !== undefined && existsSync(isUnpackedBeside),
  );
  for (const need of unpacked) unpack(need.package, print);
  const missing = absent.filter((need) => !unpacked.includes(need)).map((need) => need.package);
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

/** Needs no rights: the package is fetched and laid out in a folder of its own. */
function unpack(name, print) {
  if (!onPath('apt-get') || !onPath('dpkg-deb')) {
    print(`not unpacked, tests that need it are skipped: ${name}`);
    return;
  }
  print(`unpacking Debian package: ${name}`);
  mkdirSync(UNPACKED, { recursive: true });
  const run = (program, ...args) => spawnSync(program, args, { cwd: UNPACKED, stdio: 'ignore' });
  if (process.getuid?.() === 0) run('apt-get', '-q', 'update');
  run('apt-get', '-q', 'download', name);
  for (const file of readdirSync(UNPACKED).filter((entry) => entry.endsWith('.deb'))) {
    run('dpkg-deb', '--extract', file, '.');
    rmSync(join(UNPACKED, file));
  }
}

function isPresent(need) {
  return need.program === undefined ? existsSync(need.file) : onPath(need.program);
}

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...PROGRAM_FOLDERS];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// SPDX-License-Identifier: Apache-2.0
/** The programs this scene needs, beside the system itself. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CliError } from '../../error.ts';

/** The library of Debian's libfaketime: a process under it sees another time. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const FILES = ['/usr/sbin/flashrom', '/usr/bin/openocd', FAKETIME];
const PROGRAMS = ['chronyd', 'chronyc'];
const PACKAGES = 'flashrom openocd chrony libfaketime';

/** Throws `ERR_CLI_DEMO_EQUIPMENT` when a program is missing. */
export function requireEquipment(): void {
  if (FILES.every((path) => existsSync(path)) && PROGRAMS.every((name) => findProgram(name) !== undefined)) return;
  throw new CliError('ERR_CLI_DEMO_EQUIPMENT', `this scene needs these Debian packages: ${PACKAGES}`);
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The environment of a program that sees a time so many minutes from now; what it measures of durations stays right. */
export function clockMovedBy(minutes: number): Readonly<Record<string, string>> {
  return { LD_PRELOAD: FAKETIME, FAKETIME: `${minutes < 0 ? '' : '+'}${minutes}m`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

// SPDX-License-Identifier: Apache-2.0
/** Who can do what on the machine: accounts, groups, keys that log in, sudo, and what runs by itself. */
import { toLine } from '../manifest.ts';
import type { Machine } from '../machine.ts';
import { describeFile, walk } from './software.ts';

const SCHEDULES = [
  '/etc/crontab',
  '/etc/cron.d',
  '/etc/cron.hourly',
  '/etc/cron.daily',
  '/etc/cron.weekly',
  '/etc/cron.monthly',
  '/var/spool/cron',
  '/etc/systemd/system',
  '/etc/rc.local',
  '/etc/ld.so.preload',
];

/** Whether an account can log in with a password, never the password's hash. */
export function readAccounts(machine: Machine): string[] {
  const shadow = new Map(table(machine, '/etc/shadow').map(([name = '', hash = '']) => [name, passwordState(hash)]));
  const users = table(machine, '/etc/passwd');
  return [
    ...users.map(([name = '', , uid = '', gid = '', , home = '', shell = '']) =>
      toLine('user', name, uid, gid, home, shell, `password:${shadow.get(name) ?? 'unknown'}`),
    ),
    ...table(machine, '/etc/group').map(([name = '', , gid = '', members = '']) => toLine('group', name, gid, members)),
    ...users.flatMap(([, , , , , home = '']) => keyFiles(machine, home)),
  ];
}

export function readSudo(machine: Machine): string[] {
  return describeAll(machine, ['/etc/sudoers', '/etc/sudoers.d', '/etc/doas.conf', '/etc/polkit-1/rules.d']);
}

export function readSchedule(machine: Machine): string[] {
  return describeAll(machine, SCHEDULES);
}

export function describeAll(machine: Machine, paths: readonly string[]): string[] {
  return paths
    .filter((path) => machine.facts(path) !== null)
    .flatMap((path) => walk(machine, path))
    .flatMap((path) => describeFile(machine, path) ?? []);
}

function keyFiles(machine: Machine, home: string): string[] {
  if (!home.startsWith('/') || home === '/') return [];
  return describeAll(machine, [`${home}/.ssh/authorized_keys`, `${home}/.ssh/authorized_keys2`]);
}

function passwordState(hash: string): string {
  if (hash === '') return 'empty';
  return hash.startsWith('!') || hash.startsWith('*') ? 'locked' : 'set';
}

function table(machine: Machine, path: string): string[][] {
  return (machine.readText(path) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

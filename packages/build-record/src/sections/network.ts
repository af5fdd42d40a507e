// SPDX-License-Identifier: Apache-2.0
/** How the machine can be reached and what it reaches: listening ports, routes, mounts (proc(5)). */
import { toLine } from '../manifest.ts';
import type { Machine } from '../machine.ts';

/** State of a listening TCP socket and of an unconnected UDP one, in /proc/net. */
const LISTENING = { tcp: '0A', tcp6: '0A', udp: '07', udp6: '07' } as const;
const BYTES_PER_WORD = 4;
/** File systems that are made anew at each start and hold nothing of the disk. */
const KERNEL_FILE_SYSTEMS = new Set([
  'proc',
  'sysfs',
  'devpts',
  'cgroup',
  'cgroup2',
  'securityfs',
  'debugfs',
  'mqueue',
]);

export function readPorts(machine: Machine): string[] {
  return Object.entries(LISTENING).flatMap(([protocol, listening]) =>
    rows(machine, `/proc/net/${protocol}`).flatMap((fields) => {
      const [, local = '', , state, , , , uid = ''] = fields;
      const [address = '', port = ''] = local.split(':');
      if (state !== listening) return [];
      return [toLine(protocol, toAddress(address), String(parseInt(port, 16)), `uid:${uid}`)];
    }),
  );
}

export function readRoutes(machine: Machine): string[] {
  return rows(machine, '/proc/net/route').map(([device = '', destination = '', gateway = '', , , , , mask = '']) =>
    toLine(toAddress(destination), toAddress(mask), 'via', toAddress(gateway), device),
  );
}

/** Mount point, file system, source and whether it is read-only; options that programs set at will are left out. */
export function readMounts(machine: Machine): string[] {
  return (machine.readText('/proc/self/mountinfo') ?? '').split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', target = '', options = ''] = before.split(' ');
    const [type = '', source = ''] = after.split(' ');
    if (type === '' || KERNEL_FILE_SYSTEMS.has(type)) return [];
    const kept = options.split(',').filter((option) => ['ro', 'rw', 'nosuid', 'nodev', 'noexec'].includes(option));
    return [toLine(target, type, source, root, kept.join(','))];
  });
}

/** Fields of a table under its head. */
function rows(machine: Machine, path: string): string[][] {
  return (machine.readText(path) ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

/** Addresses stand there as words in the byte order of the machine, which is little endian wherever this runs. */
function toAddress(hexadecimal: string): string {
  const words = hexadecimal.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((pair) => parseInt(pair, 16)));
  if (bytes.length === BYTES_PER_WORD) return bytes.join('.');
  const groups: string[] = [];
  for (let index = 0; index < bytes.length; index += 2) {
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  }
  return groups.join(':');
}

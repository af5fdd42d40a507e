// SPDX-License-Identifier: Apache-2.0
/** The machines of the stations: each a root directory of its own, measured as the root of a real machine is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Stage } from '../stage.ts';
import { changeJson, SUPERVISOR, TICKET, type Station, type Workshop } from './workshop.ts';

const APPROVER = 'ben';

/** What is installed on a station, as far as a measurement looks at it. */
const FILES: Readonly<Record<string, string>> = {
  '/usr/sbin/flashrom': 'the programming tool\n',
  '/opt/witnessmark/main.mjs': 'the station program\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nline:x:1000:1000:line:/home/line:/bin/sh\n',
  '/etc/group': 'root:x:0:\ndialout:x:20:line\n',
  '/etc/shadow': 'root:!:20000:0:99999:7:::\nline:!:20000:0:99999:7:::\n',
  '/etc/sudoers': 'root ALL=(ALL:ALL) ALL\n',
  '/etc/machine-id': '0f2ad9c1b5e04f7f8f0b8a3a2b6f4c11\n',
};
const STATUS = '/var/lib/dpkg/status';
export const APPROVED_VERSION = '1.3.0-2';

/** Furnishes the machine of the station, and has what it is made of approved by two people; the line demands it. */
export async function approveBuild(stage: Stage, workshop: Workshop, station: Station): Promise<void> {
  const { id, data } = station;
  const root = workshop.path('machines', id);
  for (const [path, content] of Object.entries(FILES)) put(root, path, content);
  installPackage(workshop, station, APPROVED_VERSION);
  const record = recordOf(workshop, station);
  const measurement = { record, root, hashedPaths: ['/opt/witnessmark', '/usr/sbin/flashrom'] };
  changeJson(join(data, 'station.json'), (values) => ({ ...values, measurement }));
  const people = ['--key', workshop.key(`supervisor-${SUPERVISOR}`), '--approver', APPROVER];
  const why = ['--reason', 'as set up', '--ticket', TICKET];
  mkdirSync(dirname(record), { recursive: true });
  const proposal = ['station-build', 'propose', '--data', data, ...people, ...why, '--out', record, '--json'];
  const proposed = await stage.run(proposal);
  const { digest } = JSON.parse(proposed.stdout) as { readonly digest: string };
  const key = ['--key', workshop.key(`approver-${APPROVER}`), '--confirm', digest.slice(0, 4)];
  await stage.run(['station-build', 'approve', record, '--data', workshop.data, ...key]);
}

/** The directory with the approved record of a station, and the kit to build it again. */
export function recordOf(workshop: Workshop, { id }: Station): string {
  return workshop.path('builds', id);
}

/** Somebody changes the version of the programming tool on a station. */
export function installPackage(workshop: Workshop, { id }: Station, version: string): void {
  const entry = `Package: flashrom\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
  put(workshop.path('machines', id), STATUS, entry);
}

function put(root: string, path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

// SPDX-License-Identifier: Apache-2.0
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  findDrift,
  formatManifest,
  manifestDigest,
  measureStation,
  openMachine,
  parseManifest,
  type BuildManifest,
  type BuildPlan,
} from '@witnessmark/build-record';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createThrowAwayRoot, type ThrowAwayRoot } from './throw-away-root.ts';

const PLAN: BuildPlan = {
  agentDigest: 'ab'.repeat(32),
  hashedPackages: ['flashrom'],
  hashedPaths: ['/etc/witnessmark'],
  configuration: ['/etc/witnessmark/station.json'],
  programmers: [{ model: 'serprog', serial: 'P-7', firmware: '1.2' }],
  fixtures: ['bed of nails 3'],
};

let root: ThrowAwayRoot;
let approved: BuildManifest;

beforeEach(() => {
  root = createThrowAwayRoot();
  approved = measure();
});

afterEach(() => {
  root.dispose();
});

function measure(plan: Partial<BuildPlan> = {}): BuildManifest {
  return measureStation(openMachine(root.path), { ...PLAN, ...plan });
}

describe('measuring a station', () => {
  it('says what people would look for, line by line', () => {
    const line = (section: Parameters<BuildManifest['get']>[0]): readonly string[] => approved.get(section) ?? [];
    expect(line('packages')).toEqual([
      expect.stringMatching(/^chrony:amd64 4\.3-2 [0-9a-f]{64}$/),
      expect.stringMatching(/^flashrom:amd64 1\.3\.0-2 [0-9a-f]{64}$/),
    ]);
    expect(line('files')).toEqual([
      expect.stringMatching(/^\/etc\/witnessmark\/station\.json sha256:/),
      expect.stringMatching(/^\/usr\/sbin\/flash link:flashrom /),
      expect.stringMatching(/^\/usr\/sbin\/flashrom sha256:[0-9a-f]{64} \d+:\d+ 0644$/),
    ]);
    expect(line('accounts')).toContain('user line 1000 1000 /home/line /bin/sh password:set');
    expect(line('accounts')).toContain('user root 0 0 /root /bin/bash password:locked');
    expect(line('usb')).toEqual(['0403:6014 - FT9Z1 FT232H%20programmer']);
    expect(line('block')).toEqual(['sda INTEL%20SSDSC2 - 500118192 fixed']);
    expect(line('ports')).toEqual(['tcp 127.0.0.1 7300 uid:1000', 'udp6 0:0:0:0:0:0:0:1 323 uid:102']);
    expect(line('routes')).toEqual(['0.0.0.0 0.0.0.0 via 10.0.0.1 eth0']);
    expect(line('mounts')).toEqual(['/ ext4 /dev/sda1 / rw', '/media/stick vfat /dev/sdb1 / ro,nosuid,nodev,noexec']);
    expect(line('hardware')).toEqual([
      'mac 52:54:00:12:34:56',
      'machine-id 0f2ad9c1b5e04f7f8f0b8a3a2b6f4c11',
      'product_uuid 4c4c4544-0042-3510-8051-b2c04f4d4e32',
    ]);
  });

  it('is the same when nothing changed, and reads back from its own text', () => {
    expect(manifestDigest(measure())).toBe(manifestDigest(approved));
    expect(parseManifest(formatManifest(approved))).toEqual(approved);
    expect(findDrift(approved, measure())).toEqual([]);
  });

  it('I16: holds no password hash', () => {
    expect(new TextDecoder().decode(formatManifest(approved))).not.toContain('notaset');
  });

  it.each<[string, string, (changed: ThrowAwayRoot) => void]>([
    ['a byte of the programmer', 'files', ({ write }) => write('/usr/sbin/flashrom', 'the pr0grammer')],
    ['its mode', 'files', ({ path }) => chmodSync(join(path, '/usr/sbin/flashrom'), 0o4755)],
    ['a file that is gone', 'files', ({ remove }) => remove('/usr/sbin/flashrom')],
    ['a new file among hashed ones', 'files', ({ write }) => write('/etc/witnessmark/extra', 'x')],
    ["a package's list of digests", 'packages', ({ write }) => write('/var/lib/dpkg/info/flashrom.md5sums', 'x')],
    [
      'a package more',
      'packages',
      ({ write }) =>
        write('/var/lib/dpkg/status', 'Package: nmap\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7\n'),
    ],
    ['the configuration', 'configuration', ({ write }) => write('/etc/witnessmark/station.json', '{}')],
    [
      'an account',
      'accounts',
      ({ write }) => write('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nbob:x:0:0::/:/bin/sh\n'),
    ],
    ['a password that was locked', 'accounts', ({ write }) => write('/etc/shadow', 'root:$6$x:1::::::\n')],
    ['a key that logs in', 'accounts', ({ write }) => write('/home/line/.ssh/authorized_keys', 'ssh-rsa evil')],
    ['a sudo rule', 'sudo', ({ write }) => write('/etc/sudoers.d/line', 'line ALL=NOPASSWD: ALL')],
    ['a job that runs at night', 'schedule', ({ write }) => write('/etc/cron.d/clean', '* * * * * root rm -rf /')],
    ['a preloaded library', 'schedule', ({ write }) => write('/etc/ld.so.preload', '/tmp/x.so')],
    [
      'a stick',
      'usb',
      ({ write }) => {
        write('/sys/bus/usb/devices/1-2/idVendor', '0951');
        write('/sys/bus/usb/devices/1-2/idProduct', '1666');
      },
    ],
    ['a disk', 'block', ({ write }) => write('/sys/block/sdb/size', '1')],
    [
      'a port that listens to everybody',
      'ports',
      ({ write }) => write('/proc/net/tcp', 'head\n 0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0\n'),
    ],
    [
      'a route',
      'routes',
      ({ write }) => write('/proc/net/route', 'head\nwwan0\t00000000\t0100000A\t3\t0\t0\t0\t00000000\n'),
    ],
    ['a mount', 'mounts', ({ write }) => write('/proc/self/mountinfo', '27 1 8:1 / / rw - ext4 /dev/sda1 rw\n')],
    ['another machine', 'hardware', ({ write }) => write('/etc/machine-id', 'other\n')],
    ['a kernel', 'kernel', ({ write }) => write('/proc/sys/kernel/osrelease', '6.1.0-41\n')],
    ['a kernel module', 'kernel', ({ write }) => write('/proc/modules', 'usb_storage 1 0 - Live 0x0\n')],
  ])('A21: shows %s', (_, section, change) => {
    change(root);
    expect(findDrift(approved, measure()).map((drift) => drift.section)).toContain(section);
  });

  it.each<[string, Partial<BuildPlan>, string]>([
    ['the agent', { agentDigest: 'cd'.repeat(32) }, 'agent'],
    ['a programmer', { programmers: [{ model: 'serprog', serial: 'P-8', firmware: '1.2' }] }, 'programmers'],
    ['a fixture', { fixtures: ['bed of nails 4'] }, 'fixtures'],
  ])('A21: shows another %s', (_, plan, section) => {
    expect(findDrift(approved, measure(plan)).map((drift) => drift.section)).toEqual([section]);
  });

  it('does not follow a link out of a hashed folder', () => {
    symlinkSync('/etc', join(root.path, '/etc/witnessmark/away'));
    expect(measure().get('files')).toContainEqual(expect.stringMatching(/^\/etc\/witnessmark\/away link:\/etc /));
  });

  it('what cannot be read is an error, not an empty list', () => {
    root.remove('/etc/shadow');
    root.write('/etc/shadow/file', '');
    expect(() => measure()).toThrow(expect.objectContaining({ code: 'ERR_BUILD_RECORD_UNREADABLE' }));
  });
});

// SPDX-License-Identifier: Apache-2.0
/** A small Debian machine in a temporary folder: what measuring reads, and nothing else. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const FILES: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0-40-amd64\n',
  '/proc/cmdline': 'root=/dev/sda1 ro quiet\n',
  '/proc/modules': 'cdc_acm 40960 0 - Live 0x0000000000000000\nxhci_pci 24576 0 - Live 0x0\n',
  '/proc/net/tcp': [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid',
    '   0: 0100007F:1C84 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000',
    '   1: 0100007F:1C85 0100007F:1C84 01 00000000:00000000 00:00000000 00000000  1000',
    '',
  ].join('\n'),
  '/proc/net/udp6': [
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid',
    '   0: 00000000000000000000000001000000:0143 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   102',
    '',
  ].join('\n'),
  '/proc/net/route': [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    '',
  ].join('\n'),
  '/proc/self/mountinfo': [
    '22 27 0:21 / /proc rw,relatime - proc proc rw',
    '27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
    '40 27 8:17 / /media/stick ro,nosuid,nodev,noexec,relatime - vfat /dev/sdb1 ro',
    '',
  ].join('\n'),
  '/var/lib/dpkg/status': [
    'Package: flashrom\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.3.0-2',
    'Package: chrony\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 4.3-2',
    'Package: telnet\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 0.17',
    '',
  ].join('\n\n'),
  '/var/lib/dpkg/info/flashrom.md5sums': 'd41d8cd98f00b204e9800998ecf8427e  usr/sbin/flashrom\n',
  '/var/lib/dpkg/info/flashrom.list': '/.\n/usr\n/usr/sbin\n/usr/sbin/flashrom\n/usr/sbin/flash\n',
  '/var/lib/dpkg/info/chrony:amd64.md5sums': 'e2fc714c4727ee9395f324cd2e7f331f  usr/sbin/chronyd\n',
  '/usr/sbin/flashrom': 'the programmer',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nline:x:1000:1000:Line,,,:/home/line:/bin/sh\n',
  '/etc/group': 'root:x:0:\ndialout:x:20:line\n',
  '/etc/shadow': 'root:!:20000:0:99999:7:::\nline:$y$j9T$notaset:20000:0:99999:7:::\n',
  '/home/line/.ssh/authorized_keys': 'ssh-ed25519 AAAA service@bench\n',
  '/etc/sudoers': 'root ALL=(ALL:ALL) ALL\n',
  '/etc/cron.d/backup': '0 3 * * * root /usr/local/bin/backup\n',
  '/etc/machine-id': '0f2ad9c1b5e04f7f8f0b8a3a2b6f4c11\n',
  '/etc/witnessmark/station.json': '{"station":"ST-1"}\n',
  '/sys/bus/usb/devices/1-1/idVendor': '0403\n',
  '/sys/bus/usb/devices/1-1/idProduct': '6014\n',
  '/sys/bus/usb/devices/1-1/serial': 'FT9Z1\n',
  '/sys/bus/usb/devices/1-1/product': 'FT232H programmer\n',
  '/sys/bus/usb/devices/1-1:1.0/bInterfaceClass': 'ff\n',
  '/sys/block/sda/size': '500118192\n',
  '/sys/block/sda/removable': '0\n',
  '/sys/block/sda/device/model': 'INTEL SSDSC2\n',
  '/sys/block/loop0/size': '0\n',
  '/sys/class/dmi/id/product_uuid': '4c4c4544-0042-3510-8051-b2c04f4d4e32\n',
  '/sys/class/net/eth0/address': '52:54:00:12:34:56\n',
  '/sys/class/net/eth0/device/vendor': '0x8086\n',
  '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
};

export interface ThrowAwayRoot {
  readonly path: string;
  write(path: string, content: string): void;
  remove(path: string): void;
  dispose(): void;
}

export function createThrowAwayRoot(): ThrowAwayRoot {
  const root = mkdtempSync(join(tmpdir(), 'witnessmark-root-'));
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o644 });
  };
  for (const [path, content] of Object.entries(FILES)) write(path, content);
  symlinkSync('flashrom', join(root, '/usr/sbin/flash'));
  return {
    path: root,
    write,
    remove: (path) => {
      rmSync(join(root, path), { recursive: true });
    },
    dispose: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

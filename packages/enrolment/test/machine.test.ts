// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  compareFingerprints,
  describeChanges,
  PART_UNREADABLE,
  readMachineFingerprint,
  toMachineFingerprint,
} from '@witnessmark/enrolment';

const SALT = new Uint8Array(32).fill(7);
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'witnessmark-machine-'));
  put('sys/class/dmi/id/sys_vendor', 'Maker\n');
  put('sys/class/dmi/id/product_uuid', '11111111-2222-3333-4444-555555555555\n');
  put('sys/class/dmi/id/product_serial', 'To be filled by O.E.M.\n');
  put('sys/class/dmi/id/board_serial', 'B-0042\n');
  put('proc/cpuinfo', 'processor\t: 0\nmodel name\t: Fast\nflags\t: a b\ncpu MHz\t: 1\n\nprocessor\t: 1\n');
  disk('sda', 'naa.5000c500a1b2c3d4');
  card('eth0', '02:00:00:00:00:01');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function disk(name: string, wwid: string, removable = '0'): void {
  put(`sys/block/${name}/wwid`, wwid);
  put(`sys/block/${name}/removable`, removable);
}

function card(name: string, address: string, assigned = '0'): void {
  put(`sys/class/net/${name}/address`, `${address}\n`);
  put(`sys/class/net/${name}/addr_assign_type`, assigned);
  put(`sys/class/net/${name}/device/vendor`, '0x8086');
}

async function changesAfter(change: () => void): Promise<string> {
  const before = await readMachineFingerprint(root, { salt: SALT });
  change();
  return describeChanges(compareFingerprints(before, await readMachineFingerprint(root, { salt: SALT })));
}

describe('the fingerprint of a machine', () => {
  it('is the same for the same machine, and holds none of its serials', async () => {
    const one = await readMachineFingerprint(root, { salt: SALT });
    const other = await readMachineFingerprint(root, { salt: SALT });
    expect(other).toEqual(one);
    expect(one.parts).toMatchObject({ tpm: 'absent', cpu: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(JSON.stringify(one)).not.toMatch(/B-0042|02:00:00|5000c500|11111111/i);
  });

  it('is another one for every salt', async () => {
    const one = await readMachineFingerprint(root, { salt: SALT });
    const other = await readMachineFingerprint(root, { salt: new Uint8Array(32).fill(8) });
    expect(other.parts.network).not.toBe(one.parts.network);
  });

  it.each<[string, string, () => void]>([
    [
      'another board',
      'board changed',
      () => {
        put('sys/class/dmi/id/board_serial', 'B-0043');
      },
    ],
    [
      'another system',
      'system changed',
      () => {
        put('sys/class/dmi/id/product_uuid', '99999999-2222-3333-4444-555555555555');
      },
    ],
    [
      'another processor',
      'cpu changed',
      () => {
        put('proc/cpuinfo', 'model name\t: Faster\n');
      },
    ],
    [
      'a second disk',
      'disks changed',
      () => {
        disk('sdb', 'naa.1');
      },
    ],
    [
      'no disk',
      'disks missing',
      () => {
        rmSync(join(root, 'sys/block'), { recursive: true });
      },
    ],
    [
      'another card',
      'network changed',
      () => {
        card('eth0', '02:00:00:00:00:02');
      },
    ],
    [
      'disk and card',
      'disks changed, network changed',
      () => {
        disk('sda', 'naa.2');
        card('eth0', '02:00:00:00:00:03');
      },
    ],
  ])('names %s', async (_what, named, change) => {
    expect(await changesAfter(change)).toBe(named);
  });

  it.each<[string, () => void]>([
    [
      'a stick',
      () => {
        disk('sdb', 'stick', '1');
      },
    ],
    [
      'a disk on USB',
      () => {
        put('sys/devices/pci0/usb1/block/sdc/wwid', 'usb-disk');
        symlinkSync('../devices/pci0/usb1/block/sdc', join(root, 'sys/block/sdc'));
      },
    ],
    [
      'a loop device',
      () => {
        disk('loop0', 'x');
      },
    ],
    [
      'a card whose address was chosen',
      () => {
        card('veth0', '02:aa:aa:aa:aa:aa', '1');
      },
    ],
    [
      'another clock frequency',
      () => {
        put('proc/cpuinfo', 'processor\t: 0\nmodel name\t: Fast\nflags\t: a b c\ncpu MHz\t: 2\n\nprocessor\t: 1\n');
      },
    ],
    [
      'a placeholder of the maker',
      () => {
        put('sys/class/dmi/id/product_serial', 'Default string');
      },
    ],
  ])('does not change with %s', async (_what, change) => {
    expect(await changesAfter(change)).toBe('');
  });

  it('has the endorsement key of the TPM as a part', async () => {
    const before = await readMachineFingerprint(root, { salt: SALT, endorsementKey: new Uint8Array([1]) });
    const swapped = await readMachineFingerprint(root, { salt: SALT, endorsementKey: new Uint8Array([2]) });
    const without = await readMachineFingerprint(root, { salt: SALT });
    expect(describeChanges(compareFingerprints(before, swapped))).toBe('tpm changed');
    expect(describeChanges(compareFingerprints(before, without))).toBe('tpm missing');
    expect(describeChanges(compareFingerprints(without, before))).toBe('tpm new');
  });

  it('tells a part nobody may read from one that is not there', async () => {
    const { parts } = await readMachineFingerprint(root, { salt: SALT });
    const unreadable = toMachineFingerprint({ ...parts, system: PART_UNREADABLE });
    expect(describeChanges(compareFingerprints({ parts }, unreadable))).toBe('system unreadable');
    expect(compareFingerprints(unreadable, unreadable)).toEqual([]);
  });

  it('reads at most 256 devices, and says that it cannot read more', async () => {
    const names = (count: number): void => {
      for (let at = 0; at < count; at += 1) mkdirSync(join(root, `sys/block/x${at}`), { recursive: true });
    };
    names(255);
    await expect(readMachineFingerprint(root)).resolves.toBeDefined();
    mkdirSync(join(root, 'sys/block/one-more'));
    await expect(readMachineFingerprint(root)).rejects.toMatchObject({ code: 'ERR_ENROLMENT_MACHINE' });
  });

  it('reads this machine', async () => {
    const { parts } = await readMachineFingerprint();
    expect(parts.cpu).toMatch(/^[0-9a-f]{64}$/);
  });
});

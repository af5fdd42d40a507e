// SPDX-License-Identifier: Apache-2.0
/**
 * Reads what makes a machine itself: firmware's names for it, board, processor, fixed disks, network cards and the TPM's
 * endorsement key. Values leave this file only as keyed digests. Everything read is another's text: bounded, never a path.
 */
import { createHmac } from 'node:crypto';
import { open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex, type Bytes } from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';
import {
  PART_ABSENT,
  PART_UNREADABLE,
  toMachineFingerprint,
  type MachineFingerprint,
  type PartState,
} from './fingerprint.ts';

const LIMITS = { maxValueBytes: 4_096, maxCpuInfoBytes: 64 * 1024, maxDevices: 256 };

const DMI = 'sys/class/dmi/id';
const SYSTEM_FIELDS = ['sys_vendor', 'product_name', 'product_uuid', 'product_serial'];
const BOARD_FIELDS = ['board_vendor', 'board_name', 'board_serial'];
/** What tells one model of processor from another, on x86 and on ARM; flags and clocks change with the kernel. */
const CPU_FIELDS = [
  'vendor_id',
  'cpu family',
  'model',
  'model name',
  'stepping',
  'CPU implementer',
  'CPU part',
  'CPU revision',
];
const BLOCK = 'sys/block';
/** Made by the kernel, or removable by kind: not part of the machine. */
const NOT_A_DISK = /^(?:loop|ram|zram|dm-|md|nbd|sr|fd|mtdblock)\d*/;
const DISK_FIELDS = ['wwid', 'device/wwid', 'device/serial', 'serial', 'device/model', 'device/vpd_pg80'];
const NETWORK = 'sys/class/net';
/** Linux: NET_ADDR_PERM, the address the card was made with. */
const PERMANENT_ADDRESS = '0';
const PLACEHOLDERS =
  /^(?:|0|none|n\/a|not specified|not available|to be filled by o\.e\.m\.|default string|system serial number)$/i;

export interface FingerprintOptions {
  /** Kept by the station: without it, nobody finds a serial by trying all. The same one makes fingerprints comparable. */
  readonly salt?: Bytes;
  /** The TPM's endorsement key, SubjectPublicKeyInfo in DER; null or absent without a TPM. */
  readonly endorsementKey?: Bytes | null;
}

/** The machine whose file system is at `root`. Throws `ERR_ENROLMENT_MACHINE` for what is there and cannot be read. */
export async function readMachineFingerprint(
  root = '/',
  { salt = new Uint8Array(0), endorsementKey = null }: FingerprintOptions = {},
): Promise<MachineFingerprint> {
  const digest = (part: string, facts: readonly string[] | typeof PART_UNREADABLE): PartState => {
    if (facts === PART_UNREADABLE) return PART_UNREADABLE;
    if (facts.length === 0) return PART_ABSENT;
    return createHmac('sha256', salt)
      .update(JSON.stringify([part, ...facts]))
      .digest('hex');
  };
  const [system, board, cpu, disks, network] = await Promise.all([
    readFields(join(root, DMI), SYSTEM_FIELDS),
    readFields(join(root, DMI), BOARD_FIELDS),
    readProcessor(root),
    readDisks(root),
    readNetworkCards(root),
  ]);
  return toMachineFingerprint({
    system: digest('system', system),
    board: digest('board', board),
    cpu: digest('cpu', cpu),
    disks: digest('disks', disks),
    network: digest('network', network),
    tpm: digest('tpm', endorsementKey === null ? [] : [sha256Hex(endorsementKey)]),
  });
}

/** Firmware's values, each with its name; one this user may not read makes the part unreadable, not smaller. */
async function readFields(
  folder: string,
  fields: readonly string[],
): Promise<readonly string[] | typeof PART_UNREADABLE> {
  const facts: string[] = [];
  for (const field of fields) {
    const value = await readValue(join(folder, field));
    if (value === PART_UNREADABLE_VALUE) return PART_UNREADABLE;
    if (value !== null && !PLACEHOLDERS.test(value)) facts.push(`${field}=${value}`);
  }
  return facts;
}

/** The first processor stands for all: their number is the firmware's setting. */
async function readProcessor(root: string): Promise<readonly string[]> {
  const text = await readValue(join(root, 'proc/cpuinfo'), LIMITS.maxCpuInfoBytes);
  if (text === null || text === PART_UNREADABLE_VALUE) return [];
  const [first = ''] = text.split('\n\n');
  return first.split('\n').flatMap((line) => {
    const at = line.indexOf(':');
    const name = line.slice(0, Math.max(at, 0)).trim();
    return CPU_FIELDS.includes(name) ? [`${name}=${line.slice(at + 1).trim()}`] : [];
  });
}

/** Fixed disks by what they call themselves; one on USB comes and goes. */
async function readDisks(root: string): Promise<readonly string[]> {
  const disks: string[] = [];
  for (const name of await list(join(root, BLOCK))) {
    if (NOT_A_DISK.test(name)) continue;
    const folder = join(root, BLOCK, name);
    if ((await readValue(join(folder, 'removable'))) === '1' || (await isOnUsb(folder))) continue;
    const facts: string[] = [];
    for (const field of DISK_FIELDS) {
      const value = await readValue(join(folder, field));
      if (value !== null && value !== PART_UNREADABLE_VALUE && !PLACEHOLDERS.test(value)) facts.push(value);
    }
    if (facts.length > 0) disks.push(facts.join('|'));
  }
  return disks.sort();
}

/** Addresses of cards that are hardware and carry the address they were made with. */
async function readNetworkCards(root: string): Promise<readonly string[]> {
  const cards: string[] = [];
  for (const name of await list(join(root, NETWORK))) {
    const folder = join(root, NETWORK, name);
    const isHardware = (await list(join(folder, 'device'))).length > 0;
    if (!isHardware || (await isOnUsb(folder))) continue;
    if ((await readValue(join(folder, 'addr_assign_type'))) !== PERMANENT_ADDRESS) continue;
    const address = await readValue(join(folder, 'address'));
    if (typeof address === 'string') cards.push(address.toLowerCase());
  }
  return cards.sort();
}

/** The kernel links a device's class entry to its place on the bus. */
async function isOnUsb(path: string): Promise<boolean> {
  const targets = await Promise.all([path, join(path, 'device')].map((link) => readlink(link).catch(() => '')));
  return targets.some((target) => /\/usb\d/.test(target));
}

const PART_UNREADABLE_VALUE = Symbol('unreadable');

/** Trimmed; null when there is none, and a symbol when this user may not read it. */
async function readValue(
  path: string,
  maxBytes = LIMITS.maxValueBytes,
): Promise<string | null | typeof PART_UNREADABLE_VALUE> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(maxBytes);
      // Files of the kernel have no size; what is beyond the limit is not looked at.
      const { bytesRead } = await file.read(buffer, 0, maxBytes, 0);
      return buffer.toString('latin1', 0, bytesRead).trim();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isErrno(cause, ['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'EISDIR', 'EINVAL'])) return null;
    if (isErrno(cause, ['EACCES', 'EPERM'])) return PART_UNREADABLE_VALUE;
    throw unreadable(path, cause);
  }
}

async function list(path: string): Promise<readonly string[]> {
  try {
    const names = await readdir(path);
    if (names.length > LIMITS.maxDevices) throw unreadable(path, new Error(`${names.length} entries`));
    return names.sort();
  } catch (cause) {
    if (isErrno(cause, ['ENOENT', 'ENOTDIR'])) return [];
    throw cause instanceof EnrolmentError ? cause : unreadable(path, cause);
  }
}

function isErrno(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function unreadable(path: string, cause: unknown): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_MACHINE', `${path} cannot be read`, { cause });
}

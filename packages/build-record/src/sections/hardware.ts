// SPDX-License-Identifier: Apache-2.0
/** What is plugged in: USB and block devices, and what makes this machine itself. */
import { toLine } from '../manifest.ts';
import type { Machine } from '../machine.ts';

const USB = '/sys/bus/usb/devices';
const BLOCK = '/sys/block';
const DMI = '/sys/class/dmi/id';
const DMI_FIELDS = ['sys_vendor', 'product_name', 'product_serial', 'product_uuid', 'board_serial', 'bios_version'];
const NETWORK = '/sys/class/net';
/** Made by the kernel, not plugged in. */
const VIRTUAL_BLOCK = /^(?:loop|ram|zram|dm-|md|nbd)[0-9]*$/;

/** Devices with their ids; the port a device sits in is not part of it. */
export function readUsb(machine: Machine): string[] {
  return machine.list(USB).flatMap((name) => {
    const read = (file: string): string => machine.readText(`${USB}/${name}/${file}`)?.trim() ?? '';
    // Interfaces (1-1:1.0) carry no ids of their own.
    if (read('idVendor') === '') return [];
    return [toLine(`${read('idVendor')}:${read('idProduct')}`, read('bcdDevice'), read('serial'), read('product'))];
  });
}

export function readBlock(machine: Machine): string[] {
  return machine
    .list(BLOCK)
    .filter((name) => !VIRTUAL_BLOCK.test(name))
    .map((name) => {
      const read = (file: string): string => machine.readText(`${BLOCK}/${name}/${file}`)?.trim() ?? '';
      const removable = read('removable') === '1' ? 'removable' : 'fixed';
      return toLine(name, read('device/model'), read('device/serial') || read('serial'), read('size'), removable);
    });
}

/** Firmware's names of the machine, its machine id and its network cards: together the fingerprint of the hardware. */
export function readHardware(machine: Machine): string[] {
  const cards = machine.list(NETWORK).flatMap((name) => {
    // Cards that are hardware have a device behind them.
    if (machine.facts(`${NETWORK}/${name}/device`) === null) return [];
    return [toLine('mac', machine.readText(`${NETWORK}/${name}/address`)?.trim() ?? '')];
  });
  const firmware = DMI_FIELDS.flatMap((field) => {
    const value = machine.readText(`${DMI}/${field}`)?.trim();
    return value === undefined || value === '' ? [] : [toLine(field, value)];
  });
  const machineId = machine.readText('/etc/machine-id')?.trim();
  return [...firmware, ...(machineId === undefined ? [] : [toLine('machine-id', machineId)]), ...cards];
}

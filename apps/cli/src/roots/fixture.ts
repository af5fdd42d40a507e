// SPDX-License-Identifier: Apache-2.0
/** The fixture a station works with, chosen by `--device`: a simulated bay, or a programmer behind flashrom or OpenOCD. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeHex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import {
  ChipFile,
  DEVICE_PROFILES,
  DeviceBay,
  findDeviceProfile,
  findMcuProfile,
  FlashromDriver,
  MCU_PROFILES,
  OpenocdDriver,
  SimulatedDriver,
  STM32F103C8_BOARD,
  W25Q80_BOARD,
  type DeviceDriver,
  type DeviceProfile,
  type McuProfile,
} from '@witnessmark/device';
import { usageError } from '../error.ts';
import { DEVICE_FORMS } from './device-forms.ts';

export interface Fixture {
  readonly driver: DeviceDriver;
  /** A person puts the next board in; for simulated boards this program does it. */
  insert(label: string): void;
}

type Selection =
  | {
      readonly kind: 'simulated';
      readonly path: string;
      readonly uniqueId: Bytes | null;
      readonly profile: DeviceProfile;
    }
  | { readonly kind: 'flashrom'; readonly host: string; readonly port: number; readonly profile: DeviceProfile }
  | { readonly kind: 'openocd'; readonly host: string; readonly port: number; readonly profile: McuProfile };

/** Throws `ERR_CLI_USAGE` for a form that is not known, and what the driver throws when nothing answers. */
export async function openFixture(text: string): Promise<Fixture> {
  const selection = parseSelection(text);
  if (selection.kind === 'simulated') return openSimulated(selection);
  return { driver: await openProgrammer(selection), insert: () => undefined };
}

function openProgrammer(selection: Exclude<Selection, { readonly kind: 'simulated' }>): Promise<DeviceDriver> {
  const { host, port } = selection;
  const address = { host, port };
  return selection.kind === 'openocd'
    ? OpenocdDriver.open({ profile: selection.profile, address })
    : FlashromDriver.open({ profile: selection.profile, address });
}

/** A bay whose boards are chip files: what happens to a board stays in its file. */
export class SimulatedBay {
  readonly driver: DeviceDriver;
  readonly #bay = new DeviceBay(null);
  #board: ChipFile | null = null;

  constructor(profile: DeviceProfile) {
    this.driver = new SimulatedDriver({ profile, bay: this.#bay, persist: () => this.#board?.save() });
  }

  insert(board: ChipFile): void {
    this.#bay.insert(null);
    this.#board = board;
    this.#bay.insert(board.chip);
  }
}

/** One chip file, or a folder in which each board's file is named after its label. */
function openSimulated({ path, uniqueId, profile }: Selection & { readonly kind: 'simulated' }): Fixture {
  const bay = new SimulatedBay(profile);
  return {
    driver: bay.driver,
    insert: (label) => {
      const isFolder = existsSync(path) && statSync(path).isDirectory();
      // A label is text from outside: only its plain characters may become a file name.
      const file = isFolder ? join(path, `${label.replaceAll(/[^A-Za-z0-9-]/g, '_')}.chip`) : path;
      bay.insert(ChipFile.open(file, { profile, ...(uniqueId === null || isFolder ? {} : { uniqueId }) }));
    },
  };
}

function parseSelection(text: string): Selection {
  const [place = '', ...pairs] = text.split(',');
  const settings = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string | undefined]));
  const take = (name: string): string | undefined => {
    const value = settings.get(name);
    settings.delete(name);
    return value;
  };
  const profileId = take('profile');
  const chip = take('chip');
  const uid = take('uid');
  const [kind, rest = ''] = splitOnce(place, ':');
  const unknown = [...settings.keys()][0];
  if (unknown !== undefined) throw usageError(`--device: "${unknown}" is not a setting of ${kind}`);
  const address = parseAddress(rest);
  if (kind === 'openocd' && address !== null && uid === undefined && chip === undefined) {
    return { kind, ...address, profile: chooseMcuProfile(profileId) };
  }
  const profile = chooseProfile(profileId, chip);
  if (kind === 'simulated' && rest !== '') {
    return { kind, path: rest, uniqueId: uid === undefined ? null : parseUniqueId(uid, profile), profile };
  }
  if (kind === 'flashrom' && address !== null && uid === undefined) return { kind, ...address, profile };
  throw usageError(`--device must be ${DEVICE_FORMS}`);
}

function parseAddress(text: string): { readonly host: string; readonly port: number } | null {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) };
}

function chooseMcuProfile(id: string | undefined): McuProfile {
  const profile = findMcuProfile(id ?? STM32F103C8_BOARD.id);
  if (profile !== undefined) return profile;
  throw usageError(`--device: known microcontrollers are ${MCU_PROFILES.map((candidate) => candidate.id).join(', ')}`);
}

/** By its id, or by the name that flashrom has for its chip. */
function chooseProfile(id: string | undefined, chip: string | undefined): DeviceProfile {
  const profile =
    chip === undefined
      ? findDeviceProfile(id ?? W25Q80_BOARD.id)
      : DEVICE_PROFILES.find((candidate) => candidate.flashromChip === chip && (id ?? candidate.id) === candidate.id);
  if (profile !== undefined) return profile;
  const known = DEVICE_PROFILES.map((candidate) => `${candidate.id} (${candidate.flashromChip})`).join(', ');
  throw usageError(`--device: known boards and their chips are ${known}`);
}

function parseUniqueId(text: string, profile: DeviceProfile): Bytes {
  try {
    const bytes = decodeHex(text.toLowerCase());
    if (bytes.length === profile.hardwareIdBytes) return bytes;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
  }
  throw usageError(`--device: uid has ${profile.hardwareIdBytes} bytes in hexadecimal`);
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

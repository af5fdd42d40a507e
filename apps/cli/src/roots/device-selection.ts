// SPDX-License-Identifier: Apache-2.0
/** Reading `--device` and `--profile`: which driver, where, and which board. */
import { decodeHex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import {
  ATMEGA328P_BOARD,
  AVR_PROFILES,
  DEVICE_PROFILES,
  MCU_PROFILES,
  parseProfile,
  STM32F103C8_BOARD,
  W25Q80_BOARD,
  type AnyProfile,
  type AvrdudeAddress,
  type AvrProfile,
  type DeviceProfile,
  type McuProfile,
  type NetworkAddress,
} from '@witnessmark/device';
import { usageError } from '../error.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { DEVICE_FORMS } from './device-forms.ts';

export type Selection =
  | {
      readonly kind: 'simulated';
      readonly path: string;
      readonly uniqueId: Bytes | null;
      readonly profile: DeviceProfile;
    }
  | { readonly kind: 'flashrom'; readonly address: NetworkAddress; readonly profile: DeviceProfile }
  | { readonly kind: 'openocd'; readonly address: NetworkAddress; readonly profile: McuProfile }
  | { readonly kind: 'avrdude'; readonly address: AvrdudeAddress; readonly profile: AvrProfile };

/** What follows the place, as `name=value`. */
const SETTINGS: Readonly<Record<Selection['kind'], readonly string[]>> = {
  simulated: ['uid', 'profile'],
  flashrom: ['chip', 'profile'],
  openocd: ['profile'],
  avrdude: ['profile'],
};

/** Where the board is described: a file, or the name of a profile that comes with this program. */
interface BoardChoice {
  readonly file: string | undefined;
  readonly id: string | undefined;
}

/** Throws `ERR_CLI_USAGE` for a form that is not known, `ERR_DEVICE_PROFILE` for a file that holds no profile. */
export function parseSelection(text: string, profileFile: string | undefined): Selection {
  const [place = '', ...pairs] = text.split(',');
  const [kind, rest = ''] = splitOnce(place, ':');
  if (!isDriverKind(kind)) throw usageError(`--device must be ${DEVICE_FORMS}`);
  const settings = readSettings(kind, pairs);
  const choice: BoardChoice = { file: profileFile, id: settings.get('profile') };
  if (choice.file !== undefined && (choice.id !== undefined || settings.has('chip'))) {
    throw usageError('--profile names the board; "profile=" and "chip=" in --device would name another one');
  }
  switch (kind) {
    case 'simulated': {
      if (rest === '') throw usageError(`--device must be ${DEVICE_FORMS}`);
      const profile = chooseProfile(choice, 'spi-nor', DEVICE_PROFILES, W25Q80_BOARD);
      const uid = settings.get('uid');
      return { kind, path: rest, uniqueId: uid === undefined ? null : parseUniqueId(uid, profile), profile };
    }
    case 'flashrom':
      return { kind, address: parseAddress(rest), profile: chooseFlash(choice, settings.get('chip')) };
    case 'openocd':
      return {
        kind,
        address: parseAddress(rest),
        profile: chooseProfile(choice, 'stm32f1', MCU_PROFILES, STM32F103C8_BOARD),
      };
    case 'avrdude': {
      const address = rest.startsWith('/') ? { path: rest } : parseAddress(rest);
      return { kind, address, profile: chooseProfile(choice, 'avr', AVR_PROFILES, ATMEGA328P_BOARD) };
    }
  }
}

function isDriverKind(text: string): text is Selection['kind'] {
  return Object.hasOwn(SETTINGS, text);
}

function readSettings(kind: Selection['kind'], pairs: readonly string[]): ReadonlyMap<string, string | undefined> {
  const settings = new Map(pairs.map((pair) => splitOnce(pair, '=')));
  const unknown = [...settings.keys()].find((name) => !SETTINGS[kind].includes(name));
  if (unknown !== undefined) throw usageError(`--device: "${unknown}" is not a setting of ${kind}`);
  return settings;
}

function parseAddress(text: string): NetworkAddress {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) throw usageError(`--device must be ${DEVICE_FORMS}`);
  return { host, port: Number(port) };
}

function chooseProfile<Profile extends AnyProfile>(
  { file, id }: BoardChoice,
  kind: Profile['kind'],
  known: readonly Profile[],
  fallback: Profile,
): Profile {
  const profile =
    file === undefined
      ? known.find((one) => one.id === (id ?? fallback.id))
      : parseProfile(readFile(file, DOCUMENT_BYTES));
  if (profile === undefined) {
    throw usageError(`--device: known boards of this kind are ${known.map((one) => one.id).join(', ')}`);
  }
  if (profile.kind !== kind)
    throw usageError(`--profile: "${profile.id}" is for ${profile.kind}, --device for ${kind}`);
  return profile as Profile;
}

/** By the profile, or by the name that flashrom has for its chip. */
function chooseFlash(choice: BoardChoice, chip: string | undefined): DeviceProfile {
  if (chip === undefined) return chooseProfile(choice, 'spi-nor', DEVICE_PROFILES, W25Q80_BOARD);
  const profile = DEVICE_PROFILES.find((one) => one.flashromChip === chip && (choice.id ?? one.id) === one.id);
  if (profile !== undefined) return profile;
  const known = DEVICE_PROFILES.map((one) => `${one.id} (${one.flashromChip})`).join(', ');
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

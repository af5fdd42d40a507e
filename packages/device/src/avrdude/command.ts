// SPDX-License-Identifier: Apache-2.0
/** Command lines and file names for avrdude 7, built from checked values only. */
import { expectNetworkAddress, type NetworkAddress } from '../network-address.ts';
import type { AvrProfile } from '../profile.ts';

/** A serial port of this machine, or a serial line behind a socket. */
export type AvrdudeAddress = { readonly path: string } | NetworkAddress;

export interface AvrdudeTarget {
  readonly profile: AvrProfile;
  readonly address: AvrdudeAddress;
}

/** File names inside the run's private directory, which is its working directory. */
export const AVRDUDE_FILES = {
  signature: 'signature.bin',
  eeprom: 'eeprom.bin',
  eepromAgain: 'eeprom-again.bin',
  flash: 'flash.bin',
  image: 'image.hex',
} as const;

/** Not every path: a pseudo terminal has a model behind it, and would pass for a board. */
const SERIAL_PORT = /^\/dev\/tty(?:USB|ACM|AMA|S)\d{1,3}$/;

/** Throws `TypeError` for addresses that are none, or would read as something else. */
export function expectAvrdudeAddress(address: AvrdudeAddress): void {
  if (!('path' in address)) expectNetworkAddress(address);
  else if (!SERIAL_PORT.test(address.path)) {
    throw new TypeError('a serial port is /dev/ttyUSB, ttyACM, ttyAMA or ttyS and a number');
  }
}

/** What the part is and, twice, who it is. */
export function inspectArguments(target: AvrdudeTarget): string[] {
  const { signature, eeprom, eepromAgain } = AVRDUDE_FILES;
  return [
    ...common(target),
    ...['-U', `signature:r:${signature}:r`],
    ...['-U', `eeprom:r:${eeprom}:r`],
    ...['-U', `eeprom:r:${eepromAgain}:r`],
  ];
}

/** All of the flash, erased bytes at its end included (`-A`), and who it was read from. */
export function readArguments(target: AvrdudeTarget): string[] {
  const { signature, eeprom, eepromAgain, flash } = AVRDUDE_FILES;
  return [
    ...common(target),
    ...['-A', '-U', `signature:r:${signature}:r`],
    ...['-U', `eeprom:r:${eeprom}:r`],
    ...['-U', `flash:r:${flash}:r`],
    ...['-U', `eeprom:r:${eepromAgain}:r`],
  ];
}

/**
 * Writes the pages of the image and no others (`-D`), without the tool's own verification (`-V`): content counts only
 * when a separate run has read it back.
 */
export function writeArguments(target: AvrdudeTarget): string[] {
  return [...common(target), '-D', '-V', '-U', `flash:w:${AVRDUDE_FILES.image}:i`];
}

/** Writes bytes of the EEPROM and no others. */
export function writeIdArguments(target: AvrdudeTarget): string[] {
  return [...common(target), '-D', '-V', '-U', `eeprom:w:${AVRDUDE_FILES.image}:i`];
}

function common({ profile, address }: AvrdudeTarget): string[] {
  const port = 'path' in address ? address.path : `net:${address.host}:${address.port}`;
  const { avrdudePart, avrdudeProgrammer, baudRate } = profile;
  // One attempt to synchronise: the driver counts the starts, and each attempt on a silent line takes six seconds.
  const attempts = avrdudeProgrammer === 'arduino' ? ['-x', 'attempts=1'] : [];
  return ['-p', avrdudePart, '-c', avrdudeProgrammer, '-P', port, '-b', String(baudRate), ...attempts];
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Where a PIN comes from: a person at a prompt, a file only its owner can read, or a descriptor. Never an argument, an
 * environment variable or a configuration value; and a PIN is handed on, never kept beside the token.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RefusedError } from '@witnessmark/core';
import type { TokenIdentity, TokenRef } from './token-identity.ts';

/** What the token says about the tries that are left; `unknown` when it says nothing. */
export type PinTries = 'unknown' | 'fewerThanAll' | 'last' | 'none';

/** Everything a person must see before entering a PIN. */
export interface PinRequest {
  readonly expected: TokenRef;
  readonly found: TokenIdentity;
  readonly purpose: 'login' | 'signature';
  /** The key that is to sign, when the PIN is for one signature. */
  readonly keyLabel: string | null;
  readonly tries: PinTries;
}

/** Rejects when nobody gives a PIN; what it gives is sent to the token once. */
export type PinSource = (request: PinRequest) => Promise<string>;

/** PKCS#11 leaves the length to the token; PIV allows 8. */
const MAX_PIN_BYTES = 64;
const GROUP_AND_OTHERS = 0o077;

/** Reads the first line of a file when it is asked for; throws as {@link readPinFile} does. */
export function pinFromFile(path: string): PinSource {
  // eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not an exception, is what callers expect
  return async () => readPinFile(path);
}

/** The first line of a file; throws CU-112 unless it is a regular file that only its owner can read. */
export function readPinFile(path: string): string {
  const file = openPinFile(path);
  try {
    const { mode } = fstatSync(file);
    if ((mode & GROUP_AND_OTHERS) !== 0) {
      throw new RefusedError('CU-112', `${path} can be read by others; its mode must be 0600`);
    }
    return readPin(file, path);
  } finally {
    closeSync(file);
  }
}

/** Reads the first line from a descriptor, at its first use; a descriptor can be read once, so that line serves all uses. */
export function pinFromDescriptor(descriptor: number): PinSource {
  let pin: string | undefined;
  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  return async () => (pin ??= readPin(descriptor, `descriptor ${descriptor}`));
}

/** Refuses what cannot be a PIN before a try is spent on it. Throws CU-112. */
export function checkPin(pin: string, where: string): string {
  if (pin.length === 0 || Buffer.byteLength(pin) > MAX_PIN_BYTES || /\p{C}/u.test(pin)) {
    throw new RefusedError('CU-112', `${where} does not hold a PIN of 1 to ${MAX_PIN_BYTES} printable bytes`);
  }
  return pin;
}

function openPinFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new RefusedError('CU-112', `${path} cannot be opened`, { cause });
  }
}

function readPin(descriptor: number, where: string): string {
  const buffer = Buffer.alloc(MAX_PIN_BYTES + 2);
  try {
    return checkPin(firstLine(descriptor, buffer, where), where);
  } finally {
    buffer.fill(0);
  }
}

function firstLine(descriptor: number, buffer: Buffer, where: string): string {
  let length = 0;
  while (length < buffer.length && !buffer.subarray(0, length).includes(0x0a)) {
    const count = readSome(descriptor, buffer, length, where);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length).toString('utf8').split(/\r?\n/, 1)[0] as string;
}

function readSome(descriptor: number, buffer: Buffer, offset: number, where: string): number {
  try {
    return readSync(descriptor, buffer, offset, buffer.length - offset, null);
  } catch (cause) {
    throw new RefusedError('CU-112', `${where} cannot be read`, { cause });
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A device's identity: the tagged digest of its hardware identifier, and the label derived from it (spec/device-id.md). */
import { decodeHex, encodeUtf8, sha256, sha256Hex, type Bytes } from '@witnessmark/core';
import { AttestationError } from './error.ts';
import type { Subject } from './statement.ts';

/** Where a hardware identifier was read from. */
export const HARDWARE_ID_SCHEMES = ['spi-nor-uid', 'mcu-uid', 'stored-id', 'se-serial', 'tpm-ek', 'idevid'] as const;
export type HardwareIdScheme = (typeof HARDWARE_ID_SCHEMES)[number];

export interface HardwareId {
  readonly scheme: HardwareIdScheme;
  readonly value: Bytes;
}

const DOMAIN = 'witnessmark hardware id v1';
const MIN_HARDWARE_ID_BYTES = 4;
const MAX_HARDWARE_ID_BYTES = 64;

/** Crockford's alphabet: no I, L, O or U, so that no two characters look alike. */
const LABEL_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LABEL_GROUPS = 3;
const LABEL_GROUP_LENGTH = 4;
const LABEL_SERIAL = /^([A-Z0-9][A-Z0-9-]{0,31})-([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})$/;

/**
 * The device id: SHA-256 over domain, scheme and value, lower-case hexadecimal.
 * Throws `ERR_HARDWARE_ID` for lengths no part has and for placeholders (all bytes equal 0x00 or 0xff).
 */
export function toDeviceId(hardwareId: HardwareId): string {
  const { scheme, value } = hardwareId;
  if (value.length < MIN_HARDWARE_ID_BYTES || value.length > MAX_HARDWARE_ID_BYTES) {
    throw new AttestationError(
      'ERR_HARDWARE_ID',
      `a hardware id has ${MIN_HARDWARE_ID_BYTES} to ${MAX_HARDWARE_ID_BYTES} bytes`,
    );
  }
  if (value.every((byte) => byte === 0x00) || value.every((byte) => byte === 0xff)) {
    throw new AttestationError('ERR_HARDWARE_ID', 'the hardware id is a placeholder: every byte is equal');
  }
  const hexadecimal = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return sha256Hex(encodeUtf8(`${DOMAIN}\n${scheme}\n${hexadecimal}\n`));
}

/** The in-toto subject of every statement about a device. */
export function deviceSubject(deviceId: string): Subject {
  return { name: 'unit', uri: `urn:witnessmark:device:${deviceId}`, digest: { sha256: deviceId } };
}

/** The printed serial of a device: the SKU and 60 bits of the device id, for example `GW-210-7Q3K-9ZD2-M4XT`. */
export function deriveLabelSerial(sku: string, deviceId: string): string {
  const bytes = sha256(decodeHex(deviceId));
  const groups: string[] = [];
  for (let group = 0; group < LABEL_GROUPS; group += 1) {
    let text = '';
    for (let index = 0; index < LABEL_GROUP_LENGTH; index += 1) {
      text += LABEL_ALPHABET[readFiveBits(bytes, 5 * (group * LABEL_GROUP_LENGTH + index))] as string;
    }
    groups.push(text);
  }
  return `${sku}-${groups.join('-')}`;
}

/** Five bits from bit `at` on, most significant first. */
function readFiveBits(bytes: Bytes, at: number): number {
  const first = at >> 3;
  const pair = ((bytes[first] as number) << 8) | (bytes[first + 1] as number);
  return (pair >> (11 - (at & 7))) & 31;
}

export interface LabelSerial {
  readonly serial: string;
  readonly sku: string;
}

/** Reads a derived serial; throws `ERR_LABEL_FORMAT` for other forms, look-alike letters included. */
export function parseLabelSerial(text: string): LabelSerial {
  const match = LABEL_SERIAL.exec(text);
  if (match === null)
    throw new AttestationError('ERR_LABEL_FORMAT', 'the text is not a serial of the form SKU-XXXX-XXXX-XXXX');
  return { serial: text, sku: match[1] as string };
}

// SPDX-License-Identifier: Apache-2.0
/** Which answers to "who are you" cannot name one part, or one programmer (spec/device-id.md). */
import { encodeHex, equalBytes, RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from './error.ts';
import type { BoardProfile } from './profile.ts';

/** What makers and drivers fill in where there is nothing to say, lower-case and without punctuation. */
const PLACEHOLDER_TEXTS: ReadonlySet<string> = new Set(
  ['', 'unknown', 'none', 'null', 'undefined', 'nan', 'na', 'notset', 'notspecified', 'notavailable', 'default'].concat(
    ['defaultstring', 'serialnumber', 'tobefilledbyoem', 'systemserialnumber', 'xxxxxxxx', 'test', '0123456789'],
  ),
);
/** Places name a socket, not what is plugged in there. */
const PLACE = /^(?:\/dev\/|\/sys\/|usb[-:]?\d|(?:\d+-)\d+(?:\.\d+)*$|com\d+$|tty)/i;

/**
 * Whether the value is one that many parts give: every byte equal (an empty socket, an erased or unsupported
 * identifier) or each byte one more than the one before (test patterns such as 01 02 03 …).
 */
export function isPlaceholderId(value: Bytes): boolean {
  const first = value[0];
  if (first === undefined) return true;
  const step = (value[1] ?? first) - first;
  return (step === 0 || step === 1) && value.every((byte, index) => byte === first + index * step);
}

/** The same for a name or a serial number given as text: nothing, "unknown", zeroes only, the place it is plugged in. */
export function isPlaceholderText(text: string): boolean {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return PLACEHOLDER_TEXTS.has(plain) || /^(.)\1*$/.test(plain) || PLACE.test(text.trim());
}

/**
 * The identifier, from readings that follow each other: a loose contact gives answers that change. Throws `UF-01` when
 * they differ, when the length is not the profile's, and for placeholders.
 */
export function expectHardwareId(
  { hardwareIdBytes, placeholderIds }: BoardProfile,
  readings: readonly [Bytes, Bytes],
): Bytes {
  const [value, again] = readings;
  const text = encodeHex(value);
  if (!equalBytes(value, again)) {
    throw new RefusedError('UF-01', `the hardware id is not stable: read ${text}, then ${encodeHex(again)}`);
  }
  if (value.length !== hardwareIdBytes) {
    throw new RefusedError(
      'UF-01',
      `a hardware id of ${hardwareIdBytes} bytes was expected, ${value.length} were read`,
    );
  }
  if (isPlaceholderId(value) || placeholderIds.includes(text)) {
    throw new RefusedError('UF-01', `the hardware id is a placeholder: ${text}`);
  }
  return value;
}

/** Throws `UF-07` when the part that answers now is not the one from before. */
export function expectSameId(before: Bytes, now: Bytes): void {
  if (equalBytes(before, now)) return;
  throw new RefusedError('UF-07', `the hardware id was ${encodeHex(before)} before and is ${encodeHex(now)} now`);
}

/**
 * For work that broke off: a part that was exchanged does not answer in the middle of another one's conversation. Asks
 * again and throws `UF-07` when another part answers now; when none does, the break stays what it was.
 */
export async function expectNotExchanged(before: Bytes, readIds: () => Promise<readonly Bytes[]>): Promise<void> {
  let ids: readonly Bytes[];
  try {
    ids = await readIds();
  } catch (error) {
    if (error instanceof RefusedError || error instanceof DeviceError) return;
    throw error;
  }
  for (const id of ids) expectSameId(before, id);
}

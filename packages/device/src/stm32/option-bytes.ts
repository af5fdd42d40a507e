// SPDX-License-Identifier: Apache-2.0
/** The option bytes of an STM32F103: eight bytes, each with its complement beside it (PM0075, 2.5). */
import type { Bytes } from '@witnessmark/core';
import { FLASH_OBR_RDPRT, OPTION_BYTES_LENGTH, RDP_OPEN } from './memory-map.ts';

const RDP = 0;
const USER = 2;
const DATA0 = 4;
const DATA1 = 6;
const WRP = [8, 10, 12, 14] as const;
const USER_BITS = 0x07;

/** As the maker delivers the part: readable, nothing write-protected. */
export function factoryOptionBytes(): Bytes {
  const bytes = new Uint8Array(OPTION_BYTES_LENGTH);
  for (let at = 0; at < OPTION_BYTES_LENGTH; at += 2) bytes.set([0xff, 0x00], at);
  return bytes.fill(RDP_OPEN, RDP, 1).fill(0x5a, 1, 2);
}

/** Whether these bytes, once loaded, protect the flash against being read. A byte without its complement protects. */
export function isReadoutProtected(optionBytes: Bytes): boolean {
  return optionBytes[RDP] !== RDP_OPEN || optionBytes[RDP + 1] !== 0xff - RDP_OPEN;
}

/** The option byte register, as loaded from these bytes. */
export function toObr(optionBytes: Bytes): number {
  const protection = isReadoutProtected(optionBytes) ? FLASH_OBR_RDPRT : 0;
  const user = (byteAt(optionBytes, USER) & USER_BITS) << 2;
  return (protection | user | (byteAt(optionBytes, DATA0) << 10) | (byteAt(optionBytes, DATA1) << 18)) >>> 0;
}

/** The write protection register: a clear bit protects four pages of 1 KiB. */
export function toWrpr(optionBytes: Bytes): number {
  return WRP.reduce<number>((bits, at, index) => (bits | (byteAt(optionBytes, at) << (8 * index))) >>> 0, 0);
}

function byteAt(bytes: Bytes, at: number): number {
  return bytes[at] as number;
}

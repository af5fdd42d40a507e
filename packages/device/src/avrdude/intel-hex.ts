// SPDX-License-Identifier: Apache-2.0
/** Intel hexadecimal, as far as 64 KiB need it: the one form in which avrdude takes an image that starts anywhere. */
import { encodeHex, type Bytes } from '@witnessmark/core';

const RECORD_BYTES = 16;
const END_RECORD = ':00000001FF\n';

/** Throws `RangeError` beyond 64 KiB. */
export function formatIntelHex(address: number, content: Bytes): string {
  if (address < 0 || address + content.length > 0x1_0000) throw new RangeError('the image does not fit 64 KiB');
  let text = '';
  for (let at = 0; at < content.length; at += RECORD_BYTES) {
    const data = content.subarray(at, at + RECORD_BYTES);
    const start = address + at;
    const record = Uint8Array.of(data.length, start >> 8, start & 0xff, 0, ...data);
    const sum = record.reduce((total, byte) => total + byte, 0);
    text += `:${encodeHex(record).toUpperCase()}${encodeHex(Uint8Array.of(-sum & 0xff)).toUpperCase()}\n`;
  }
  return text + END_RECORD;
}

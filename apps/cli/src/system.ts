// SPDX-License-Identifier: Apache-2.0
/** Time and ids of the real world; the composition roots hand them to everything else. */
import { randomBytes } from 'node:crypto';
import { encodeHex, type Clock } from '@witnessmark/core';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** UUID version 7 (RFC 9562 section 5.7): ids sort by the time they were made. */
export function uuidSource(clock: Clock): () => string {
  return () => {
    const bytes = new Uint8Array(randomBytes(16));
    new DataView(bytes.buffer).setBigUint64(
      0,
      (BigInt(clock.now()) << 16n) | BigInt(((bytes[6] as number) << 8) | (bytes[7] as number)),
    );
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    return encodeHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
}

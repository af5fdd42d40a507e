// SPDX-License-Identifier: Apache-2.0
/** Arithmetic of flash ranges: bounds, erase blocks, pages. */
import type { Bytes } from '@witnessmark/core';
import type { FlashRange } from './contract.ts';
import type { BoardProfile } from './profile.ts';

/** Throws `RangeError` unless the range lies in the flash. */
export function expectRange(profile: BoardProfile, range: FlashRange): void {
  const { address, length } = range;
  const isInside =
    Number.isSafeInteger(address) &&
    Number.isSafeInteger(length) &&
    address >= 0 &&
    length > 0 &&
    address + length <= profile.sizeBytes;
  if (!isInside) throw new RangeError(`the range does not lie in the ${profile.sizeBytes} bytes of a ${profile.model}`);
}

/** Throws `RangeError` unless the range is made of whole erase blocks. */
export function expectEraseBlocks(profile: BoardProfile, range: FlashRange): void {
  expectRange(profile, range);
  if (range.address % profile.eraseBlockBytes !== 0 || range.length % profile.eraseBlockBytes !== 0) {
    throw new RangeError(`only whole blocks of ${profile.eraseBlockBytes} bytes can be erased`);
  }
}

/** The smallest range of whole blocks that covers `range`. */
export function coveringBlocks(range: FlashRange, blockBytes: number): FlashRange {
  const address = range.address - (range.address % blockBytes);
  const end = Math.ceil((range.address + range.length) / blockBytes) * blockBytes;
  return { address, length: end - address };
}

/** Cuts `range` at every multiple of `pieceBytes`. */
export function* splitRange(range: FlashRange, pieceBytes: number): Generator<FlashRange> {
  const end = range.address + range.length;
  for (let address = range.address; address < end;) {
    const length = Math.min(pieceBytes - (address % pieceBytes), end - address);
    yield { address, length };
    address += length;
  }
}

/** Whether the bytes are what an erased flash already holds. */
export function isErased(bytes: Bytes): boolean {
  return bytes.every((byte) => byte === 0xff);
}

export function isWholeFlash(profile: BoardProfile, range: FlashRange): boolean {
  return range.address === 0 && range.length === profile.sizeBytes;
}

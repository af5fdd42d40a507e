// SPDX-License-Identifier: Apache-2.0
/** Command lines and files for flashrom 1.3, built from checked values only. */
import type { Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import type { NetworkAddress } from '../network-address.ts';
import type { DeviceProfile } from '../profile.ts';
import { isWholeFlash } from '../range.ts';

/** One name, so that no range ever becomes part of a command line. */
const REGION = 'component';

export interface FlashromTarget {
  readonly profile: DeviceProfile;
  readonly address: NetworkAddress;
}

/** File names inside the run's private directory, which is its working directory. */
export const FLASHROM_FILES = { image: 'image.bin', layout: 'layout.txt', content: 'content.bin' } as const;

/**
 * Writes without flashrom's own verification, which waits a second and then trusts its own process: content counts
 * only when a separate run has read it back.
 */
export function writeArguments(target: FlashromTarget, range: FlashRange): string[] {
  return [...common(target, range), '--noverify', '--write', FLASHROM_FILES.image];
}

export function readArguments(target: FlashromTarget, range: FlashRange): string[] {
  return [...common(target, range), '--read', FLASHROM_FILES.content];
}

export function eraseArguments(target: FlashromTarget, range: FlashRange): string[] {
  return [...common(target, range), '--noverify', '--erase'];
}

/** A layout with the range as its one region, or null when the range is the whole flash. */
export function layoutFor(profile: DeviceProfile, range: FlashRange): string | null {
  if (isWholeFlash(profile, range)) return null;
  return `${address(range.address)}:${address(range.address + range.length - 1)} ${REGION}\n`;
}

/** flashrom wants files of the flash's size; bytes outside the region are not written. */
export function imageFile(profile: DeviceProfile, range: FlashRange, image: Bytes): Bytes {
  if (isWholeFlash(profile, range)) return image;
  const file = new Uint8Array(profile.sizeBytes).fill(0xff);
  file.set(image, range.address);
  return file;
}

function common({ profile, address: { host, port } }: FlashromTarget, range: FlashRange): string[] {
  const region = isWholeFlash(profile, range) ? [] : ['--layout', FLASHROM_FILES.layout, '--include', REGION];
  return ['--verbose', '--programmer', `serprog:ip=${host}:${port}`, '--chip', profile.flashromChip, ...region];
}

function address(value: number): string {
  return value.toString(16).padStart(8, '0');
}

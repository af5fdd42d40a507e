// SPDX-License-Identifier: Apache-2.0
/** Whether an image may be released for production (A37): what it says of itself, and whose key it is signed with. */
import type { ReleaseClass } from '@witnessmark/attestation';
import { RefusedError } from '@witnessmark/core';
import type { McubootImage } from './mcuboot.ts';

/** Bits of the build marks (spec/release-manifest.md). */
const MARKS: readonly (readonly [bit: number, meaning: string])[] = [
  [0x1, 'a debug build'],
  [0x2, 'it opens the debug port'],
  [0x4, 'it leaves the device unlocked'],
];
const KNOWN_MARKS = MARKS.reduce((all, [bit]) => all | bit, 0);

/** Hashes of public keys whose private halves MCUboot publishes, for trying things out. */
const PUBLISHED_KEYS: ReadonlyMap<string, string> = new Map([
  ['e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6', 'root-ec-p256.pem'],
  ['c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c', 'root-ed25519.pem'],
]);

/** Throws PL-118 when the image contradicts the class it is to be released as; a debug release may be anything. */
export function checkProductionImage(image: McubootImage | null, releaseClass: ReleaseClass): void {
  if (image === null || releaseClass !== 'production') return;
  const { buildMarks, keyHash } = image;
  const found = MARKS.find(([bit]) => (buildMarks & bit) !== 0);
  if (found !== undefined) throw noProduction(`the image says of itself: ${found[1]}`);
  // A mark that is not known could mean anything but "for production".
  if ((buildMarks & ~KNOWN_MARKS) !== 0)
    throw noProduction(`the image has unknown build marks 0x${buildMarks.toString(16)}`);
  const published = keyHash === null ? undefined : PUBLISHED_KEYS.get(keyHash);
  if (published !== undefined) throw noProduction(`the image is signed with ${published}, which everybody has`);
}

function noProduction(what: string): RefusedError {
  return new RefusedError('PL-118', what);
}

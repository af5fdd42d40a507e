// SPDX-License-Identifier: Apache-2.0
/** Images for parts behind a slow wire, and what the conformance suite does with them there. */
import { buildSampleImage } from '../src/index.ts';

export const SMALL_IMAGES = {
  image: smallImage('1.0.0'),
  otherImage: smallImage('1.0.1'),
  partial: { address: 0x365, length: 200, read: { address: 0x301, length: 0x2ff } },
  powerCutAfter: { program: 300, erase: 700 },
} as const;

function smallImage(version: string): Uint8Array {
  return buildSampleImage({ sizeBytes: 1024, version, securityCounter: 1, seed: version });
}

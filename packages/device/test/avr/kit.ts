// SPDX-License-Identifier: Apache-2.0
/** An ATmega328P on simavr for the driver conformance suite; it programs itself, through its boot loader. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvrBay, AvrPart, buildAvrBoard, type AvrPartOptions } from '@witnessmark/boards';
import { concatBytes, encodeUtf8, sha256 } from '@witnessmark/core';
import { ATMEGA328P_BOARD } from '../../src/index.ts';
import type { PartKit } from '../conformance-kit.ts';
import { SMALL_IMAGES } from '../small-images.ts';

export type AvrKit = PartKit<AvrPart, AvrBay>;

/** The compiled board, and a place for the memory of its parts; built when the first part is asked for. */
export class AvrWorkshop {
  #place: { readonly directory: string; readonly program: string } | null = null;
  #count = 0;

  newPart(uniqueId: Uint8Array, options: Partial<AvrPartOptions> = {}): AvrPart {
    this.#count += 1;
    this.#place ??= build();
    const { directory, program } = this.#place;
    return new AvrPart({ program, path: join(directory, `part-${this.#count}`), uniqueId, ...options });
  }

  close(): void {
    if (this.#place !== null) rmSync(this.#place.directory, { recursive: true });
  }
}

function build(): { readonly directory: string; readonly program: string } {
  const directory = mkdtempSync(join(tmpdir(), 'witnessmark-avr-'));
  return { directory, program: buildAvrBoard(directory) };
}

export function avrKit(workshop: AvrWorkshop): AvrKit {
  return {
    profile: ATMEGA328P_BOARD,
    ...SMALL_IMAGES,
    eraseRange: { address: 0x80, length: 0x100 },
    linkDrops: { from: 5_200, to: 5_900, defaultCount: 2 },
    // A page is erased, written and acknowledged without a look at it.
    faultsShow: 'when read back',
    uniqueId: (seed, index) =>
      concatBytes(Uint8Array.of(0x06), sha256(encodeUtf8(`sample stored id ${seed} ${index}`)).subarray(0, 11)),
    newBay: (part) => new AvrBay(part),
    newPart: (uniqueId, content) => workshop.newPart(uniqueId, content === undefined ? {} : { content }),
    newOtherPart: (uniqueId) => workshop.newPart(uniqueId, { part: 'atmega168' }),
    newProtectedPart: (uniqueId) => {
      const part = workshop.newPart(uniqueId);
      // As with lock bits that close the application's section: nothing is done, and nothing is said.
      part.inject({ ignoresProgram: true, deadErase: true });
      return part;
    },
    newUnlockablePart: null,
  };
}

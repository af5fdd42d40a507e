// SPDX-License-Identifier: Apache-2.0
/** An STM32F103 for the driver conformance suite: a small flash and a small image, as the wire is slow. */
import { concatBytes, encodeUtf8, sha256 } from '@witnessmark/core';
import { blankMcu, McuBay, Stm32Mcu, STM32F103C4_BOARD, type McuFaults } from '../../src/index.ts';
import type { PartKit } from '../conformance-kit.ts';
import { SMALL_IMAGES } from '../small-images.ts';

export interface McuSettings {
  readonly content?: Uint8Array;
  readonly jedecId?: string;
  readonly optionBytes?: { readonly at: number; readonly bytes: readonly number[] };
  readonly faults?: McuFaults;
}

/** A part as the maker delivers it, but for these settings. */
export function newMcu(uniqueId: Uint8Array, { content, jedecId, optionBytes, faults }: McuSettings = {}): Stm32Mcu {
  const state = blankMcu({ ...STM32F103C4_BOARD, ...(jedecId === undefined ? {} : { jedecId }), uniqueId });
  if (content !== undefined) state.memory.set(content);
  if (optionBytes !== undefined) state.optionBytes.set(optionBytes.bytes, optionBytes.at);
  const mcu = new Stm32Mcu(state);
  if (faults !== undefined) mcu.inject(faults);
  return mcu;
}

export const MCU_KIT: PartKit<Stm32Mcu, McuBay> = {
  profile: STM32F103C4_BOARD,
  ...SMALL_IMAGES,
  eraseRange: { address: 0, length: 0x400 },
  linkDrops: { from: 18_000, to: 30_000, defaultCount: 2 },
  faultsShow: 'when written',
  uniqueId: (seed, index) =>
    concatBytes(Uint8Array.of(0x06), sha256(encodeUtf8(`sample microcontroller ${seed} ${index}`)).subarray(0, 11)),
  newBay: (mcu) => new McuBay(mcu),
  newPart: (uniqueId, content) => newMcu(uniqueId, content === undefined ? {} : { content }),
  newOtherPart: (uniqueId) => newMcu(uniqueId, { jedecId: '16414041' }),
  newProtectedPart: (uniqueId) => newMcu(uniqueId, { optionBytes: { at: 0, bytes: [0x00, 0xff] } }),
  newUnlockablePart: (uniqueId) => newMcu(uniqueId, { faults: { deadOptionBytes: true } }),
};

// SPDX-License-Identifier: Apache-2.0
/** The cells of a simulated flash, and what can be wrong with them: they stick, do nothing, or lose power on the way. */
import type { Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import type { ChipFaults, PowerCut } from './faults.ts';
import { overlaps } from './status-register.ts';

export class FlashCells {
  readonly bytes: Bytes;
  readonly #onPowerCut: () => void;
  #faults: ChipFaults = {};
  #bytesUntilPowerCut: number | null = null;

  /** `onPowerCut` is called when an injected power cut comes. */
  constructor(content: Bytes, onPowerCut: () => void) {
    this.bytes = content.slice();
    this.#onPowerCut = onPowerCut;
  }

  /** Replaces the faults; counters start again. */
  inject(faults: ChipFaults): void {
    this.#faults = faults;
    this.#bytesUntilPowerCut = faults.powerCut?.afterBytes ?? null;
    this.#applyStuckBits({ address: 0, length: this.bytes.length });
  }

  /** Whether an injected power cut is still to come. */
  get awaitsPowerCut(): boolean {
    return this.#bytesUntilPowerCut !== null;
  }

  /** Sets every bit of the range, or of its beginning when power goes on the way. */
  erase(range: FlashRange): void {
    if (this.#faults.deadErase !== true) {
      const doneBytes = this.#work('erase', range.length);
      this.bytes.fill(0xff, range.address, range.address + doneBytes);
    }
    this.#applyStuckBits(range);
  }

  /** Programming clears bits; only erasing sets them. False when power went before it. */
  program(address: number, byte: number): boolean {
    if (this.#faults.ignoresProgram === true) return true;
    if (this.#work('program', 1) === 0) return false;
    this.bytes[address] = (this.bytes[address] as number) & byte;
    this.#applyStuckBits({ address, length: 1 });
    return true;
  }

  /** Counts bytes of work, and returns how many of them are done before power goes. */
  #work(kind: PowerCut['during'], bytes: number): number {
    const left = this.#bytesUntilPowerCut;
    if (left === null || this.#faults.powerCut?.during !== kind) return bytes;
    this.#bytesUntilPowerCut = left < bytes ? null : left - bytes;
    if (left >= bytes) return bytes;
    this.#onPowerCut();
    return left;
  }

  #applyStuckBits(range: FlashRange): void {
    for (const { address, bit, value } of this.#faults.stuckBits ?? []) {
      if (!overlaps({ address, length: 1 }, range)) continue;
      const byte = this.bytes[address] as number;
      this.bytes[address] = value === 1 ? byte | (1 << bit) : byte & ~(1 << bit);
    }
  }
}

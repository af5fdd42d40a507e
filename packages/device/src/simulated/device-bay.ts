// SPDX-License-Identifier: Apache-2.0
/** The place in a fixture where a simulated device sits: chips come and go, and the wire to them can break. */
import type { Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import type { SpiNorChip } from '../spi-nor/chip.ts';

export class DeviceBay {
  #chip: SpiNorChip | null;
  #bytesUntilDrop: number | null = null;

  constructor(chip: SpiNorChip | null = null) {
    this.#chip = chip;
  }

  get chip(): SpiNorChip | null {
    return this.#chip;
  }

  /** Puts a chip in, or takes it out with null, and powers what is in the bay then. Returns what was there. */
  insert(chip: SpiNorChip | null): SpiNorChip | null {
    const before = this.#chip;
    before?.powerOff();
    this.#chip = chip;
    chip?.powerOn();
    return before;
  }

  powerOff(): void {
    this.#chip?.powerOff();
  }

  powerOn(): void {
    this.#chip?.powerOn();
  }

  /** Breaks the wire once, after that many further bytes have gone out. */
  dropLinkAfter(bytes: number): void {
    this.#bytesUntilDrop = bytes;
  }

  /** Whether a break was ordered and has not come yet. */
  get awaitsLinkDrop(): boolean {
    return this.#bytesUntilDrop !== null;
  }

  /**
   * One transfer; an empty bay reads as ones. Throws `ERR_DEVICE_LINK` when the wire breaks – the chip has then done
   * what it was told, and only the answer is lost.
   */
  transfer(write: Bytes, readLength: number): Bytes {
    const answer = this.#chip?.transfer(write, readLength) ?? new Uint8Array(readLength).fill(0xff);
    if (this.#bytesUntilDrop === null) return answer;
    this.#bytesUntilDrop -= write.length;
    if (this.#bytesUntilDrop >= 0) return answer;
    this.#bytesUntilDrop = null;
    throw new DeviceError('ERR_DEVICE_LINK', 'the link to the programmer was lost');
  }
}

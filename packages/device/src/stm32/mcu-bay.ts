// SPDX-License-Identifier: Apache-2.0
/** The place in a fixture where a simulated microcontroller sits: parts come and go, and the wire to them can break. */
import { DeviceError } from '../error.ts';
import { JtagChain } from './jtag-chain.ts';
import type { Stm32Mcu } from './mcu.ts';

/** TDO without a part that drives it: the programmer's pull-up. */
const NO_PART = 1;

export class McuBay {
  #chip: Stm32Mcu | null = null;
  #chain: JtagChain | null = null;
  #clocksUntilDrop: number | null = null;
  #clocksUntilStall: number | null = null;

  constructor(chip: Stm32Mcu | null = null) {
    this.insert(chip);
  }

  get chip(): Stm32Mcu | null {
    return this.#chip;
  }

  /** Puts a part in, or takes it out with null, and powers what is in the bay then. Returns what was there. */
  insert(chip: Stm32Mcu | null): Stm32Mcu | null {
    const before = this.#chip;
    before?.powerOff();
    this.#chip = chip;
    this.#chain = chip === null ? null : new JtagChain(chip);
    this.powerOn();
    return before;
  }

  powerOff(): void {
    this.#chip?.powerOff();
  }

  powerOn(): void {
    this.#chip?.powerOn();
    this.#chain?.powerOn();
  }

  /** Breaks the wire once, after that many further clocks. */
  dropLinkAfter(clocks: number): void {
    this.#clocksUntilDrop = clocks;
  }

  /** Whether a break was ordered and has not come yet. */
  get awaitsLinkDrop(): boolean {
    return this.#clocksUntilDrop !== null;
  }

  /** Makes the programmer fall silent after that many further clocks, until it is connected again. */
  stallAfter(clocks: number): void {
    this.#clocksUntilStall = clocks;
  }

  /** Whether the programmer has fallen silent. */
  get isStalled(): boolean {
    return this.#clocksUntilStall === 0;
  }

  endStall(): void {
    if (this.isStalled) this.#clocksUntilStall = null;
  }

  /** Level of TDO. */
  get output(): 0 | 1 {
    return this.#chip?.isPowered === true && this.#chain !== null ? this.#chain.output : NO_PART;
  }

  /** One rising edge of TCK. Throws `ERR_DEVICE_LINK` when the wire breaks; the part has then seen the edge. */
  clock(tms: 0 | 1, tdi: 0 | 1): void {
    if (this.#chip?.isPowered === true) this.#chain?.clock(tms, tdi);
    if (this.#clocksUntilStall !== null && this.#clocksUntilStall > 0) this.#clocksUntilStall -= 1;
    if (this.#clocksUntilDrop === null) return;
    this.#clocksUntilDrop -= 1;
    if (this.#clocksUntilDrop >= 0) return;
    this.#clocksUntilDrop = null;
    throw new DeviceError('ERR_DEVICE_LINK', 'the link to the programmer was lost');
  }

  /** The two reset lines as the programmer drives them; true is active. */
  drive(lines: { readonly testReset: boolean; readonly systemReset: boolean }): void {
    if (this.#chip?.isPowered !== true) return;
    if (lines.testReset) this.#chain?.resetTaps();
    if (lines.systemReset) this.#chip.reset();
  }
}

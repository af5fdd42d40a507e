// SPDX-License-Identifier: Apache-2.0
/**
 * The adapter's side of OpenOCD's remote_bitbang protocol (doc/manual/jtag/drivers/remote_bitbang.txt) for one
 * connection: one character in is one thing to do, `R` is answered with the level of TDO. The input is hostile.
 */
import type { Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import type { McuBay } from '../stm32/mcu-bay.ts';

const CHARACTER = { zero: 0x30, seven: 0x37, read: 0x52, quit: 0x51, r: 0x72, u: 0x75, blinkOn: 0x42, blinkOff: 0x62 };
const TCK = 0b100;
const TMS = 0b010;
const TDI = 0b001;
const TEST_RESET = 0b10;
const SYSTEM_RESET = 0b01;

export interface BitbangAnswer {
  readonly output: Bytes;
  /** The client said that it goes. */
  readonly ended: boolean;
}

export class RemoteBitbangAdapter {
  readonly #bay: McuBay;
  #clockIsHigh = false;

  constructor(bay: McuBay) {
    this.#bay = bay;
    bay.endStall();
  }

  /** Takes what arrived and says what to answer. Throws a `DeviceError` when the connection has to end. */
  receive(input: Bytes): BitbangAnswer {
    const output = new Uint8Array(input.length);
    let length = 0;
    for (const character of input) {
      if (this.#bay.isStalled) break;
      if (character >= CHARACTER.zero && character <= CHARACTER.seven) {
        this.#write(character - CHARACTER.zero);
      } else if (character === CHARACTER.read) {
        output[length] = CHARACTER.zero + this.#bay.output;
        length += 1;
      } else if (character >= CHARACTER.r && character <= CHARACTER.u) {
        const lines = character - CHARACTER.r;
        this.#bay.drive({ testReset: (lines & TEST_RESET) !== 0, systemReset: (lines & SYSTEM_RESET) !== 0 });
      } else if (character === CHARACTER.quit) {
        return { output: output.subarray(0, length), ended: true };
      } else if (character !== CHARACTER.blinkOn && character !== CHARACTER.blinkOff) {
        throw new DeviceError('ERR_DEVICE_PROTOCOL', 'the client sent a character remote_bitbang does not have');
      }
    }
    return { output: output.subarray(0, length), ended: false };
  }

  #write(levels: number): void {
    const isHigh = (levels & TCK) !== 0;
    const rises = isHigh && !this.#clockIsHigh;
    this.#clockIsHigh = isHigh;
    if (rises) this.#bay.clock((levels & TMS) === 0 ? 0 : 1, (levels & TDI) as 0 | 1);
  }
}

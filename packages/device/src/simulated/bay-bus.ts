// SPDX-License-Identifier: Apache-2.0
/** Event loop adapter: a bay in this process as a bus, which lets timers and cancellation through between transfers. */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '@witnessmark/core';
import type { SpiBus } from '../spi-nor/flash.ts';
import type { DeviceBay } from './device-bay.ts';

const TRANSFERS_PER_TURN = 256;

export class BayBus implements SpiBus {
  readonly #bay: DeviceBay;
  #transfers = 0;

  constructor(bay: DeviceBay) {
    this.#bay = bay;
  }

  async transfer(write: Bytes, readLength: number): Promise<Bytes> {
    this.#transfers += 1;
    if (this.#transfers % TRANSFERS_PER_TURN === 0) await setImmediate();
    return this.#bay.transfer(write, readLength);
  }
}

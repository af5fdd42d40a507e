// SPDX-License-Identifier: Apache-2.0
/** The driver for a simulated board in this process: the whole procedure of a programmer, on the SPI-NOR model. */
import type { Bytes } from '@witnessmark/core';
import type {
  DeviceDriver,
  DeviceIdentity,
  DriverOutcome,
  FlashRange,
  HardwareIdReading,
  LockState,
  OperationOptions,
  ProgramOrder,
  ProgrammerInfo,
  ProgramPhase,
} from '../contract.ts';
import { runOperation } from '../operation.ts';
import type { DeviceProfile, TimeLimits } from '../profile.ts';
import { coveringBlocks, expectEraseBlocks, expectRange, isErased, splitRange } from '../range.ts';
import { SpiNorFlash } from '../spi-nor/flash.ts';
import { BLOCK_BYTES, SECTOR_BYTES } from '../spi-nor/opcodes.ts';
import {
  expectErased,
  expectSameDevice,
  identifyFlash,
  lockFlash,
  openForWriting,
  readFlashHardwareId,
  testLock,
} from '../spi-nor/procedures.ts';
import { BayBus } from './bay-bus.ts';
import type { DeviceBay } from './device-bay.ts';

export interface SimulatedDriverOptions {
  readonly profile: DeviceProfile;
  readonly bay: DeviceBay;
  /** Called after every piece of work that changed the chip, so that its state can outlive this process. */
  readonly persist?: () => void;
}

export class SimulatedDriver implements DeviceDriver {
  readonly profile: DeviceProfile;
  readonly programmer: ProgrammerInfo = { model: 'Witnessmark simulated bay', serial: null, firmware: null };
  readonly simulated = true;
  readonly #bay: DeviceBay;
  readonly #persist: () => void;

  constructor({ profile, bay, persist }: SimulatedDriverOptions) {
    this.profile = profile;
    this.#bay = bay;
    this.#persist = persist ?? (() => undefined);
  }

  async identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>> {
    return this.#run('identify', options, async (flash) => identifyFlash(flash, this.profile));
  }

  async readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>> {
    return this.#run('readHardwareId', options, async (flash) => readFlashHardwareId(flash, this.profile));
  }

  async erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    expectEraseBlocks(this.profile, range);
    return this.#run('erase', options, async (flash) => {
      await identifyFlash(flash, this.profile);
      await openForWriting(flash, this.profile, range);
      await this.#eraseBlocks(flash, range, () => undefined);
      return undefined;
    });
  }

  async program(order: ProgramOrder, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const range = { address: order.address, length: order.image.length };
    expectRange(this.profile, range);
    // The bytes to be written are fixed here, whatever the caller does to its buffer.
    const image = order.image.slice();
    return this.#run('program', options, async (flash) => {
      const before = await readFlashHardwareId(flash, this.profile);
      const blocks = coveringBlocks(range, SECTOR_BYTES);
      await openForWriting(flash, this.profile, blocks);
      const content = await flash.read(blocks);
      content.set(image, range.address - blocks.address);
      const report = (phase: ProgramPhase, doneBytes: number): void =>
        order.onProgress?.({ phase, doneBytes, totalBytes: blocks.length });
      await this.#eraseBlocks(flash, blocks, (done) => {
        report('erase', done);
      });
      await this.#programPages(flash, blocks, content, (done) => {
        report('program', done);
      });
      await expectSameDevice(flash, this.profile, before);
      return undefined;
    });
  }

  async readBack(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<Bytes>> {
    expectRange(this.profile, range);
    return this.#run('readBack', options, async (flash) => {
      const before = await readFlashHardwareId(flash, this.profile);
      const content = await flash.read(range);
      await expectSameDevice(flash, this.profile, before);
      return content;
    });
  }

  async lock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return this.#run('lock', options, async (flash) => {
      await identifyFlash(flash, this.profile);
      await lockFlash(flash, this.profile.lockRecipe);
      return undefined;
    });
  }

  async readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>> {
    return this.#run('readLockState', options, async (flash) => testLock(flash, this.profile));
  }

  async reset(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return this.#run('reset', options, async (flash) => {
      this.#bay.powerOff();
      this.#bay.powerOn();
      await identifyFlash(flash, this.profile);
      return undefined;
    });
  }

  async #run<T>(
    name: keyof TimeLimits,
    options: OperationOptions | undefined,
    work: (flash: SpiNorFlash) => Promise<T>,
  ): Promise<DriverOutcome<T>> {
    return runOperation(this.profile, name, options, async ({ signal }) => {
      try {
        return await work(new SpiNorFlash(new BayBus(this.#bay), signal));
      } finally {
        this.#persist();
      }
    });
  }

  /** Erases in 64 KiB blocks where they fit and in sectors elsewhere, and reads each block to see that it took. */
  async #eraseBlocks(flash: SpiNorFlash, range: FlashRange, onDone: (doneBytes: number) => void): Promise<void> {
    let done = 0;
    onDone(0);
    for (const piece of splitRange(range, BLOCK_BYTES)) {
      const blockBytes = piece.length === BLOCK_BYTES ? BLOCK_BYTES : SECTOR_BYTES;
      for (const { address } of splitRange(piece, blockBytes)) await flash.eraseBlock(address, blockBytes);
      await expectErased(flash, piece);
      this.#persist();
      done += piece.length;
      onDone(done);
    }
  }

  async #programPages(
    flash: SpiNorFlash,
    range: FlashRange,
    content: Bytes,
    onDone: (doneBytes: number) => void,
  ): Promise<void> {
    let done = 0;
    onDone(0);
    for (const piece of splitRange(range, BLOCK_BYTES)) {
      for (const page of splitRange(piece, this.profile.pageBytes)) {
        const at = page.address - range.address;
        const bytes = content.subarray(at, at + page.length);
        if (!isErased(bytes)) await flash.programPage(page.address, bytes);
      }
      this.#persist();
      done += piece.length;
      onDone(done);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The driver for AVR boards behind avrdude and the part's own boot loader. What is read is the boot loader's word: it
 * cannot be locked, its fuses and lock bits read as zero, and the identifier is one somebody has stored in the EEPROM.
 * The profile says so, and recipes that ask for more are refused.
 */
import { encodeHex, RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
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
import { DeviceError } from '../error.ts';
import { expectHardwareId, expectNotExchanged, expectSameId, isPlaceholderId } from '../hardware-id.ts';
import type { ToolPlace } from '../installed-tool.ts';
import { runOperation, type Work } from '../operation.ts';
import type { AvrProfile } from '../profile.ts';
import { coveringBlocks, expectEraseBlocks, expectRange, isErased } from '../range.ts';
import {
  expectAvrdudeAddress,
  inspectArguments,
  readArguments,
  writeArguments,
  writeIdArguments,
  type AvrdudeAddress,
  type AvrdudeTarget,
} from './command.ts';
import { formatIntelHex } from './intel-hex.ts';
import { AvrdudeTool, type AvrdudeResult } from './tool.ts';

const SIGNATURE_BYTES = 3;

export interface AvrdudeDriverOptions extends ToolPlace {
  readonly profile: AvrProfile;
  readonly address: AvrdudeAddress;
}

export class AvrdudeDriver implements DeviceDriver {
  readonly profile: AvrProfile;
  readonly programmer: ProgrammerInfo;
  readonly simulated: boolean;
  readonly #target: AvrdudeTarget;
  readonly #tool: AvrdudeTool;

  private constructor({ profile, address }: AvrdudeDriverOptions, tool: AvrdudeTool) {
    const isNetwork = !('path' in address);
    this.profile = profile;
    this.programmer = {
      model: `avrdude ${tool.version} ${profile.avrdudeProgrammer}${isNetwork ? ' over network' : ''}`,
      serial: null,
      firmware: null,
    };
    // A socket does not say who is behind it, so what it reaches counts as a model.
    this.simulated = isNetwork;
    this.#target = { profile, address: { ...address } };
    this.#tool = tool;
  }

  /**
   * Asks the tool who it is, and removes images that killed processes left behind. Throws `LS-403` when it is missing or
   * too old, `TypeError` for an address that is none.
   */
  static async open(options: AvrdudeDriverOptions): Promise<AvrdudeDriver> {
    expectAvrdudeAddress(options.address);
    return new AvrdudeDriver(options, await AvrdudeTool.open(options, options.profile.maxToolStarts));
  }

  async identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>> {
    return runOperation(this.profile, 'identify', options, async (work) => {
      const result = await this.#tool.run({ ...work, args: inspectArguments(this.#target) });
      this.#expectPart(result);
      const { model, sizeBytes, jedecId } = this.profile;
      return { model, sizeBytes, jedecId };
    });
  }

  async readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>> {
    return runOperation(this.profile, 'readHardwareId', options, async (work) => ({
      scheme: this.profile.hardwareIdScheme,
      value: await this.#inspect(work),
    }));
  }

  /** Gives a part without one its identifier, once: `UF-01` when it has one already. Not part of any unit's work. */
  async storeHardwareId(value: Bytes, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const { hardwareIdBytes, hardwareIdSource } = this.profile;
    if (value.length !== hardwareIdBytes || isPlaceholderId(value)) throw new RangeError('this value names no part');
    return runOperation(this.profile, 'readHardwareId', options, async (work) => {
      const [stored] = this.#readings(await this.#tool.run({ ...work, args: inspectArguments(this.#target) }));
      if (!isErased(stored)) throw new RefusedError('UF-01', `the part has an identifier: ${encodeHex(stored)}`);
      const image = formatIntelHex(hardwareIdSource.address, value);
      await this.#tool.run({ ...work, args: writeIdArguments(this.#target), image });
      expectSameId(value, await this.#inspect(work));
      return undefined;
    });
  }

  /** The boot loader erases a page only to write it; so the range is written with what an erased flash holds. */
  async erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    expectEraseBlocks(this.profile, range);
    return runOperation(this.profile, 'erase', options, async (work) => {
      const hardwareId = await this.#inspect(work);
      const blank = new Uint8Array(range.length).fill(0xff);
      await this.#write(work, hardwareId, { range, content: blank, report: () => undefined });
      const content = (await this.#read(work)).subarray(range.address, range.address + range.length);
      const at = content.findIndex((byte) => byte !== 0xff);
      if (at === -1) return undefined;
      const address = (range.address + at).toString(16).padStart(6, '0');
      throw new RefusedError('UF-02', `erasing failed at 0x${address}: found ${encodeHex(content.slice(at, at + 1))}`);
    });
  }

  async program(order: ProgramOrder, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const wanted = { address: order.address, length: order.image.length };
    expectRange(this.profile, wanted);
    // The bytes to be written are fixed here, whatever the caller does to its buffer.
    const image = order.image.slice();
    return runOperation(this.profile, 'program', options, async (work) => {
      const range = coveringBlocks(wanted, this.profile.pageBytes);
      const report = (phase: ProgramPhase, doneBytes: number): void =>
        order.onProgress?.({ phase, doneBytes, totalBytes: range.length });
      report('prepare', 0);
      const hardwareId = await this.#inspect(work);
      let content: Bytes = image;
      if (range.length !== image.length) {
        content = (await this.#read(work)).slice(range.address, range.address + range.length);
        content.set(image, wanted.address - range.address);
      }
      await this.#write(work, hardwareId, {
        range,
        content,
        report: (share) => {
          report('program', Math.floor(share * range.length));
        },
      });
      return undefined;
    });
  }

  async readBack(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<Bytes>> {
    expectRange(this.profile, range);
    return runOperation(this.profile, 'readBack', options, async (work) =>
      (await this.#read(work)).slice(range.address, range.address + range.length),
    );
  }

  /** This board has no lock: `UF-04`, and nothing is sent. */
  async lock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const refusal = `this board cannot be locked: ${this.profile.lockRecipe.reason}`;
    return runOperation(this.profile, 'lock', options, () => Promise.reject(new RefusedError('UF-04', refusal)));
  }

  /** `unknown` for every part that answers: what its boot loader says about lock bits is no answer. */
  async readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>> {
    return runOperation<LockState>(this.profile, 'readLockState', options, async (work) => {
      await this.#inspect(work);
      return 'unknown';
    });
  }

  /** Opening the line resets the part. */
  async reset(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'reset', options, async (work) => {
      await this.#inspect(work);
      return undefined;
    });
  }

  async #inspect(work: Work): Promise<Bytes> {
    return this.#identify(await this.#tool.run({ ...work, args: inspectArguments(this.#target) }));
  }

  /** All of the application's flash. The boot loader that read it out is measured with it, by itself. */
  async #read(work: Work): Promise<Bytes> {
    const { flashBytes, sizeBytes, bootLoader } = this.profile;
    const result = await this.#tool.run({ ...work, args: readArguments(this.#target) });
    this.#identify(result);
    const flash = result.read('flash', flashBytes);
    const found = sha256Hex(flash.subarray(sizeBytes));
    if (bootLoader !== null && found !== bootLoader.sha256) {
      throw new RefusedError('UF-01', `another boot loader answers: SHA-256 ${found}`);
    }
    return flash.subarray(0, sizeBytes);
  }

  /** Writes, and makes sure that the part is still the one with this id. */
  async #write(
    work: Work,
    hardwareId: Bytes,
    job: { readonly range: FlashRange; readonly content: Bytes; readonly report: (share: number) => void },
  ): Promise<void> {
    const image = formatIntelHex(job.range.address, job.content);
    try {
      const run = { ...work, args: writeArguments(this.#target), image, onProgress: job.report };
      const { output } = await this.#tool.run(run);
      if (!output.claimsWritten) throw noClaim();
    } catch (error) {
      if (!(error instanceof DeviceError) || work.signal.aborted) throw error;
      await expectNotExchanged(hardwareId, async () => [await this.#inspect(work)]);
      throw error;
    }
    job.report(1);
    try {
      expectSameId(hardwareId, await this.#inspect(work));
    } catch (cause) {
      if (!(cause instanceof RefusedError) || cause.code === 'UF-07') throw cause;
      // Before the work silence means that nothing was sent; after it, that nobody can tell.
      throw new DeviceError('ERR_DEVICE_LINK', 'the device went away before it was seen again', { cause });
    }
  }

  #identify(result: AvrdudeResult): Bytes {
    this.#expectPart(result);
    return expectHardwareId(this.profile, this.#readings(result));
  }

  #expectPart(result: AvrdudeResult): void {
    const found = encodeHex(result.read('signature', SIGNATURE_BYTES));
    const { model, jedecId } = this.profile;
    if (found !== jedecId)
      throw new RefusedError('UF-01', `expected a ${model} (signature ${jedecId}), found ${found}`);
  }

  #readings(result: AvrdudeResult): readonly [Bytes, Bytes] {
    const { eepromBytes, hardwareIdBytes, hardwareIdSource } = this.profile;
    const cut = (eeprom: Bytes): Bytes =>
      eeprom.slice(hardwareIdSource.address, hardwareIdSource.address + hardwareIdBytes);
    return [cut(result.read('eeprom', eepromBytes)), cut(result.read('eepromAgain', eepromBytes))];
  }
}

function noClaim(): DeviceError {
  return new DeviceError('ERR_DEVICE_TOOL', 'avrdude ended without an error and without saying that it has written');
}

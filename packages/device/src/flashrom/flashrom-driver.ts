// SPDX-License-Identifier: Apache-2.0
/**
 * The driver for boards on a serprog programmer: flashrom moves the content, and what flashrom cannot do – hardware
 * identifier, lock and the tests of it – goes over the same wire. Every run of the tool is a fresh process.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { hasCode, type Bytes } from '@witnessmark/core';
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
} from '../contract.ts';
import { DeviceError } from '../error.ts';
import { isPlaceholderText } from '../hardware-id.ts';
import { readImageFile } from '../image-file.ts';
import { InstalledTool, type ToolPlace } from '../installed-tool.ts';
import { expectNetworkAddress, type NetworkAddress } from '../network-address.ts';
import { runOperation, type Work } from '../operation.ts';
import type { DeviceProfile } from '../profile.ts';
import { expectEraseBlocks, expectRange } from '../range.ts';
import { SerprogClient } from '../serprog/client.ts';
import { SIMULATED_PROGRAMMER_NAME } from '../serprog/protocol.ts';
import { SpiNorFlash } from '../spi-nor/flash.ts';
import {
  expectSameDevice,
  identifyFlash,
  lockFlash,
  openForWriting,
  readFlashHardwareId,
  testLock,
} from '../spi-nor/procedures.ts';
import {
  eraseArguments,
  FLASHROM_FILES,
  imageFile,
  layoutFor,
  readArguments,
  writeArguments,
  type FlashromTarget,
} from './command.ts';
import { FlashromOutput, type FlashromMilestone } from './output.ts';
import { WriteProgress } from './write-progress.ts';

const DEFAULT_PROGRAM_PATH = '/usr/sbin/flashrom';
const OPEN_MS = 10_000;
const SIGN_OF_LIFE_MS = 250;

export interface FlashromDriverOptions extends ToolPlace {
  readonly profile: DeviceProfile;
  /** The serprog programmer. */
  readonly address: NetworkAddress;
}

interface FlashromJob extends Work {
  readonly directory: string;
  readonly onMilestone?: (milestone: FlashromMilestone) => void;
}

export class FlashromDriver implements DeviceDriver {
  readonly profile: DeviceProfile;
  readonly programmer: ProgrammerInfo;
  readonly simulated: boolean;
  readonly #target: FlashromTarget;
  readonly #tool: InstalledTool;

  private constructor({ profile, address }: FlashromDriverOptions, tool: InstalledTool, programmerName: string) {
    this.profile = profile;
    const name = isPlaceholderText(programmerName) ? '(programmer without a name)' : programmerName;
    this.programmer = { model: `serprog ${name}`, serial: null, firmware: null };
    this.simulated = programmerName === SIMULATED_PROGRAMMER_NAME;
    this.#target = { profile, address: { host: address.host, port: address.port } };
    this.#tool = tool;
  }

  /**
   * Asks the programmer who it is, and removes images that killed processes left behind. Throws `LS-403` when none
   * answers, `DeviceError` when it is no serprog programmer.
   */
  static async open(options: FlashromDriverOptions): Promise<FlashromDriver> {
    expectNetworkAddress(options.address);
    const tool = await InstalledTool.open('flashrom', DEFAULT_PROGRAM_PATH, options);
    const client = await SerprogClient.open(options.address, AbortSignal.timeout(OPEN_MS));
    try {
      return new FlashromDriver(options, tool, await client.readProgrammerName());
    } finally {
      await client.close();
    }
  }

  async identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>> {
    return runOperation(this.profile, 'identify', options, async ({ signal }) =>
      this.#onWire(signal, async (flash) => identifyFlash(flash, this.profile)),
    );
  }

  async readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>> {
    return runOperation(this.profile, 'readHardwareId', options, async ({ signal }) =>
      this.#onWire(signal, async (flash) => readFlashHardwareId(flash, this.profile)),
    );
  }

  async erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    expectEraseBlocks(this.profile, range);
    return runOperation(this.profile, 'erase', options, async (work) => {
      await this.#changeContent(work.signal, range, async (directory) => {
        const output = await this.#flashrom(eraseArguments(this.#target, range), { ...work, directory });
        if (!output.claimsWritten) throw noClaim('erased');
      });
      return undefined;
    });
  }

  async program(order: ProgramOrder, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const range = { address: order.address, length: order.image.length };
    expectRange(this.profile, range);
    // The bytes to be written are fixed here, whatever the caller does to its buffer.
    const own = order.image.slice();
    const image = imageFile(this.profile, range, own);
    const outcome = await runOperation(this.profile, 'program', options, async (work) => {
      const progress = new WriteProgress(range, order.onProgress ?? (() => undefined));
      await this.#changeContent(work.signal, range, async (directory) => {
        await writeFile(join(directory, FLASHROM_FILES.image), image, { mode: 0o600 });
        const onMilestone = progress.advance.bind(progress);
        const signOfLife = setInterval(progress.repeat.bind(progress), SIGN_OF_LIFE_MS);
        try {
          const job = { ...work, directory, onMilestone };
          const output = await this.#flashrom(writeArguments(this.#target, range), job);
          if (!output.claimsWritten) throw noClaim('written');
        } finally {
          clearInterval(signOfLife);
        }
      });
      progress.complete();
      return undefined;
    });
    // It may be one that was sealed, and that nobody finds here afterwards.
    own.fill(0);
    image.fill(0);
    return outcome;
  }

  async readBack(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<Bytes>> {
    expectRange(this.profile, range);
    return runOperation(this.profile, 'readBack', options, async (work) => {
      const before = await this.#hardwareId(work.signal);
      const content = await this.#inDirectory(range, async (directory) => {
        const output = await this.#flashrom(readArguments(this.#target, range), { ...work, directory });
        if (!output.claimsRead) throw noClaim('read');
        return readImageFile(join(directory, FLASHROM_FILES.content));
      });
      await this.#expectSameDevice(work.signal, before);
      if (content.length !== this.profile.sizeBytes) throw noClaim('read in full');
      const bytes = content.slice(range.address, range.address + range.length);
      content.fill(0);
      return bytes;
    });
  }

  async lock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'lock', options, async ({ signal }) =>
      this.#onWire(signal, async (flash) => {
        await identifyFlash(flash, this.profile);
        await lockFlash(flash, this.profile.lockRecipe);
        return undefined;
      }),
    );
  }

  async readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>> {
    return runOperation(this.profile, 'readLockState', options, async ({ signal }) =>
      this.#onWire(signal, async (flash) => testLock(flash, this.profile)),
    );
  }

  /** Closing the wire switches the part off where the programmer can; the reset instruction does the rest. */
  async reset(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'reset', options, async ({ signal }) => {
      await this.#onWire(signal, async (flash) => flash.reset());
      await this.#onWire(signal, async (flash) => identifyFlash(flash, this.profile));
      return undefined;
    });
  }

  async #onWire<T>(signal: AbortSignal, work: (flash: SpiNorFlash) => Promise<T>): Promise<T> {
    const client = await SerprogClient.open(this.#target.address, signal);
    try {
      return await work(new SpiNorFlash(client, signal));
    } finally {
      await client.close();
    }
  }

  async #hardwareId(signal: AbortSignal): Promise<HardwareIdReading> {
    return this.#onWire(signal, async (flash) => readFlashHardwareId(flash, this.profile));
  }

  async #expectSameDevice(signal: AbortSignal, before: HardwareIdReading): Promise<void> {
    try {
      await this.#onWire(signal, async (flash) => expectSameDevice(flash, this.profile, before));
    } catch (cause) {
      // Before the work a missing programmer means that nothing was sent; after it, that nobody can tell.
      if (!hasCode(cause, 'LS-403')) throw cause;
      throw new DeviceError('ERR_DEVICE_LINK', 'the programmer went away before the device was seen again', { cause });
    }
  }

  /** Opens the range for writing, runs `work`, and makes sure that the same part is still there. */
  async #changeContent(
    signal: AbortSignal,
    range: FlashRange,
    work: (directory: string) => Promise<void>,
  ): Promise<void> {
    const before = await this.#onWire(signal, async (flash) => {
      const hardwareId = await readFlashHardwareId(flash, this.profile);
      await openForWriting(flash, this.profile, range);
      return hardwareId;
    });
    await this.#inDirectory(range, work);
    await this.#expectSameDevice(signal, before);
  }

  async #inDirectory<T>(range: FlashRange, work: (directory: string) => Promise<T>): Promise<T> {
    return this.#tool.withDirectory(async (directory) => {
      const layout = layoutFor(this.profile, range);
      if (layout !== null) await writeFile(join(directory, FLASHROM_FILES.layout), layout, { mode: 0o600 });
      return work(directory);
    });
  }

  /**
   * Runs the tool. One that gives up before it has spoken to the device – it allows the programmer half a second for an
   * answer – is started again: nothing has been tried on the device yet.
   */
  async #flashrom(args: readonly string[], job: FlashromJob): Promise<FlashromOutput> {
    for (let start = 1; ; start += 1) {
      const { exitCode, output } = await this.#startFlashrom(args, job);
      if (exitCode === 0) return output;
      const error = output.toError(exitCode);
      if (!output.neverBegan || start >= this.profile.maxToolStarts) throw error;
      job.onRetry(start, error.message);
    }
  }

  async #startFlashrom(
    args: readonly string[],
    { directory, signal, onMilestone }: FlashromJob,
  ): Promise<{ exitCode: number; output: FlashromOutput }> {
    const output = new FlashromOutput();
    const exitCode = await this.#tool.run({
      args,
      directory,
      signal,
      onOutput: (text) => {
        for (const milestone of output.receive(text)) onMilestone?.(milestone);
      },
    });
    return { exitCode, output };
  }
}

function noClaim(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_TOOL', `flashrom ended without an error and without saying that it has ${what}`);
}

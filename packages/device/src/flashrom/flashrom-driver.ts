// SPDX-License-Identifier: Apache-2.0
/**
 * The driver for boards on a serprog programmer: flashrom moves the content, and what flashrom cannot do – hardware
 * identifier, lock and the tests of it – goes over the same wire. Every run of the tool is a fresh process.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { hasCode, type Bytes } from '@witnessmark/core';
import { runBounded } from '../bounded.ts';
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
import { readImageFile } from '../image-file.ts';
import { isPlaceholderText } from '../hardware-id.ts';
import type { DeviceProfile, TimeLimits } from '../profile.ts';
import { expectEraseBlocks, expectRange } from '../range.ts';
import { SerprogClient, type SerprogAddress } from '../serprog/client.ts';
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
  expectAddress,
  FLASHROM_FILES,
  imageFile,
  layoutFor,
  readArguments,
  writeArguments,
  type FlashromTarget,
} from './command.ts';
import { FlashromOutput, type FlashromMilestone } from './output.ts';
import { runFlashrom, sweepPrivateDirectories, withPrivateDirectory } from './process.ts';
import { WriteProgress } from './write-progress.ts';

const DEFAULT_PROGRAM_PATH = '/usr/sbin/flashrom';
const OPEN_MS = 10_000;
const SIGN_OF_LIFE_MS = 250;

export interface FlashromDriverOptions {
  readonly profile: DeviceProfile;
  /** The serprog programmer. */
  readonly address: SerprogAddress;
  readonly programPath?: string;
  /** Where each run gets its private directory for images; may be a file system in memory. */
  readonly temporaryDirectory?: string;
}

interface FlashromJob {
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onMilestone: (milestone: FlashromMilestone) => void;
  readonly onRetry: (start: number, detail: string) => void;
}

export class FlashromDriver implements DeviceDriver {
  readonly profile: DeviceProfile;
  readonly programmer: ProgrammerInfo;
  readonly simulated: boolean;
  readonly #target: FlashromTarget;
  readonly #programPath: string;
  readonly #temporaryDirectory: string;

  private constructor(options: FlashromDriverOptions, programmerName: string) {
    const { profile, address } = options;
    const { host, port } = address;
    this.profile = profile;
    const name = isPlaceholderText(programmerName) ? '(programmer without a name)' : programmerName;
    this.programmer = { model: `serprog ${name}`, serial: null, firmware: null };
    this.simulated = programmerName === SIMULATED_PROGRAMMER_NAME;
    this.#target = { profile, address: { host, port } };
    this.#programPath = options.programPath ?? DEFAULT_PROGRAM_PATH;
    this.#temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  }

  /**
   * Asks the programmer who it is, and removes images that killed processes left behind. Throws `LS-403` when none
   * answers, `DeviceError` when it is no serprog programmer.
   */
  static async open(options: FlashromDriverOptions): Promise<FlashromDriver> {
    expectAddress(options.address);
    await sweepPrivateDirectories(options.temporaryDirectory ?? tmpdir());
    const client = await SerprogClient.open(options.address, AbortSignal.timeout(OPEN_MS));
    try {
      return new FlashromDriver(options, await client.readProgrammerName());
    } finally {
      await client.close();
    }
  }

  async identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>> {
    return this.#run('identify', options, async (signal) =>
      this.#onWire(signal, async (flash) => identifyFlash(flash, this.profile)),
    );
  }

  async readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>> {
    return this.#run('readHardwareId', options, async (signal) =>
      this.#onWire(signal, async (flash) => readFlashHardwareId(flash, this.profile)),
    );
  }

  async erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    expectEraseBlocks(this.profile, range);
    return this.#run('erase', options, async (signal) => {
      await this.#changeContent(signal, range, async (directory) => {
        const job = { directory, signal, onMilestone: () => undefined, onRetry: toRetries('erase', options) };
        const output = await this.#flashrom(eraseArguments(this.#target, range), job);
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
    const outcome = await this.#run('program', options, async (signal) => {
      const progress = new WriteProgress(range, order.onProgress ?? (() => undefined));
      await this.#changeContent(signal, range, async (directory) => {
        await writeFile(join(directory, FLASHROM_FILES.image), image, { mode: 0o600 });
        const onMilestone = progress.advance.bind(progress);
        const job = { directory, signal, onMilestone, onRetry: toRetries('program', options) };
        const signOfLife = setInterval(progress.repeat.bind(progress), SIGN_OF_LIFE_MS);
        try {
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
    return this.#run('readBack', options, async (signal) => {
      const before = await this.#hardwareId(signal);
      const content = await this.#inDirectory(range, async (directory) => {
        const job = { directory, signal, onMilestone: () => undefined, onRetry: toRetries('readBack', options) };
        const output = await this.#flashrom(readArguments(this.#target, range), job);
        if (!output.claimsRead) throw noClaim('read');
        return readImageFile(join(directory, FLASHROM_FILES.content));
      });
      await this.#expectSameDevice(signal, before);
      if (content.length !== this.profile.sizeBytes) throw noClaim('read in full');
      const bytes = content.slice(range.address, range.address + range.length);
      content.fill(0);
      return bytes;
    });
  }

  async lock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return this.#run('lock', options, async (signal) =>
      this.#onWire(signal, async (flash) => {
        await identifyFlash(flash, this.profile);
        await lockFlash(flash, this.profile.lockRecipe);
        return undefined;
      }),
    );
  }

  async readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>> {
    return this.#run('readLockState', options, async (signal) =>
      this.#onWire(signal, async (flash) => testLock(flash, this.profile)),
    );
  }

  /** Closing the wire switches the part off where the programmer can; the reset instruction does the rest. */
  async reset(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return this.#run('reset', options, async (signal) => {
      await this.#onWire(signal, async (flash) => flash.reset());
      await this.#onWire(signal, async (flash) => identifyFlash(flash, this.profile));
      return undefined;
    });
  }

  async #run<T>(
    name: keyof TimeLimits,
    options: OperationOptions | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<DriverOutcome<T>> {
    const timeoutMs = options?.timeoutMs ?? this.profile.timeLimitsMs[name];
    return runBounded({ name, timeoutMs, signal: options?.signal }, work);
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
    return withPrivateDirectory(this.#temporaryDirectory, async (directory) => {
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
    const exitCode = await runFlashrom({
      programPath: this.#programPath,
      args,
      directory,
      signal,
      onOutput: (text) => {
        for (const milestone of output.receive(text)) onMilestone(milestone);
      },
    });
    return { exitCode, output };
  }
}

function toRetries(operation: string, options: OperationOptions | undefined): FlashromJob['onRetry'] {
  return (start, detail) => options?.onRetry?.({ operation, start, detail });
}

function noClaim(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_TOOL', `flashrom ended without an error and without saying that it has ${what}`);
}

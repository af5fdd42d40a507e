// SPDX-License-Identifier: Apache-2.0
/**
 * The driver for STM32F1 boards behind OpenOCD. Every question is a fresh process with a script of its own; a run
 * counts only when the script came to its end, whatever the exit status says.
 */
import { RefusedError, type Bytes } from '@witnessmark/core';
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
import { expectHardwareId, expectNotExchanged, expectSameId } from '../hardware-id.ts';
import type { ToolPlace } from '../installed-tool.ts';
import { expectNetworkAddress, type NetworkAddress } from '../network-address.ts';
import { runOperation } from '../operation.ts';
import type { McuProfile } from '../profile.ts';
import { coveringBlocks, expectEraseBlocks, expectRange, isErased, splitRange } from '../range.ts';
import { RDP_OPEN } from '../stm32/memory-map.ts';
import type { OpenocdOutput } from './output.ts';
import {
  eraseScript,
  inspectScript,
  lockScript,
  lockTestScript,
  readScript,
  resetScript,
  unlockScript,
  writeScript,
  type ImagePiece,
  type OpenocdTarget,
} from './script.ts';
import { OpenocdTool, type OpenocdJob } from './tool.ts';

/** About a tenth of a second of work, so that progress is seen. */
const PIECE_BYTES = 128;

export interface OpenocdDriverOptions extends ToolPlace {
  readonly profile: McuProfile;
  /** The remote_bitbang programmer. */
  readonly address: NetworkAddress;
}

export class OpenocdDriver implements DeviceDriver {
  readonly profile: McuProfile;
  readonly programmer: ProgrammerInfo;
  /** remote_bitbang does not say who is behind it, so what it reaches counts as a model. */
  readonly simulated = true;
  readonly #target: OpenocdTarget;
  readonly #tool: OpenocdTool;

  private constructor({ profile, address }: OpenocdDriverOptions, tool: OpenocdTool) {
    this.profile = profile;
    this.programmer = { model: `OpenOCD ${tool.version} remote_bitbang`, serial: null, firmware: null };
    this.#target = { profile, address: { host: address.host, port: address.port } };
    this.#tool = tool;
  }

  /**
   * Asks the tool who it is, and removes images that killed processes left behind. Throws `LS-403` when it is missing or
   * too old, `TypeError` for an address that is none.
   */
  static async open(options: OpenocdDriverOptions): Promise<OpenocdDriver> {
    expectNetworkAddress(options.address);
    return new OpenocdDriver(options, await OpenocdTool.open(options));
  }

  async identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>> {
    return runOperation(this.profile, 'identify', options, async ({ signal }) => {
      await this.#inspect(signal);
      const { model, sizeBytes, jedecId } = this.profile;
      return { model, sizeBytes, jedecId };
    });
  }

  async readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>> {
    return runOperation(this.profile, 'readHardwareId', options, async ({ signal }) => {
      const hardwareId = await this.#inspect(signal);
      return { scheme: this.profile.hardwareIdScheme, value: hardwareId };
    });
  }

  async erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    expectEraseBlocks(this.profile, range);
    return runOperation(this.profile, 'erase', options, async ({ signal }) => {
      const hardwareId = await this.#inspect(signal);
      await this.#change(hardwareId, { signal, script: eraseScript(this.#target, hardwareId, range) });
      return undefined;
    });
  }

  async program(order: ProgramOrder, options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    const range = { address: order.address, length: order.image.length };
    expectRange(this.profile, range);
    // The bytes to be written are fixed here, whatever the caller does to its buffer.
    const image = order.image.slice();
    return runOperation(this.profile, 'program', options, async ({ signal }) => {
      const pages = coveringBlocks(range, this.profile.eraseBlockBytes);
      const report = (phase: ProgramPhase, doneBytes: number): void =>
        order.onProgress?.({ phase, doneBytes, totalBytes: pages.length });
      report('prepare', 0);
      const hardwareId = await this.#inspect(signal);
      let content: Bytes = image;
      if (pages.length !== image.length) {
        content = await this.#read(signal, pages);
        content.set(image, range.address - pages.address);
      }
      const { pieces, files } = toPieces(pages, content);
      await this.#change(hardwareId, {
        signal,
        script: writeScript(this.#target, hardwareId, pages, pieces),
        files,
        onMilestone: ({ kind, address }) => {
          report(kind === 'erased' ? 'erase' : 'program', address - pages.address);
        },
      });
      return undefined;
    });
  }

  async readBack(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<Bytes>> {
    expectRange(this.profile, range);
    return runOperation(this.profile, 'readBack', options, async ({ signal }) => {
      const pages = coveringBlocks(range, this.profile.eraseBlockBytes);
      const content = await this.#read(signal, pages);
      return content.slice(range.address - pages.address, range.address - pages.address + range.length);
    });
  }

  /** Takes effect with the next reset. */
  async lock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'lock', options, async ({ signal }) => {
      const hardwareId = await this.#inspect(signal);
      await this.#change(hardwareId, { signal, script: lockScript(this.#target, hardwareId) });
      return undefined;
    });
  }

  /** Undoes the lock for rework: the part erases its whole flash. Takes effect with the next reset. */
  async unlock(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'erase', options, async ({ signal }) => {
      const hardwareId = await this.#inspect(signal);
      await this.#change(hardwareId, { signal, script: unlockScript(this.#target, hardwareId) });
      return undefined;
    });
  }

  async readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>> {
    return runOperation(this.profile, 'readLockState', options, async ({ signal }) => {
      const { output } = await this.#tool.run({ signal, script: lockTestScript(this.#target) });
      this.#expectPart(output);
      // The part named itself before and after the reads that failed: it was there, and refused.
      this.#hardwareId(output);
      const { protection, readable } = output;
      if (protection === null) throw incomplete();
      if (!protection.isActive || readable.length > 0) return 'open';
      // The lock acts now and would be gone after the next reset.
      return protection.optionRdp === RDP_OPEN.toString(16) ? 'open' : 'locked';
    });
  }

  async reset(options?: OperationOptions): Promise<DriverOutcome<undefined>> {
    return runOperation(this.profile, 'reset', options, async ({ signal }) => {
      await this.#tool.run({ signal, script: resetScript(this.#target) });
      await this.#tool.run({ signal, script: inspectScript(this.#target) });
      return undefined;
    });
  }

  /** The hardware id of the part, which is the one of the profile. */
  async #inspect(signal: AbortSignal): Promise<Bytes> {
    const { output } = await this.#tool.run({ signal, script: inspectScript(this.#target) });
    this.#expectPart(output);
    return this.#hardwareId(output);
  }

  async #read(signal: AbortSignal, range: FlashRange): Promise<Bytes> {
    const { output, content } = await this.#tool.run({ signal, script: readScript(this.#target, range) });
    this.#expectPart(output);
    this.#hardwareId(output);
    // A dump that fails leaves an empty file.
    if (content?.length !== range.length) throw incomplete();
    return content;
  }

  /** Runs a script that changes the part, and makes sure that the part is still the one with this id. */
  async #change(hardwareId: Bytes, job: OpenocdJob): Promise<void> {
    try {
      const { output } = await this.#tool.run(job);
      for (const id of output.ids) expectSameId(hardwareId, id);
    } catch (error) {
      if (!(error instanceof DeviceError) || job.signal.aborted) throw error;
      const inspect = { signal: job.signal, script: inspectScript(this.#target) };
      await expectNotExchanged(hardwareId, async () => (await this.#tool.run(inspect)).output.ids);
      throw error;
    }
  }

  #expectPart({ part }: OpenocdOutput): void {
    if (part === null) throw incomplete();
    const { model, sizeBytes } = this.profile;
    if (part.sizeBytes !== sizeBytes) {
      throw new RefusedError('UF-01', `expected a ${model} of ${sizeBytes} bytes, found ${part.sizeBytes} bytes`);
    }
  }

  /** The id, read at least twice; throws `UF-01` when it is none. */
  #hardwareId({ ids }: OpenocdOutput): Bytes {
    const [value, again, ...later] = ids;
    if (value === undefined || again === undefined) throw incomplete();
    expectHardwareId(this.profile, [value, again]);
    for (const other of later) expectSameId(value, other);
    return value;
  }
}

/** Cuts the content into files, leaving out what an erased flash holds already. */
function toPieces(
  range: FlashRange,
  content: Bytes,
): { readonly pieces: ImagePiece[]; readonly files: ReadonlyMap<string, Bytes> } {
  const pieces: ImagePiece[] = [];
  const files = new Map<string, Bytes>();
  for (const { address, length } of splitRange(range, PIECE_BYTES)) {
    const bytes = content.slice(address - range.address, address - range.address + length);
    if (isErased(bytes)) continue;
    const file = `piece-${address}.bin`;
    pieces.push({ file, address, length });
    files.set(file, bytes);
  }
  return { pieces, files };
}

function incomplete(): DeviceError {
  return new DeviceError('ERR_DEVICE_TOOL', 'OpenOCD came to the end of its script and left something out');
}

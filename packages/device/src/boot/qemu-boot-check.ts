// SPDX-License-Identifier: Apache-2.0
/** Boot check on QEMU: an AST2500 whose serial flash is exactly what the programmed chip holds, byte for byte. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { runBounded } from '../bounded.ts';
import type { DriverOutcome, OperationOptions } from '../contract.ts';
import { DeviceError } from '../error.ts';
import { runTool, sweepToolDirectories, withToolDirectory } from '../tool-process.ts';
import type { BootCheck, BootReport } from './boot-check.ts';
import { BootLine } from './boot-line.ts';

const TOOL = 'qemu';
const DEFAULT_PROGRAM_PATH = '/usr/bin/qemu-system-arm';
const DEFAULT_TIMEOUT_MS = 30_000;
const FLASH_FILE = 'flash.bin';
/** QEMU's name for the flash on chip select 0, and the size it insists on. */
const FLASH_MODELS: ReadonlyMap<number, string> = new Map([
  [1024 * 1024, 'w25q80'],
  [32 * 1024 * 1024, 'w25q256'],
]);

export interface QemuBootCheckOptions {
  /** What the chip holds now; asked for at each start. */
  readonly readChip: () => Bytes;
  readonly programPath?: string;
  /** Where each run gets its private directory; may be a file system in memory. */
  readonly temporaryDirectory?: string;
}

export class QemuBootCheck implements BootCheck {
  readonly model = 'QEMU ast2500-evb';
  readonly simulated = true;
  readonly #options: QemuBootCheckOptions;
  readonly #programPath: string;
  readonly #temporaryDirectory: string;

  private constructor(options: QemuBootCheckOptions) {
    this.#options = options;
    this.#programPath = options.programPath ?? DEFAULT_PROGRAM_PATH;
    this.#temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  }

  /** Removes images that killed processes left behind. */
  static async open(options: QemuBootCheckOptions): Promise<QemuBootCheck> {
    const check = new QemuBootCheck(options);
    await sweepToolDirectories(TOOL, check.#temporaryDirectory);
    return check;
  }

  /** Throws `RangeError` for a chip of a size the machine has no flash of. */
  async readBootReport(options?: OperationOptions): Promise<DriverOutcome<BootReport>> {
    const content = this.#options.readChip().slice();
    const flashModel = FLASH_MODELS.get(content.length);
    if (flashModel === undefined) throw new RangeError(`the machine has no flash of ${content.length} bytes`);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options ?? {};
    return runBounded({ name: 'boot', timeoutMs, signal }, async (stop) =>
      withToolDirectory(TOOL, this.#temporaryDirectory, async (directory) => {
        await writeFile(join(directory, FLASH_FILE), content, { mode: 0o600 });
        return this.#start(directory, flashModel, stop);
      }),
    );
  }

  /** Runs the machine until its firmware has reported; a firmware never ends by itself. */
  async #start(directory: string, flashModel: string, signal: AbortSignal): Promise<BootReport> {
    const line = new BootLine();
    const heard = new AbortController();
    try {
      const exitCode = await runTool(TOOL, {
        programPath: this.#programPath,
        args: machineArguments(flashModel),
        directory,
        signal: AbortSignal.any([signal, heard.signal]),
        onOutput: (text) => {
          if (heard.signal.aborted) return;
          try {
            line.receive(text);
          } catch (error) {
            heard.abort(error);
          }
          if (line.report !== null) heard.abort();
        },
      });
      throw new DeviceError('ERR_DEVICE_TOOL', `QEMU ended with status ${exitCode} before the firmware had reported`);
    } catch (error) {
      if (line.report === null || signal.aborted) throw error;
      return line.report;
    }
  }
}

/** No network, no monitor, nothing the machine writes is kept, and no further process. */
function machineArguments(flashModel: string): string[] {
  return [
    ...['-M', `ast2500-evb,fmc-model=${flashModel}`],
    ...['-display', 'none', '-monitor', 'none', '-nic', 'none', '-serial', 'stdio'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-drive', `file=${FLASH_FILE},format=raw,if=mtd,snapshot=on`],
  ];
}

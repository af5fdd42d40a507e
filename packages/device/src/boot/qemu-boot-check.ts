// SPDX-License-Identifier: Apache-2.0
/** Boot check on QEMU: an AST2500 whose serial flash is exactly what the programmed chip holds, byte for byte. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { runBounded } from '../bounded.ts';
import type { DriverOutcome, OperationOptions } from '../contract.ts';
import { InstalledTool, type ToolPlace } from '../installed-tool.ts';
import type { BootCheck, BootReport } from './boot-check.ts';
import { hearReport } from './hear-report.ts';

const DEFAULT_PROGRAM_PATH = '/usr/bin/qemu-system-arm';
const DEFAULT_TIMEOUT_MS = 30_000;
const FLASH_FILE = 'flash.bin';
/** QEMU's name for the flash on chip select 0, and the size it insists on. */
const FLASH_MODELS: ReadonlyMap<number, string> = new Map([
  [1024 * 1024, 'w25q80'],
  [32 * 1024 * 1024, 'w25q256'],
]);

export interface QemuBootCheckOptions extends ToolPlace {
  /** What the chip holds now; asked for at each start. */
  readonly readChip: () => Bytes;
}

export class QemuBootCheck implements BootCheck {
  readonly model = 'QEMU ast2500-evb';
  readonly simulated = true;
  readonly #readChip: () => Bytes;
  readonly #tool: InstalledTool;

  private constructor(readChip: () => Bytes, tool: InstalledTool) {
    this.#readChip = readChip;
    this.#tool = tool;
  }

  /** Removes images that killed processes left behind. */
  static async open({ readChip, ...place }: QemuBootCheckOptions): Promise<QemuBootCheck> {
    return new QemuBootCheck(readChip, await InstalledTool.open('qemu', DEFAULT_PROGRAM_PATH, place));
  }

  /** Throws `RangeError` for a chip of a size the machine has no flash of. */
  async readBootReport(options?: OperationOptions): Promise<DriverOutcome<BootReport>> {
    const content = this.#readChip().slice();
    const flashModel = FLASH_MODELS.get(content.length);
    if (flashModel === undefined) throw new RangeError(`the machine has no flash of ${content.length} bytes`);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options ?? {};
    return runBounded({ name: 'boot', timeoutMs, signal }, async (stop) =>
      this.#tool.withDirectory(async (directory) => {
        await writeFile(join(directory, FLASH_FILE), content, { mode: 0o600 });
        return this.#start(directory, flashModel, stop);
      }),
    );
  }

  /** Runs the machine until its firmware has reported; a firmware never ends by itself. */
  #start(directory: string, flashModel: string, stop: AbortSignal): Promise<BootReport> {
    return hearReport(stop, async (hear, signal) => {
      const exitCode = await this.#tool.run({
        args: machineArguments(flashModel),
        directory,
        signal,
        onOutput: hear,
      });
      return `QEMU ended with status ${exitCode}`;
    });
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

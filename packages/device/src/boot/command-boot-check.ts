// SPDX-License-Identifier: Apache-2.0
/**
 * Boot check with a program that starts the board: it runs after a reset, and what it writes to standard output is the
 * board's console. A simulated part can be handed to it as a file (spec/device-driver.md, "Boot check").
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { runBounded } from '../bounded.ts';
import type { DeviceDriver, DriverOutcome, OperationOptions } from '../contract.ts';
import { InstalledTool, type ToolPlace } from '../installed-tool.ts';
import type { BootCheck, BootReport } from './boot-check.ts';
import { BOOT_CLEAN_UP_MS, DEFAULT_BOOT_TIMEOUT_MS, resetBoard } from './reset-board.ts';
import { hearReport } from './hear-report.ts';

/** In an argument: the name of a file with the whole content of the simulated part. */
const CHIP_PLACEHOLDER = '{chip}';

const CHIP_FILE = 'chip.bin';

export interface CommandBootCheckOptions extends Pick<ToolPlace, 'temporaryDirectory'> {
  /** What starts the board, for the record. */
  readonly model: string;
  readonly driver: Pick<DeviceDriver, 'profile' | 'simulated' | 'readBack' | 'reset'>;
  /** Absolute. It runs in a private directory, without a shell, as every tool does. */
  readonly programPath: string;
  readonly args: readonly string[];
  /** From the reset to the report. */
  readonly timeoutMs?: number;
}

export class CommandBootCheck implements BootCheck {
  readonly model: string;
  readonly simulated: boolean;
  readonly #options: CommandBootCheckOptions;
  readonly #tool: InstalledTool;

  private constructor(options: CommandBootCheckOptions, tool: InstalledTool) {
    this.model = options.model;
    this.simulated = options.driver.simulated;
    this.#options = options;
    this.#tool = tool;
  }

  /** Removes what killed processes left behind. Throws `TypeError` for a real part that would have to be handed over. */
  static async open(options: CommandBootCheckOptions): Promise<CommandBootCheck> {
    if (takesChip(options) && !options.driver.simulated) {
      throw new TypeError('only a simulated part is handed over as a file');
    }
    return new CommandBootCheck(options, await InstalledTool.open('boot', options.programPath, options));
  }

  async readBootReport(options: OperationOptions = {}): Promise<DriverOutcome<BootReport>> {
    const { timeoutMs = this.#options.timeoutMs ?? DEFAULT_BOOT_TIMEOUT_MS, signal } = options;
    const chip = await this.#readChip(signal);
    if (chip.state !== 'DONE') return chip;
    return runBounded({ name: 'boot', timeoutMs, signal, cleanUpMs: BOOT_CLEAN_UP_MS }, async (stop) =>
      this.#tool.withDirectory(async (directory) => {
        if (chip.value !== null) await writeFile(join(directory, CHIP_FILE), chip.value, { mode: 0o600 });
        await resetBoard(this.#options.driver, stop);
        return this.#start(directory, stop);
      }),
    );
  }

  /** Null where the program needs none; within the limits of the part's profile. */
  async #readChip(signal: AbortSignal | undefined): Promise<DriverOutcome<Bytes | null>> {
    if (!takesChip(this.#options)) return { state: 'DONE', value: null };
    const { driver } = this.#options;
    const whole = { address: 0, length: driver.profile.sizeBytes };
    return driver.readBack(whole, signal === undefined ? {} : { signal });
  }

  /** Runs the program until the firmware has reported; a board never ends by itself. */
  #start(directory: string, stop: AbortSignal): Promise<BootReport> {
    const { programPath, args } = this.#options;
    return hearReport(stop, async (hear, signal) => {
      const exitCode = await this.#tool.run({
        args: args.map((argument) => argument.replaceAll(CHIP_PLACEHOLDER, CHIP_FILE)),
        directory,
        signal,
        onOutput: (text, stream) => {
          if (stream === 'stdout') hear(text);
        },
      });
      return `${programPath} ended with status ${exitCode}`;
    });
  }
}

function takesChip({ args }: Pick<CommandBootCheckOptions, 'args'>): boolean {
  return args.some((argument) => argument.includes(CHIP_PLACEHOLDER));
}

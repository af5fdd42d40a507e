// SPDX-License-Identifier: Apache-2.0
/** File and process adapter: one run of OpenOCD with a script and its files in a private directory. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { readImageFileIfThere } from '../image-file.ts';
import { InstalledTool, type ToolPlace } from '../installed-tool.ts';
import { OpenocdOutput, type OpenocdMilestone } from './output.ts';
import { OPENOCD_FILES } from './script.ts';

const DEFAULT_PROGRAM_PATH = '/usr/bin/openocd';
const VERSION = /Open On-Chip Debugger (\d+)\.(\d+)\.(\d+)/;
/** The first release with `read_memory`. */
const MIN_MINOR_VERSION = 12;

export interface OpenocdJob {
  readonly signal: AbortSignal;
  readonly script: string;
  /** Files the script names. */
  readonly files?: ReadonlyMap<string, Bytes>;
  readonly onMilestone?: (milestone: OpenocdMilestone) => void;
}

export interface OpenocdResult {
  readonly output: OpenocdOutput;
  /** What a `dump_image` of the script has left. */
  readonly content: Bytes | null;
}

export class OpenocdTool {
  readonly version: string;
  readonly #tool: InstalledTool;

  private constructor(tool: InstalledTool, version: string) {
    this.#tool = tool;
    this.version = version;
  }

  /** Removes what killed processes left in the directory. Throws `LS-403` when the tool is missing or too old. */
  static async open(place: ToolPlace): Promise<OpenocdTool> {
    const tool = await InstalledTool.open('openocd', DEFAULT_PROGRAM_PATH, place);
    const [, major, minor, patch] = VERSION.exec(await tool.readVersion(['--version'])) ?? [];
    if (major === undefined || minor === undefined || (Number(major) === 0 && Number(minor) < MIN_MINOR_VERSION)) {
      throw new RefusedError('LS-403', `${tool.programPath} is not OpenOCD 0.${MIN_MINOR_VERSION} or later`);
    }
    return new OpenocdTool(tool, [major, minor, patch].join('.'));
  }

  /** Throws what the run amounts to when its script did not come to the end, whatever the exit status says. */
  async run({ signal, script, files, onMilestone }: OpenocdJob): Promise<OpenocdResult> {
    return this.#tool.withDirectory(async (directory) => {
      await writeFile(join(directory, OPENOCD_FILES.script), script, { mode: 0o600 });
      for (const [name, bytes] of files ?? []) await writeFile(join(directory, name), bytes, { mode: 0o600 });
      const output = new OpenocdOutput();
      const problems: DeviceError[] = [];
      const exitCode = await this.#tool.run({
        args: ['--file', OPENOCD_FILES.script],
        directory,
        signal,
        onOutput: (text) => {
          for (const milestone of receive(output, text, problems)) onMilestone?.(milestone);
        },
      });
      if (problems[0] !== undefined) throw problems[0];
      if (exitCode !== 0 || !output.ended) throw output.toError(exitCode);
      return { output, content: await readImageFileIfThere(join(directory, OPENOCD_FILES.content)) };
    });
  }
}

/** Keeps an error out of the stream's event handler until the tool has ended. */
function receive(output: OpenocdOutput, text: string, problems: DeviceError[]): OpenocdMilestone[] {
  try {
    return output.receive(text);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    problems.push(error);
    return [];
  }
}

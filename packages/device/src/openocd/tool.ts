// SPDX-License-Identifier: Apache-2.0
/** File and process adapter: one run of OpenOCD with a script and its files in a private directory. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { runTool, sweepToolDirectories, withToolDirectory } from '../tool-process.ts';
import { OpenocdOutput, type OpenocdMilestone } from './output.ts';
import { OPENOCD_FILES } from './script.ts';

const TOOL = 'openocd';
const OPEN_MS = 10_000;
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
  readonly #programPath: string;
  readonly #temporaryDirectory: string;

  private constructor(programPath: string, temporaryDirectory: string, version: string) {
    this.#programPath = programPath;
    this.#temporaryDirectory = temporaryDirectory;
    this.version = version;
  }

  /** Removes what killed processes left in the directory. Throws `LS-403` when the tool is missing or too old. */
  static async open(programPath: string, temporaryDirectory: string): Promise<OpenocdTool> {
    await sweepToolDirectories(TOOL, temporaryDirectory);
    return new OpenocdTool(programPath, temporaryDirectory, await readVersion(programPath, temporaryDirectory));
  }

  /** Throws what the run amounts to when its script did not come to the end, whatever the exit status says. */
  async run({ signal, script, files, onMilestone }: OpenocdJob): Promise<OpenocdResult> {
    return withToolDirectory(TOOL, this.#temporaryDirectory, async (directory) => {
      await writeFile(join(directory, OPENOCD_FILES.script), script, { mode: 0o600 });
      for (const [name, bytes] of files ?? []) await writeFile(join(directory, name), bytes, { mode: 0o600 });
      const output = new OpenocdOutput();
      const problems: DeviceError[] = [];
      const exitCode = await runTool(TOOL, {
        programPath: this.#programPath,
        args: ['--file', OPENOCD_FILES.script],
        directory,
        signal,
        onOutput: (text) => {
          for (const milestone of receive(output, text, problems)) onMilestone?.(milestone);
        },
      });
      if (problems[0] !== undefined) throw problems[0];
      if (exitCode !== 0 || !output.ended) throw output.toError(exitCode);
      return { output, content: await readIfThere(join(directory, OPENOCD_FILES.content)) };
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

async function readVersion(programPath: string, directory: string): Promise<string> {
  let said = '';
  await runTool(TOOL, {
    programPath,
    args: ['--version'],
    directory,
    signal: AbortSignal.timeout(OPEN_MS),
    onOutput: (text) => {
      said = (said + text).slice(0, 1024);
    },
  });
  const [, major, minor, patch] = VERSION.exec(said) ?? [];
  if (major === undefined || minor === undefined || (Number(major) === 0 && Number(minor) < MIN_MINOR_VERSION)) {
    throw new RefusedError('LS-403', `${programPath} is not OpenOCD 0.${MIN_MINOR_VERSION} or later`);
  }
  return [major, minor, patch].join('.');
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

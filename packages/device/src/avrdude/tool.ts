// SPDX-License-Identifier: Apache-2.0
/** File and process adapter: runs of avrdude with their files in a private directory. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { readImageFileIfThere } from '../image-file.ts';
import { InstalledTool, type ToolPlace } from '../installed-tool.ts';
import type { Work } from '../operation.ts';
import { AVRDUDE_FILES } from './command.ts';
import { AvrdudeOutput } from './output.ts';

const DEFAULT_PROGRAM_PATH = '/usr/bin/avrdude';
const VERSION = /avrdude version (\d+)\.(\d+)/;
/** The first whose `-A` keeps erased bytes at the end of what is read. */
const MIN_MAJOR_VERSION = 7;

export interface AvrdudeJob extends Work {
  readonly args: readonly string[];
  /** Written before the run, as Intel hexadecimal. */
  readonly image?: string;
  /** A share from 0 to 1 that never falls. */
  readonly onProgress?: (share: number) => void;
}

export interface AvrdudeResult {
  readonly output: AvrdudeOutput;
  /** Throws a `DeviceError` when the run has not left a file of this name and length. */
  read(name: keyof typeof AVRDUDE_FILES, length: number): Bytes;
}

export class AvrdudeTool {
  readonly version: string;
  readonly #tool: InstalledTool;
  readonly #maxStarts: number;

  private constructor(tool: InstalledTool, version: string, maxStarts: number) {
    this.#tool = tool;
    this.version = version;
    this.#maxStarts = maxStarts;
  }

  /** Removes what killed processes left in the directory. Throws `LS-403` when the tool is missing or too old. */
  static async open(place: ToolPlace, maxStarts: number): Promise<AvrdudeTool> {
    const tool = await InstalledTool.open('avrdude', DEFAULT_PROGRAM_PATH, place);
    const [, major, minor] = VERSION.exec(await tool.readVersion(['-?'])) ?? [];
    if (major === undefined || minor === undefined || Number(major) < MIN_MAJOR_VERSION) {
      throw new RefusedError('LS-403', `${tool.programPath} is not avrdude ${MIN_MAJOR_VERSION} or later`);
    }
    return new AvrdudeTool(tool, `${major}.${minor}`, maxStarts);
  }

  /** Throws what the run amounts to when it did not end well. A start that never reached the part is repeated. */
  async run(job: AvrdudeJob): Promise<AvrdudeResult> {
    for (let start = 1; ; start += 1) {
      const result = await this.#start(job);
      if (!(result instanceof Error)) return result;
      if (start >= this.#maxStarts || !result.isOutOfStep) throw result.cause;
      job.onRetry(start, result.message);
    }
  }

  async #start({ signal, args, image, onProgress }: AvrdudeJob): Promise<AvrdudeResult | FailedStart> {
    return this.#tool.withDirectory(async (directory) => {
      if (image !== undefined) await writeFile(join(directory, AVRDUDE_FILES.image), image, { mode: 0o600 });
      const output = new AvrdudeOutput();
      const exitCode = await this.#tool.run({
        args,
        directory,
        signal,
        onOutput: (text) => {
          const share = output.receive(text);
          if (share !== null) onProgress?.(share);
        },
      });
      if (exitCode !== 0) return new FailedStart(output.toError(exitCode), output.isOutOfStep);
      const files = await readFiles(directory);
      return {
        output,
        read: (name, length) => {
          const content = files.get(AVRDUDE_FILES[name]);
          if (content?.length === length) return content;
          throw new DeviceError('ERR_DEVICE_TOOL', `avrdude ended without an error and without all of the ${name}`);
        },
      };
    });
  }
}

/** A start that ended badly, and whether another one may do better. */
class FailedStart extends Error {
  override readonly cause: RefusedError | DeviceError;
  readonly isOutOfStep: boolean;

  constructor(cause: RefusedError | DeviceError, isOutOfStep: boolean) {
    super(cause.message);
    this.cause = cause;
    this.isOutOfStep = isOutOfStep;
  }
}

async function readFiles(directory: string): Promise<ReadonlyMap<string, Bytes>> {
  const files = new Map<string, Bytes>();
  for (const name of Object.values(AVRDUDE_FILES)) {
    const content = await readImageFileIfThere(join(directory, name));
    if (content !== null) files.set(name, content);
  }
  return files;
}

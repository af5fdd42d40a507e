// SPDX-License-Identifier: Apache-2.0
/** File and process adapter: runs of avrdude with their files in a private directory. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import { runTool, sweepToolDirectories, withToolDirectory } from '../tool-process.ts';
import { AVRDUDE_FILES } from './command.ts';
import { AvrdudeOutput } from './output.ts';

const TOOL = 'avrdude';
const OPEN_MS = 10_000;
const VERSION = /avrdude version (\d+)\.(\d+)/;
/** The first whose `-A` keeps erased bytes at the end of what is read. */
const MIN_MAJOR_VERSION = 7;

export interface AvrdudeJob {
  readonly signal: AbortSignal;
  readonly args: readonly string[];
  /** Written before the run, as Intel hexadecimal. */
  readonly image?: string;
  /** A share from 0 to 1 that never falls. */
  readonly onProgress?: (share: number) => void;
  /** Hears of a start that failed before the part had answered, when it is not the last. */
  readonly onRetry?: (start: number, detail: string) => void;
}

export interface AvrdudeResult {
  readonly output: AvrdudeOutput;
  /** Throws a `DeviceError` when the run has not left a file of this name and length. */
  read(name: keyof typeof AVRDUDE_FILES, length: number): Bytes;
}

export class AvrdudeTool {
  readonly version: string;
  readonly #programPath: string;
  readonly #temporaryDirectory: string;
  readonly #maxStarts: number;

  private constructor(options: {
    programPath: string;
    temporaryDirectory: string;
    maxStarts: number;
    version: string;
  }) {
    this.#programPath = options.programPath;
    this.#temporaryDirectory = options.temporaryDirectory;
    this.#maxStarts = options.maxStarts;
    this.version = options.version;
  }

  /** Removes what killed processes left in the directory. Throws `LS-403` when the tool is missing or too old. */
  static async open(options: {
    programPath: string;
    temporaryDirectory: string;
    maxStarts: number;
  }): Promise<AvrdudeTool> {
    const { programPath, temporaryDirectory } = options;
    await sweepToolDirectories(TOOL, temporaryDirectory);
    return new AvrdudeTool({ ...options, version: await readVersion(programPath, temporaryDirectory) });
  }

  /** Throws what the run amounts to when it did not end well. A start that never reached the part is repeated. */
  async run(job: AvrdudeJob): Promise<AvrdudeResult> {
    for (let start = 1; ; start += 1) {
      const result = await this.#start(job);
      if (!(result instanceof Error)) return result;
      if (start >= this.#maxStarts || !result.isOutOfStep) throw result.cause;
      job.onRetry?.(start, result.message);
    }
  }

  async #start({ signal, args, image, onProgress }: AvrdudeJob): Promise<AvrdudeResult | FailedStart> {
    return withToolDirectory(TOOL, this.#temporaryDirectory, async (directory) => {
      if (image !== undefined) await writeFile(join(directory, AVRDUDE_FILES.image), image, { mode: 0o600 });
      const output = new AvrdudeOutput();
      const exitCode = await runTool(TOOL, {
        programPath: this.#programPath,
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
    try {
      files.set(name, new Uint8Array(await readFile(join(directory, name))));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return files;
}

async function readVersion(programPath: string, directory: string): Promise<string> {
  let said = '';
  await runTool(TOOL, {
    programPath,
    args: ['-?'],
    directory,
    signal: AbortSignal.timeout(OPEN_MS),
    onOutput: (text) => {
      said = (said + text).slice(0, 16 * 1024);
    },
  });
  const [, major, minor] = VERSION.exec(said) ?? [];
  if (major === undefined || minor === undefined || Number(major) < MIN_MAJOR_VERSION) {
    throw new RefusedError('LS-403', `${programPath} is not avrdude ${MIN_MAJOR_VERSION} or later`);
  }
  return `${major}.${minor}`;
}

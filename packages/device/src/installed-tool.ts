// SPDX-License-Identifier: Apache-2.0
/** File adapter: a programming tool of this machine, and the private directories its runs work in. */
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool, type ToolRun } from './tool-process.ts';

const VERSION_MS = 10_000;
const MAX_VERSION_CHARACTERS = 16 * 1024;
/** `witnessmark`, the tool, the process id – which says whether a directory is still in use – and something random. */
const DIRECTORY_NAME = /^witnessmark-([a-z]{1,16})-([1-9]\d{0,9})-/;

export interface ToolPlace {
  readonly programPath?: string;
  /** Where each run gets its private directory for images; may be a file system in memory. */
  readonly temporaryDirectory?: string;
}

export class InstalledTool {
  readonly programPath: string;
  readonly #name: string;
  readonly #temporaryDirectory: string;

  private constructor(name: string, programPath: string, temporaryDirectory: string) {
    this.#name = name;
    this.programPath = programPath;
    this.#temporaryDirectory = temporaryDirectory;
  }

  /** Removes what runs of the tool by processes that were killed have left. Does not look whether the tool is there. */
  static async open(name: string, defaultPath: string, place: ToolPlace): Promise<InstalledTool> {
    const { programPath = defaultPath, temporaryDirectory = tmpdir() } = place;
    await sweepDirectories(name, temporaryDirectory);
    return new InstalledTool(name, programPath, temporaryDirectory);
  }

  /** Gives `work` a directory of its own, mode 0700, and removes it afterwards: it held firmware. */
  async withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(this.#temporaryDirectory, `witnessmark-${this.#name}-${process.pid}-`));
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Runs the tool to its end and returns its exit code; throws as `runTool` does. */
  async run(run: Omit<ToolRun, 'programPath'>): Promise<number> {
    return runTool(this.#name, { ...run, programPath: this.programPath });
  }

  /** What the tool says when it is asked for its version. Throws as `runTool` does. */
  async readVersion(args: readonly string[]): Promise<string> {
    let said = '';
    await this.run({
      args,
      directory: this.#temporaryDirectory,
      signal: AbortSignal.timeout(VERSION_MS),
      onOutput: (text) => {
        said = (said + text).slice(0, MAX_VERSION_CHARACTERS);
      },
    });
    return said;
  }
}

async function sweepDirectories(tool: string, parent: string): Promise<void> {
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    const [, named, owner] = DIRECTORY_NAME.exec(entry.name) ?? [];
    if (named !== tool || owner === undefined || !entry.isDirectory() || isRunning(Number(owner))) continue;
    const directory = join(parent, entry.name);
    // Another user's directory is none of ours, whatever its name.
    const isOurs = await lstat(directory).then(
      ({ uid }) => uid === process.getuid?.(),
      () => false,
    );
    if (isOurs) await rm(directory, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

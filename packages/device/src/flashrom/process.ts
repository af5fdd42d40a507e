// SPDX-License-Identifier: Apache-2.0
/** Process adapter: runs of flashrom. */
import { runTool, sweepToolDirectories, withToolDirectory, type ToolRun } from '../tool-process.ts';

export { isExecutable } from '../tool-process.ts';

const TOOL = 'flashrom';

/** Runs flashrom to its end and returns its exit code; throws as `runTool` does. */
export async function runFlashrom(run: ToolRun): Promise<number> {
  return runTool(TOOL, run);
}

/** Gives `work` a directory of its own, mode 0700, and removes it afterwards: it held firmware. */
export async function withPrivateDirectory<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  return withToolDirectory(TOOL, parent, work);
}

/** Removes what runs of processes that were killed have left in `parent`. */
export async function sweepPrivateDirectories(parent: string): Promise<void> {
  return sweepToolDirectories(TOOL, parent);
}

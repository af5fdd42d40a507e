// SPDX-License-Identifier: Apache-2.0
/** For tests of drivers around a tool: benches that do not crowd each other, and another tool in the place of the real one. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runTool } from '../src/tool-process.ts';
import type { DriverHarness } from './conformance-kit.ts';

/** Each run of a tool keeps a core busy; more benches at once would only wait for each other. */
export class ToolBenches {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** A harness for the driver that `setUp` opens, whose tool has to work in the directory it is given. */
  async open(
    setUp: (temporaryDirectory: string) => Promise<Pick<DriverHarness, 'driver' | 'close'>>,
  ): Promise<DriverHarness> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#free -= 1;
    const temporaryDirectory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const { driver, close } = await setUp(temporaryDirectory);
    return {
      driver,
      expectNothingLeft: () => {
        expect(processesIn(temporaryDirectory)).toEqual([]);
        expect(readdirSync(temporaryDirectory)).toEqual([]);
      },
      close: async () => {
        const next = this.#queue.shift();
        if (next === undefined) this.#free += 1;
        else next();
        await close();
        rmSync(temporaryDirectory, { recursive: true, force: true });
      },
    };
  }
}

/** Processes that work in a directory below this one. */
export function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
    } catch {
      // It ended between the listing and the reading.
      return false;
    }
  });
}

/** The path of a shell script that takes the place of a tool. */
export function writeTool(directory: string, script: string): string {
  const programPath = join(directory, 'tool');
  writeFileSync(programPath, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return programPath;
}

/** The tool as anybody would call it, without a driver. */
export async function runAlone(
  programPath: string,
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  let output = '';
  const exitCode = await runTool('tool', {
    programPath,
    args,
    directory: tmpdir(),
    signal: AbortSignal.timeout(30_000),
    onOutput: (text) => {
      output += text;
    },
  });
  return { exitCode, output };
}

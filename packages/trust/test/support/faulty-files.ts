// SPDX-License-Identifier: Apache-2.0
/** The file port with one fault at a chosen call: the effect is missing, or it happened although an error was reported. */
import { nodeFiles, type Files } from '../../src/index.ts';

export type Fault = 'before' | 'after' | 'torn';

/**
 * Every state a power cut can leave: before the first call, after each call – which is before the next – and in the middle
 * of each write.
 */
export function everyFault(calls: readonly string[]): readonly (readonly [at: number, fault: Fault])[] {
  const faults: (readonly [number, Fault])[] = [[0, 'before']];
  for (const [at, call] of calls.entries()) {
    if (call.startsWith('write')) faults.push([at, 'torn']);
    faults.push([at, 'after']);
  }
  return faults;
}

export class PowerCut extends Error {}

export interface FaultyFiles extends Files {
  /** Calls that change something, so far. */
  readonly calls: readonly string[];
}

/** `at` counts calls that change something, from 0; none fails when it is negative. After the fault nothing works. */
export function faultyFiles(at: number, fault: Fault): FaultyFiles {
  const calls: string[] = [];
  let isDead = false;
  const step = async (name: string, effect: () => Promise<void>, torn?: () => Promise<void>): Promise<void> => {
    if (isDead) throw new PowerCut('no power');
    const isHit = calls.length === at;
    calls.push(name);
    if (isHit) isDead = true;
    if (!isHit || fault === 'after') await effect();
    else if (fault === 'torn') await torn?.();
    if (isHit) throw new PowerCut(`cut at ${name}`);
  };
  return {
    calls,
    open: (path) => nodeFiles.open(path),
    list: (path) => nodeFiles.list(path),
    write: (path, chunks) =>
      step(
        `write ${path}`,
        () => nodeFiles.write(path, chunks),
        () => nodeFiles.write(path, [new Uint8Array([0x7b])]),
      ),
    rename: (from, to) => step(`rename ${to}`, () => nodeFiles.rename(from, to)),
    remove: (path) => step(`remove ${path}`, () => nodeFiles.remove(path)),
    makeDirectory: (path) => step(`makeDirectory ${path}`, () => nodeFiles.makeDirectory(path)),
    syncDirectory: (path) => step(`syncDirectory ${path}`, () => nodeFiles.syncDirectory(path)),
  };
}

// SPDX-License-Identifier: Apache-2.0
/** The file port with a power cut at a chosen call: before it, in the middle of a write, or right after it. */
import { writeFileSync } from 'node:fs';
import { nodeFiles, type BoundaryFiles } from '../../src/files.ts';

export type Fault = 'before' | 'torn' | 'after';

export class PowerCut extends Error {}

export interface FaultyFiles extends BoundaryFiles {
  /** Calls that change something, so far. */
  readonly calls: readonly string[];
}

/** `at` counts calls that change something, from 0. After the fault nothing works. */
export function faultyFiles(at: number, fault: Fault): FaultyFiles {
  const calls: string[] = [];
  let isDead = false;
  const step = async (name: string, effect: () => Promise<void>, torn?: () => void): Promise<void> => {
    if (isDead) throw new PowerCut('no power');
    const isHit = calls.length === at;
    calls.push(name);
    isDead ||= isHit;
    if (!isHit || fault === 'after') await effect();
    else if (fault === 'torn') torn?.();
    if (isHit) throw new PowerCut(`cut at ${name}`);
  };
  return {
    calls,
    open: (path) => nodeFiles.open(path),
    list: (path) => nodeFiles.list(path),
    makeDirectory: (path) => step(`makeDirectory ${path}`, () => nodeFiles.makeDirectory(path)),
    writeNew: (path, content) =>
      step(
        `write ${path}`,
        () => nodeFiles.writeNew(path, content),
        () => writeFileSync(path, content.subarray(0, content.length / 2)),
      ),
    rename: (from, to) => step(`rename ${to}`, () => nodeFiles.rename(from, to)),
    remove: (path) => step(`remove ${path}`, () => nodeFiles.remove(path)),
    syncDirectory: (path) => step(`sync ${path}`, () => nodeFiles.syncDirectory(path)),
  };
}

/** Every state a power cut can leave behind for a run that makes these calls. */
export function everyFault(calls: readonly string[]): readonly (readonly [at: number, fault: Fault])[] {
  return calls.flatMap((call, at): (readonly [number, Fault])[] => [
    [at, 'before'],
    ...(call.startsWith('write') ? [[at, 'torn'] as const] : []),
    [at, 'after'],
  ]);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One change at a time. The lock is SQLite's file lock on a small file of its own: the kernel drops it with the process,
 * so that no stale lock survives a crash.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GateError } from './error.ts';

/** Runs `work` alone at this gate; throws `ERR_GATE_BUSY` when somebody else is at it. */
export async function withGateLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const holder = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
  try {
    try {
      holder.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      throw new GateError('ERR_GATE_BUSY', `another change is under way at ${directory}`, { cause });
    }
    return await work();
  } finally {
    holder.close();
  }
}

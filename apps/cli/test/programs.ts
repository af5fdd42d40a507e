// SPDX-License-Identifier: Apache-2.0
/** Which Debian programs are here; tests that need one are skipped by name when it is absent. */
import { spawnSync } from 'node:child_process';

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

/** Whether this user may make a network namespace of its own. */
export function canUnshareNetwork(): boolean {
  return spawnSync('unshare', ['-rn', 'true'], { stdio: 'ignore' }).status === 0;
}

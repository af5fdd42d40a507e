// SPDX-License-Identifier: Apache-2.0
import { isExecutable } from '../src/tool-process.ts';

const DIRECTORIES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Whether a Debian program is installed; tests that need one are skipped by name without it. */
export function hasProgram(name: string): boolean {
  return DIRECTORIES.some((directory) => isExecutable(`${directory}/${name}`));
}

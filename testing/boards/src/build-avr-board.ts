// SPDX-License-Identifier: Apache-2.0
/** Compiles the AVR board: 200 lines of C around Debian's simavr. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const GCC = '/usr/bin/gcc';
const SIMAVR_HEADERS = '/usr/include/simavr';
const BOOT_LOADERS = '/usr/share/arduino/hardware/arduino/avr/bootloaders/atmega/';

/** Parts, where their boot section begins, and Debian's boot loader for it. The packaged Optiboot is larger than its section. */
export const AVR_PARTS = {
  atmega328p: { bootStart: 0x7800, bootLoader: `${BOOT_LOADERS}ATmegaBOOT_168_atmega328.hex` },
  atmega168: { bootStart: 0x3800, bootLoader: `${BOOT_LOADERS}ATmegaBOOT_168_diecimila.hex` },
} as const;

/** Whether what the board is made of is installed: gcc, libsimavr-dev, arduino-core-avr. */
export function hasAvrBoard(): boolean {
  return [GCC, join(SIMAVR_HEADERS, 'sim_avr.h'), AVR_PARTS.atmega328p.bootLoader].every((path) => existsSync(path));
}

/** Builds the program in `directory` and returns its path. Throws with gcc's words when it does not compile. */
export function buildAvrBoard(directory: string): string {
  const program = join(directory, 'avr-board');
  const source = join(import.meta.dirname, 'avr-board.c');
  const libraries = ['-lsimavr', '-lelf'];
  execFileSync(GCC, ['-O2', '-Wall', '-o', program, source, `-I${SIMAVR_HEADERS}`, ...libraries], { stdio: 'pipe' });
  return program;
}

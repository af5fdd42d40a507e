// SPDX-License-Identifier: Apache-2.0
/**
 * The fixture a station works with, chosen by `--device` and `--profile`: a simulated bay, or a board behind flashrom,
 * OpenOCD or avrdude.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  AvrdudeDriver,
  ChipFile,
  DeviceBay,
  FlashromDriver,
  OpenocdDriver,
  SimulatedDriver,
  type DeviceDriver,
  type DeviceProfile,
} from '@witnessmark/device';
import { usageError } from '../error.ts';
import { DEVICE_FORMS } from './device-forms.ts';
import { parseSelection, type Selection } from './device-selection.ts';

export interface Fixture {
  readonly driver: DeviceDriver;
  /** A person puts the next board in; for simulated boards this program does it. */
  insert(label: string): void;
}

/** Throws `ERR_CLI_USAGE` for a form that is not known, and what the driver throws when nothing answers. */
export async function openFixture(text: string, profileFile: string | undefined): Promise<Fixture> {
  const selection = parseSelection(text, profileFile);
  if (selection.kind === 'simulated') return openSimulated(selection);
  return { driver: await openProgrammer(selection), insert: () => undefined };
}

async function openProgrammer(selection: Exclude<Selection, { readonly kind: 'simulated' }>): Promise<DeviceDriver> {
  try {
    switch (selection.kind) {
      case 'flashrom':
        return await FlashromDriver.open(selection);
      case 'openocd':
        return await OpenocdDriver.open(selection);
      case 'avrdude':
        return await AvrdudeDriver.open(selection);
    }
  } catch (error) {
    // The drivers' word for an address that would read as something else on a command line.
    if (error instanceof TypeError) throw usageError(`--device: ${error.message}; it must be ${DEVICE_FORMS}`);
    throw error;
  }
}

/** A bay whose boards are chip files: what happens to a board stays in its file. */
export class SimulatedBay {
  readonly driver: DeviceDriver;
  readonly #bay = new DeviceBay(null);
  #board: ChipFile | null = null;

  constructor(profile: DeviceProfile) {
    this.driver = new SimulatedDriver({ profile, bay: this.#bay, persist: () => this.#board?.save() });
  }

  insert(board: ChipFile): void {
    this.#bay.insert(null);
    this.#board = board;
    this.#bay.insert(board.chip);
  }
}

/** One chip file, or a folder in which each board's file is named after its label. */
function openSimulated({ path, uniqueId, profile }: Selection & { readonly kind: 'simulated' }): Fixture {
  const bay = new SimulatedBay(profile);
  return {
    driver: bay.driver,
    insert: (label) => {
      const isFolder = existsSync(path) && statSync(path).isDirectory();
      // A label is text from outside: only its plain characters may become a file name.
      const file = isFolder ? join(path, `${label.replaceAll(/[^A-Za-z0-9-]/g, '_')}.chip`) : path;
      bay.insert(ChipFile.open(file, { profile, ...(uniqueId === null || isFolder ? {} : { uniqueId }) }));
    },
  };
}

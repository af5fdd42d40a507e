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
import { leaseDevice, type DeviceAddress } from '@witnessmark/station';
import { usageError } from '../error.ts';
import { DEVICE_FORMS } from './device-forms.ts';
import { parseSelection, type Selection } from './device-selection.ts';

export interface Fixture {
  readonly driver: DeviceDriver;
  /** Whether a board stays in it from one process to the next; one out of a folder of simulated boards does not. */
  readonly holdsBoard: boolean;
  /** A person puts the next board in; for simulated boards this program does it. */
  insert(label: string): void;
  /** Lets go of the programmer. */
  close(): Promise<void>;
}

/**
 * Takes the programmer for `holder`, whom others are told. Throws `ERR_CLI_USAGE` for a form that is not known, LS-602 for a
 * programmer that somebody else drives, and what the driver throws when nothing answers.
 */
export async function openFixture(
  text: string,
  profileFile: string | undefined,
  holder = `process ${process.pid}`,
): Promise<Fixture> {
  const selection = parseSelection(text, profileFile);
  const address = addressOf(selection);
  const lease = address === null ? null : await leaseDevice(address, holder);
  const close = async (): Promise<void> => lease?.release();
  if (selection.kind === 'simulated') return { ...openSimulated(selection), close };
  try {
    return { driver: await openProgrammer(selection), holdsBoard: true, insert: () => undefined, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the fixture for a piece of work and gives it back afterwards, whatever becomes of the work. */
export async function withFixture<T>(
  choice: { readonly device: string; readonly profile: string | undefined; readonly holder?: string },
  work: (fixture: Fixture) => Promise<T>,
): Promise<T> {
  const fixture = await openFixture(choice.device, choice.profile, choice.holder);
  try {
    return await work(fixture);
  } finally {
    await fixture.close();
  }
}

/** Null for a folder of simulated boards, which many bays may take boards from. */
function addressOf(selection: Selection): DeviceAddress | null {
  if (selection.kind !== 'simulated') return selection.address;
  return isFolder(selection.path) ? null : { path: selection.path };
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
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
function openSimulated({
  path,
  uniqueId,
  profile,
}: Selection & { readonly kind: 'simulated' }): Omit<Fixture, 'close'> {
  const bay = new SimulatedBay(profile);
  return {
    driver: bay.driver,
    holdsBoard: !isFolder(path),
    insert: (label) => {
      const inFolder = isFolder(path);
      // A label is text from outside: only its plain characters may become a file name.
      const file = inFolder ? join(path, `${label.replaceAll(/[^A-Za-z0-9-]/g, '_')}.chip`) : path;
      bay.insert(ChipFile.open(file, { profile, ...(uniqueId === null || inFolder ? {} : { uniqueId }) }));
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
/** The folder of the demo: made by it, known by its marker, and the only place where it writes or removes anything. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirectory } from '../data-directory.ts';
import { CliError } from '../error.ts';

const MARKER = '.witnessmark-demo';
/** Everything the demo and `init` make; whatever else is found stays. */
const OWN_NAMES = [
  'builds',
  'ceremonies',
  'collected',
  'custody',
  'debug-contents.json',
  'devices',
  'evidence',
  'gate',
  'image.bin',
  'images',
  'opening-2.json',
  'line-of-files.json',
  'image-2.bin',
  'keys',
  'labels',
  'line',
  'line.json',
  'log',
  'machines',
  'media',
  'office-custody',
  'office.json',
  'office-2.json',
  'opening.json',
  'policy-production.json',
  'policy.json',
  'rehearsal',
  'report.json',
  'secret-classes.json',
  'station.json',
  'station-2',
  'stations',
  'time',
  'tokens',
  'trouble',
  'trust',
  'trust-root.json',
  'trusted-root.json',
];

export class DemoDirectory extends DataDirectory {
  /**
   * Takes an empty or new folder, or one of an earlier demo, whose data goes. Throws `ERR_CLI_DEMO_DIRECTORY` for
   * somebody else's, and for one in which a demo still runs.
   */
  static claim(path: string): DemoDirectory {
    const directory = new DemoDirectory(path);
    mkdirSync(directory.path, { recursive: true });
    if (readdirSync(directory.path).length > 0) {
      directory.#requireOwn();
      directory.#empty();
    }
    writeFileSync(directory.#marker, `${process.pid}\n`);
    return directory;
  }

  /** Removes what a demo made; throws `ERR_CLI_DEMO_DIRECTORY` when its marker is not there, or a demo still runs. */
  static clean(path: string): void {
    const directory = new DemoDirectory(path);
    if (!existsSync(directory.path)) return;
    directory.#requireOwn();
    directory.#empty();
    rmSync(directory.#marker);
    if (readdirSync(directory.path).length === 0) rmdirSync(directory.path);
  }

  /** Simulated boards. */
  get devices(): string {
    return join(this.path, 'devices');
  }

  /** The firmware that is released. */
  get image(): string {
    return join(this.path, 'image.bin');
  }

  /** Copies in which records are changed; the originals stay as they are. */
  get trouble(): string {
    return join(this.path, 'trouble');
  }

  get #marker(): string {
    return join(this.path, MARKER);
  }

  #requireOwn(): void {
    if (!existsSync(this.#marker)) {
      throw new CliError('ERR_CLI_DEMO_DIRECTORY', `${this.path} is not empty and was not made by the demo`);
    }
    const pid = Number(readFileSync(this.#marker, 'utf8'));
    if (pid !== process.pid && isRunning(pid)) {
      throw new CliError('ERR_CLI_DEMO_DIRECTORY', `a demo (process ${pid}) is running in ${this.path}`);
    }
  }

  #empty(): void {
    for (const name of OWN_NAMES) rmSync(join(this.path, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return Number.isSafeInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process of that number is a process all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

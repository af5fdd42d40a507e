// SPDX-License-Identifier: Apache-2.0
/** Where everything of one trial site lies: the directory `init` makes and the other commands find with `--data`. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CliError } from './error.ts';

export class DataDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Throws `ERR_CLI_DATA_DIRECTORY` unless `init` made it. */
  static open(path: string): DataDirectory {
    const directory = new DataDirectory(path);
    for (const file of [directory.trustedRoot, directory.pinnedRoot]) {
      if (!existsSync(file))
        throw new CliError(
          'ERR_CLI_DATA_DIRECTORY',
          `${path} is no data directory: it has no ${file.slice(directory.path.length + 1)}`,
        );
    }
    return directory;
  }

  /** Private keys, mode 0600. */
  get keys(): string {
    return this.#at('keys');
  }

  key(name: string): string {
    return join(this.keys, `${name}.pem`);
  }

  /** The TUF repository. */
  get repository(): string {
    return this.#at('trust');
  }

  /** The first root of the repository, which nothing vouches for: everybody gets it by another way. */
  get pinnedRoot(): string {
    return this.#at('trust-root.json');
  }

  get trustedRoot(): string {
    return this.#at('trusted-root.json');
  }

  get policy(): string {
    return this.#at('policy.json');
  }

  /** Refuses what a trial accepts: simulated devices, software keys. */
  get productionPolicy(): string {
    return this.#at('policy-production.json');
  }

  get lineConfig(): string {
    return this.#at('line.json');
  }

  get officeConfig(): string {
    return this.#at('office.json');
  }

  get stationConfig(): string {
    return this.#at('station.json');
  }

  /** Candidates, approvals and the office's own evidence log. */
  get gate(): string {
    return this.#at('gate');
  }

  get log(): string {
    return this.#at('log');
  }

  /** Each ceremony in a directory of its own, and the transcripts beside them. */
  get ceremonies(): string {
    return this.#at('ceremonies');
  }

  /** What may cross the boundary, and in which form. */
  get secretClasses(): string {
    return this.#at('secret-classes.json');
  }

  /** What a debug bundle may hold. */
  get debugContents(): string {
    return this.#at('debug-contents.json');
  }

  /** The office's own evidence log. */
  get officeLog(): string {
    return join(this.gate, 'evidence', 'log');
  }

  /** The configuration of the custody process, where there is one. */
  get custodyConfig(): string {
    return join(this.custody, 'custody.json');
  }

  /** What the custody process needs: configuration, journal, client tokens; in a trial the token as well. */
  get custody(): string {
    return this.#at('custody');
  }

  /** Every key that ever had a purpose here. */
  get keyRegistry(): string {
    return join(this.keys, 'registry.json');
  }

  get evidence(): string {
    return this.#at('evidence');
  }

  #at(name: string): string {
    return join(this.path, name);
  }
}

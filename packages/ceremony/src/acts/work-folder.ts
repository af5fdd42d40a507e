// SPDX-License-Identifier: Apache-2.0
/** The folder of one ceremony: small files with fixed names, each written whole and durable, and read back with a limit. */
import { join } from 'node:path';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { readFile, replaceFile, type Files } from '@witnessmark/trust';

const MAX_FILE_BYTES = 1024 * 1024;
const NAME = /^[a-z0-9][a-z0-9.-]{0,100}$/;

export class WorkFolder {
  readonly directory: string;
  readonly #files: Files;

  constructor(directory: string, files: Files) {
    this.directory = directory;
    this.#files = files;
  }

  pathOf(name: string): string {
    if (!NAME.test(name)) throw new TypeError(`${name} is not a name of a work file`);
    return join(this.directory, name);
  }

  /** Returns when the file is durable. */
  async write(name: string, bytes: Bytes): Promise<void> {
    const path = this.pathOf(name);
    await this.#files.makeDirectory(this.directory);
    await replaceFile(this.#files, path, [bytes]);
  }

  read(name: string): Promise<Bytes | null> {
    return readFile(this.#files, this.pathOf(name), MAX_FILE_BYTES);
  }

  /** Throws CE-215 when the file is not there. */
  async demand(name: string): Promise<Bytes> {
    const bytes = await this.read(name);
    if (bytes === null) throw new RefusedError('CE-215', `the work folder holds no ${name}`);
    return bytes;
  }
}

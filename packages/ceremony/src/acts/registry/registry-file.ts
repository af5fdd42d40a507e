// SPDX-License-Identifier: Apache-2.0
/** The key registry as a file: read whole, changed as a value, written whole. */
import { dirname } from 'node:path';
import { EMPTY_KEY_REGISTRY, formatKeyRegistry, parseKeyRegistry, type KeyRegistry } from '@witnessmark/custody';
import { readFile, replaceFile, type Files } from '@witnessmark/trust';

const MAX_REGISTRY_BYTES = 8 * 1024 * 1024;

export class RegistryFile {
  readonly path: string;
  readonly #files: Files;

  constructor(path: string, files: Files) {
    this.path = path;
    this.#files = files;
  }

  /** Empty when there is none. Throws CU-148 or an `ERR_JSON_*` code. */
  async read(): Promise<KeyRegistry> {
    const bytes = await readFile(this.#files, this.path, MAX_REGISTRY_BYTES);
    return bytes === null ? EMPTY_KEY_REGISTRY : parseKeyRegistry(bytes);
  }

  /** Returns when the changed registry is durable. */
  async change(change: (registry: KeyRegistry) => KeyRegistry): Promise<KeyRegistry> {
    const changed = change(await this.read());
    await this.#files.makeDirectory(dirname(this.path));
    await replaceFile(this.#files, this.path, [formatKeyRegistry(changed)]);
    return changed;
  }
}

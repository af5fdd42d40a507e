// SPDX-License-Identifier: Apache-2.0
/**
 * Writing a whole directory so that a reader, and a restart, finds all of it or none: every file is durable in a directory
 * beside it before one rename makes it visible.
 */
import { basename, dirname, join } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import { BoundaryError } from './error.ts';
import type { BoundaryFiles } from './files.ts';

export class Staging {
  readonly #target: string;
  /** Never a name anybody reads. */
  readonly #path: string;
  readonly #files: BoundaryFiles;
  readonly #directories = new Set<string>();

  private constructor(target: string, files: BoundaryFiles) {
    this.#target = target;
    this.#path = join(dirname(target), `.${basename(target)}.partial`);
    this.#files = files;
  }

  /** Begins anew: what an interrupted run left is removed. Throws `ERR_BOUNDARY_FILE` when the target is there. */
  static async open(target: string, files: BoundaryFiles): Promise<Staging> {
    if ((await files.list(target)) !== null) throw new BoundaryError('ERR_BOUNDARY_FILE', `${target} is there already`);
    const staging = new Staging(target, files);
    await files.remove(staging.#path);
    await files.makeDirectory(staging.#path);
    return staging;
  }

  /** Writes a file below the directory; `path` must be a name that `parseMemberPath` returned. */
  async add(path: string, content: Bytes): Promise<void> {
    const place = join(this.#path, path);
    for (let parent = dirname(place); parent !== this.#path; parent = dirname(parent)) this.#directories.add(parent);
    await this.#files.makeDirectory(dirname(place));
    await this.#files.writeNew(place, content);
  }

  /** Makes every name durable; after that only {@link publish} or {@link discard} is left to do. */
  async seal(): Promise<void> {
    for (const directory of [...this.#directories].sort().reverse()) await this.#files.syncDirectory(directory);
    await this.#files.syncDirectory(this.#path);
  }

  /** Makes the directory visible in one step; a second writer of the same target fails. */
  async publish(): Promise<void> {
    await this.#files.rename(this.#path, this.#target);
    await this.#files.syncDirectory(dirname(this.#target));
  }

  async discard(): Promise<void> {
    await this.#files.remove(this.#path);
  }
}

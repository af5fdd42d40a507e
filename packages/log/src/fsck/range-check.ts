// SPDX-License-Identifier: Apache-2.0
/** Reads full bundles and their tiles, hashes everything, and tells what it leads to and what does not fit. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Bytes, PublicKey } from '@witnessmark/core';
import { entryBundlePath, HASH_BYTES, TILE_WIDTH, tilePath } from '@witnessmark/tlog';
import { EnvelopeVerifier } from '../verify/envelope-verifier.ts';
import { checkBundle, differences, tileRoot, type FileProblem } from './bundle-check.ts';

const INITIAL_BUFFER_BYTES = 1024 * 1024;

/** Full bundles, one after the other. */
export interface BundleRange {
  readonly first: number;
  readonly count: number;
}

/** A bundle about which there is something to say. */
export interface BundleProblem {
  readonly index: number;
  readonly entriesProblem: FileProblem | undefined;
  readonly hashesProblem: FileProblem | undefined;
  /** Positions at which entries and tile differ. */
  readonly differences: readonly number[];
  readonly malformed: readonly number[];
  readonly unsigned: readonly number[];
}

export interface RangeResult extends BundleRange {
  /** For each bundle the tile hash that its entries lead to, and the one its stored tile leads to; zeros when unreadable. */
  readonly derivedRoots: Bytes;
  readonly storedRoots: Bytes;
  readonly problems: readonly BundleProblem[];
}

export class RangeChecker {
  readonly #directory: string;
  readonly #verifier: EnvelopeVerifier | undefined;
  /** One buffer for all files: memory stays flat however large the log is. */
  #entries: Bytes = new Uint8Array(INITIAL_BUFFER_BYTES);
  readonly #hashes: Bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES + 1);

  /** Checks signatures too when there are keys. */
  constructor(directory: string, keys: readonly PublicKey[] | undefined) {
    this.#directory = directory;
    this.#verifier = keys === undefined ? undefined : new EnvelopeVerifier(keys);
  }

  check({ first, count }: BundleRange): RangeResult {
    const derivedRoots = new Uint8Array(count * HASH_BYTES);
    const storedRoots = new Uint8Array(count * HASH_BYTES);
    const problems: BundleProblem[] = [];
    for (let position = 0; position < count; position += 1) {
      const index = first + position;
      const input = { index, width: TILE_WIDTH, entries: this.#readEntries(index), hashes: this.#readHashes(index) };
      const { derived, stored, ...result } = checkBundle(input, this.#verifier);
      const isReadable = derived !== undefined && stored !== undefined;
      const differing = isReadable ? differences(derived, stored) : [];
      const derivedRoot = tileRoot(derived);
      derivedRoots.set(derivedRoot, position * HASH_BYTES);
      // Equal leaves have one root: nothing is hashed twice.
      const isSame = isReadable && differing.length === 0;
      storedRoots.set(isSame ? derivedRoot : tileRoot(stored), position * HASH_BYTES);
      if (!isSame || result.malformed.length > 0 || result.unsigned.length > 0) {
        problems.push({ ...result, differences: differing });
      }
    }
    return { first, count, derivedRoots, storedRoots, problems };
  }

  #readEntries(index: number): Bytes | undefined {
    return this.#readInto(entryBundlePath(index), (size) => {
      if (size > this.#entries.length) this.#entries = new Uint8Array(size);
      return this.#entries;
    });
  }

  #readHashes(index: number): Bytes | undefined {
    return this.#readInto(tilePath(0, index), () => this.#hashes);
  }

  /** Reads a file into a buffer; no more than fits, which is then too long for what it should be. */
  #readInto(path: string, bufferFor: (size: number) => Bytes): Bytes | undefined {
    const file = openIfExists(join(this.#directory, path));
    if (file === undefined) return undefined;
    try {
      const buffer = bufferFor(fstatSync(file).size);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(file, buffer, length, buffer.length - length, length);
      }
      return buffer.subarray(0, length);
    } finally {
      closeSync(file);
    }
  }
}

function openIfExists(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
/** The files of a kit's directory. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { MANIFEST_LIMITS, parseManifest, type BuildManifest } from '../manifest.ts';
import { KIT_LIMITS, parseKitList, type KitList } from './kit-list.ts';

export const LIST_FILE = 'kit.txt';
export const MANIFEST_FILE = 'build.txt';
export const CONTENT_DIRECTORY = 'content';

export interface Kit {
  readonly directory: string;
  /** SHA-256 of the list. */
  readonly digest: string;
  readonly list: KitList;
  readonly manifest: BuildManifest;
}

/** Throws LS-411 unless list and manifest are those the digests name, and `ERR_BUILD_RECORD_FORMAT` for other bytes. */
export function openKit(
  directory: string,
  expected: { readonly kitDigest: string; readonly manifestDigest: string },
): Kit {
  const list = readPart(directory, LIST_FILE, KIT_LIMITS.maxListBytes, expected.kitDigest);
  const manifest = readPart(directory, MANIFEST_FILE, MANIFEST_LIMITS.maxBytes, expected.manifestDigest);
  return { directory, digest: expected.kitDigest, list: parseKitList(list), manifest: parseManifest(manifest) };
}

/** The content behind a digest, hashed as it is read. Throws LS-411. */
export function readContent(directory: string, digest: string, length: number, path: string): Bytes {
  return readPart(directory, join(CONTENT_DIRECTORY, digest), length, digest, path);
}

export function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}

export function writeDurably(path: string, bytes: Bytes, mode = 0o644): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** As `mkdir -p`, with rights that do not depend on who runs this. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

function readPart(directory: string, name: string, maxBytes: number, digest: string, what = name): Bytes {
  const path = join(directory, name);
  let bytes: Bytes;
  try {
    if (statSync(path).size > maxBytes) throw changed(what, 'is longer than it was');
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    throw changed(what, 'is missing');
  }
  if (sha256Hex(bytes) !== digest) throw changed(what, `is not the one the record names (${digest.slice(0, 16)}…)`);
  return bytes;
}

function changed(what: string, how: string): RefusedError {
  return new RefusedError('LS-411', `${what} ${how}`);
}

// SPDX-License-Identifier: Apache-2.0
/** A target's bytes, checked while they pass (TUF 5.7.3): never more than the signed length, exactly the signed digest. */
import { createHash } from 'node:crypto';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import type { Chunks } from './files.ts';

/** A target as targets metadata lists it. */
export interface TargetInfo {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
}

/** A target with where its bytes come from; `open` may be called again after a failure. */
export interface TargetContent extends TargetInfo {
  readonly open: () => Promise<Chunks>;
}

/** Where verified targets are kept; what comes out of it is hashed again. */
export interface TargetCache {
  /** Null when there is none. Rejects with a `RefusedError` for one that is not what was kept. */
  read(target: TargetInfo): Promise<Bytes | null>;
  keep(target: TargetInfo, content: Bytes): Promise<void>;
}

/** Whoever can read verified targets. */
export interface TargetReader {
  /** The bytes of a target; throws TR-108 when nobody listed it, TR-107 when it is missing, TR-105 for other bytes. */
  readTarget(path: string): Promise<Bytes>;
  hasTarget(path: string): Promise<boolean>;
}

export function toTargetContent(path: string, bytes: Bytes): TargetContent {
  return { path, length: bytes.length, sha256: sha256Hex(bytes), open: () => Promise.resolve([bytes]) };
}

/** Passes the chunks on; throws TR-105 as soon as there are too many bytes, and at the end when they are other bytes. */
export async function* checkContent(target: TargetInfo, chunks: Chunks): AsyncGenerator<Bytes> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > target.length) {
      throw new RefusedError('TR-105', `${target.path} has more than the ${target.length} bytes that were signed`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (length !== target.length) {
    throw new RefusedError('TR-105', `${target.path} has ${length} bytes, signed are ${target.length}`);
  }
  const found = hash.digest('hex');
  if (found !== target.sha256) {
    throw new RefusedError(
      'TR-105',
      `${target.path} has SHA-256 ${found.slice(0, 8)}…, signed is ${target.sha256.slice(0, 8)}…`,
    );
  }
}

/** Reads a whole target into memory; nothing is returned before the last byte was checked. */
export async function readContent(target: TargetInfo, chunks: Chunks): Promise<Bytes> {
  const bytes = new Uint8Array(target.length);
  let at = 0;
  for await (const chunk of checkContent(target, chunks)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Checks every byte and keeps none. */
export async function verifyContent(target: TargetInfo, chunks: Chunks): Promise<void> {
  const iterator = checkContent(target, chunks);
  while (!((await iterator.next()).done ?? false));
}

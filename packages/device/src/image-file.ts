// SPDX-License-Identifier: Apache-2.0
/** Reading a file that may hold an image nobody else may keep: into memory of our own and nowhere else. */
import { open } from 'node:fs/promises';
import type { Bytes } from '@witnessmark/core';

/**
 * The whole file. Read in place: the ready-made way joins pieces and leaves them behind in memory. Whoever gets the bytes
 * wipes them.
 */
export async function readImageFile(path: string): Promise<Bytes> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return length === size ? bytes : bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** The same; null when there is no file, as after a tool that did not get as far as writing it. */
export async function readImageFileIfThere(path: string): Promise<Bytes | null> {
  try {
    return await readImageFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

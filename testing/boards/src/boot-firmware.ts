// SPDX-License-Identifier: Apache-2.0
/** Builds the firmware that prints its own digest, with Debian's binutils for ARM; the same source gives the same bytes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, encodeUtf8, sha256, type Bytes } from '@witnessmark/core';

const TOOLS = '/usr/bin/arm-none-eabi-';
const LENGTH_AT = 8;
const BLOCK_BYTES = 64;

/** Whether binutils-arm-none-eabi is installed. */
export function hasBootFirmware(): boolean {
  return ['as', 'ld', 'objcopy'].every((name) => existsSync(TOOLS + name));
}

/** The code alone; its files stay in `directory`. */
export function buildBootFirmware(directory: string): Bytes {
  const file = (name: string): string => join(directory, name);
  const run = (name: string, args: readonly string[]): void => {
    execFileSync(TOOLS + name, args, { stdio: 'pipe' });
  };
  run('as', ['-o', file('boot.o'), join(import.meta.dirname, 'boot-firmware.S')]);
  run('ld', ['-Ttext=0', '-o', file('boot.elf'), file('boot.o')]);
  run('objcopy', ['-O', 'binary', '-j', '.text', file('boot.elf'), file('boot.bin')]);
  return new Uint8Array(readFileSync(file('boot.bin')));
}

/** An image of whole blocks that begins with the code; another seed gives another payload. */
export function buildBootImage(code: Bytes, { sizeBytes, seed }: { sizeBytes: number; seed: string }): Bytes {
  if (sizeBytes % BLOCK_BYTES !== 0 || sizeBytes <= code.length)
    throw new RangeError('the image is whole blocks of 64 bytes');
  const image = new Uint8Array(sizeBytes);
  for (let at = 0, block = sha256(encodeUtf8(seed)); at < sizeBytes; at += block.length) {
    image.set(block.subarray(0, Math.min(block.length, sizeBytes - at)), at);
    block = sha256(concatBytes(block, encodeUtf8(seed)));
  }
  image.set(code);
  new DataView(image.buffer).setUint32(LENGTH_AT, sizeBytes, true);
  return image;
}

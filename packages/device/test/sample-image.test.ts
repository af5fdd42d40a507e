// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { equalBytes } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { buildSampleImage } from '../src/index.ts';

const OPTIONS = { version: '1.4.27+905', securityCounter: 7, seed: 'test' };

describe('buildSampleImage', () => {
  it.each([1024 * 1024, 64 * 1024, 100_001])('makes an image of %i bytes that MCUboot would accept', (sizeBytes) => {
    const image = Buffer.from(buildSampleImage({ ...OPTIONS, sizeBytes }));
    expect(image.length).toBe(sizeBytes);
    // struct image_header, then the two TLV areas (MCUboot, docs/design.md, "Image Format").
    expect(image.readUInt32LE(0)).toBe(0x96f3b83d);
    const headerSize = image.readUInt16LE(8);
    const protectedSize = image.readUInt16LE(10);
    const imageSize = image.readUInt32LE(12);
    expect(image.readUInt32LE(16)).toBe(0);
    expect([image[20], image[21], image.readUInt16LE(22), image.readUInt32LE(24)]).toEqual([1, 4, 27, 905]);
    const protectedAt = headerSize + imageSize;
    expect(image.readUInt16LE(protectedAt)).toBe(0x6908);
    expect(image.readUInt16LE(protectedAt + 2)).toBe(protectedSize);
    expect([image.readUInt16LE(protectedAt + 4), image.readUInt16LE(protectedAt + 6)]).toEqual([0x50, 4]);
    expect(image.readUInt32LE(protectedAt + 8)).toBe(7);
    const hashAt = protectedAt + protectedSize;
    expect(image.readUInt16LE(hashAt)).toBe(0x6907);
    expect(hashAt + image.readUInt16LE(hashAt + 2)).toBe(sizeBytes);
    expect([image.readUInt16LE(hashAt + 4), image.readUInt16LE(hashAt + 6)]).toEqual([0x10, 32]);
    const digest = createHash('sha256').update(image.subarray(0, hashAt)).digest();
    expect(digest.equals(image.subarray(hashAt + 8))).toBe(true);
  });

  it('gives the same bytes for the same options', () => {
    expect(createHash('sha256').update(buildSampleImage(OPTIONS)).digest('hex')).toBe(
      createHash('sha256')
        .update(buildSampleImage({ ...OPTIONS }))
        .digest('hex'),
    );
  });

  it.each([
    ['version', { ...OPTIONS, version: '1.4.28' }],
    ['security counter', { ...OPTIONS, securityCounter: 8 }],
    ['seed', { ...OPTIONS, seed: 'other' }],
  ])('gives other bytes for another %s', (_name, options) => {
    expect(equalBytes(buildSampleImage(OPTIONS), buildSampleImage(options))).toBe(false);
  });

  it.each([
    ['a size without room', { ...OPTIONS, sizeBytes: 500 }],
    ['a size that is none', { ...OPTIONS, sizeBytes: 1.5 }],
    ['a size beyond the limit', { ...OPTIONS, sizeBytes: 16 * 1024 * 1024 + 1 }],
    ['a counter beyond 32 bits', { ...OPTIONS, securityCounter: 2 ** 32 }],
    ['a version of another form', { ...OPTIONS, version: 'v1' }],
    ['a version beyond its field', { ...OPTIONS, version: '256.0.0' }],
  ])('refuses %s', (_name, options) => {
    expect(() => buildSampleImage(options)).toThrow(RangeError);
  });
});

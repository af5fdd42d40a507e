// SPDX-License-Identifier: Apache-2.0
import { RefusedError, sha256, type Bytes } from '@witnessmark/core';
import { buildSampleImage } from '@witnessmark/device';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageInspection } from '../src/image.ts';
import { GATE_LIMITS } from '../src/limits.ts';
import { McubootReader, type McubootImage } from '../src/mcuboot.ts';
import { checkProductionImage } from '../src/production-image.ts';
import { markImage } from './support/mark-image.ts';

const IMAGE = buildSampleImage({ sizeBytes: 2048, version: '4.2.1+9', securityCounter: 13, seed: 'mcuboot' });
/** The sample's header is 512 bytes; payload, protected area (12 bytes) and digest area (40 bytes) follow. */
const TLV_START = IMAGE.length - 52;
/** An image that says nothing else of itself. */
const PLAIN = { keyHash: null, buildMarks: 0 };
const MCUBOOT_KEY = 'e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6';

function read(image: Bytes, chunkBytes = image.length): McubootImage | null {
  const reader = new McubootReader();
  for (let at = 0; at < image.length; at += chunkBytes) reader.push(image.subarray(at, at + chunkBytes));
  return reader.finish();
}

function changed(change: (view: DataView, bytes: Bytes) => void, image = IMAGE): Bytes {
  const bytes = Uint8Array.from(image);
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

describe('an MCUboot image', () => {
  it('says its version and security counter', () => {
    expect(read(IMAGE)).toEqual({ ...PLAIN, version: '4.2.1+9', securityCounter: 13 });
  });

  it('is read the same in chunks of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2100 }), (size) => {
        expect(read(IMAGE, size)).toEqual({ ...PLAIN, version: '4.2.1+9', securityCounter: 13 });
      }),
      { numRuns: 50 },
    );
    expect(read(IMAGE, 1)).toEqual({ ...PLAIN, version: '4.2.1+9', securityCounter: 13 });
  });

  it('may be followed by padding, as for a slot', () => {
    const padded = new Uint8Array(IMAGE.length + 300_000).fill(0xff);
    padded.set(IMAGE);
    expect(read(padded)).toEqual({ ...PLAIN, version: '4.2.1+9', securityCounter: 13 });
  });

  it('may have no protected area', () => {
    const body = changed(
      (view, bytes) => {
        view.setUint16(10, 0, true);
        bytes.fill(0x5a, 512);
      },
      IMAGE.slice(0, TLV_START),
    );
    const area = Uint8Array.from([0x07, 0x69, 40, 0, 0x10, 0, 32, 0, ...sha256(body)]);
    expect(read(Uint8Array.from([...body, ...area]))).toEqual({ ...PLAIN, version: '4.2.1+9', securityCounter: null });
  });

  it.each<[string, Bytes]>([
    ['a file cut after the header', IMAGE.slice(0, 600)],
    ['a file cut in the header', IMAGE.slice(0, 20)],
    ['a file cut by one byte', IMAGE.slice(0, -1)],
    ['a file without TLV areas', IMAGE.slice(0, TLV_START)],
    ['a file without its last area', IMAGE.slice(0, TLV_START + 12)],
    ['a header of no length', changed((view) => view.setUint16(8, 0, true))],
    ['a header of 31 bytes', changed((view) => view.setUint16(8, 31, true))],
    ['a longer image than there is', changed((view) => view.setUint32(12, IMAGE.length, true))],
    ['the longest image there can be', changed((view) => view.setUint32(12, 0xffffffff, true))],
    ['a shorter image than there is', changed((view) => view.setUint32(12, 100, true))],
    ['a longer protected area', changed((view) => view.setUint16(10, 16, true))],
    ['a protected area of another kind', changed((view) => view.setUint16(TLV_START, 0x6907, true))],
    ['a protected area of another length', changed((view) => view.setUint16(TLV_START + 2, 8, true))],
    ['a TLV longer than its area', changed((view) => view.setUint16(TLV_START + 6, 5, true))],
    [
      'a security counter of two bytes',
      changed((view) => {
        view.setUint16(TLV_START + 6, 2, true);
        view.setUint16(10, 10, true);
      }),
    ],
    ['an area longer than the file', changed((view) => view.setUint16(TLV_START + 14, 41, true))],
    ['an area shorter than its header', changed((view) => view.setUint16(TLV_START + 14, 6, true))],
    ['build marks twice', markImage(markImage(IMAGE, 1), 1)],
    ['a changed payload', changed((_, bytes) => (bytes[1000] = (bytes[1000] as number) ^ 1))],
    ['a changed digest', changed((_, bytes) => (bytes[IMAGE.length - 1] = (bytes[IMAGE.length - 1] as number) ^ 1))],
    ['a changed security counter', changed((view) => view.setUint32(TLV_START + 8, 14, true))],
  ])('is refused with %s (PL-114)', (_, image) => {
    expect(() => read(image)).toThrow(expect.objectContaining({ code: 'PL-114' }));
  });

  it('A37 says whose key it is signed with and what kind of build it is', () => {
    const marked = markImage(IMAGE, 0x3, MCUBOOT_KEY);
    expect(read(marked)).toEqual({ version: '4.2.1+9', securityCounter: 13, keyHash: MCUBOOT_KEY, buildMarks: 0x3 });
  });

  it.each<[string, Bytes]>([
    ['a debug build', markImage(IMAGE, 0x1)],
    ['a build that opens the debug port', markImage(IMAGE, 0x2)],
    ['a build that leaves the device unlocked', markImage(IMAGE, 0x4)],
    ['marks nobody knows', markImage(IMAGE, 0x80000000)],
    ['a signature by a key that MCUboot publishes', markImage(IMAGE, 0, MCUBOOT_KEY)],
  ])('A37 is no production image with %s (PL-118), and a debug release all the same', (_, image) => {
    expect(() => checkProductionImage(read(image), 'production')).toThrow(expect.objectContaining({ code: 'PL-118' }));
    expect(() => checkProductionImage(read(image), 'debug')).not.toThrow();
    expect(() => checkProductionImage(read(markImage(IMAGE, 0, 'ab'.repeat(32))), 'production')).not.toThrow();
    expect(() => checkProductionImage(null, 'production')).not.toThrow();
  });

  it('is never crashed upon, whatever follows the magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (bytes, size) => {
        const image = Uint8Array.from([0x3d, 0xb8, 0xf3, 0x96, ...bytes]);
        try {
          read(image, size);
        } catch (error) {
          expect(error).toBeInstanceOf(RefusedError);
        }
      }),
    );
  });
});

describe('another file', () => {
  it.each<[string, Bytes]>([
    ['empty', new Uint8Array(0)],
    ['short', Uint8Array.from([1, 2, 3])],
    ['of another format', new Uint8Array(4096).fill(7)],
  ])('that is %s says nothing', (_, bytes) => {
    expect(read(bytes)).toBeNull();
  });
});

describe('the inspection of an image', () => {
  const inspect = async (lengths: readonly number[]) => {
    const inspection = new ImageInspection();
    const chunks = function* (): Generator<Bytes> {
      for (const length of lengths) yield new Uint8Array(length);
    };
    let passed = 0;
    for await (const chunk of inspection.watch(chunks())) passed += chunk.length;
    return { passed, image: inspection.finish() };
  };

  it('takes the largest image and refuses one byte more (PL-114)', async () => {
    const half = GATE_LIMITS.maxImageBytes / 2;
    expect((await inspect([half, half])).image.length).toBe(GATE_LIMITS.maxImageBytes);
    await expect(inspect([half, half, 1])).rejects.toMatchObject({ code: 'PL-114' });
  });

  it('refuses an empty image (PL-114) and hashes what passes', async () => {
    await expect(inspect([])).rejects.toMatchObject({ code: 'PL-114' });
    expect((await inspect([3])).image.sha256).toBe('709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c');
  });
});

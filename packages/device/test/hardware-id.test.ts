// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeHex } from '@witnessmark/core';
import { isPlaceholderId, isPlaceholderText, sampleUniqueId } from '../src/index.ts';

describe('isPlaceholderId', () => {
  it.each([
    '',
    '00',
    '0000000000000000',
    'ffffffffffffffff',
    'a5a5a5a5a5a5a5a5',
    '0102030405060708',
    '0001020304050607',
  ])('%s names no part', (text) => {
    expect(isPlaceholderId(decodeHex(text))).toBe(true);
  });

  it.each(['d2651c0b1f3a7788', '0102030405060709', 'ffffffffffffff00', '0000000000000001', '0203040506070801'])(
    '%s may name a part',
    (text) => {
      expect(isPlaceholderId(decodeHex(text))).toBe(false);
    },
  );
});

describe('sampleUniqueId', () => {
  it('is the same for the same seed and index, and another for any other', () => {
    const ids = new Set<string>();
    for (const seed of ['a', 'b']) {
      for (let index = 0; index < 500; index += 1) {
        const value = sampleUniqueId(seed, index);
        expect(value).toEqual(sampleUniqueId(seed, index));
        expect(isPlaceholderId(value)).toBe(false);
        ids.add(encodeHex(value));
      }
    }
    expect(ids.size).toBe(1000);
  });
});

describe('isPlaceholderText', () => {
  it.each([
    '',
    ' ',
    'unknown',
    'N/A',
    'Not Specified',
    'To be filled by O.E.M.',
    '00:00:00:00:00:00',
    'ffff',
    '0123456789',
  ])('E-21: "%s" names nothing', (text) => {
    expect(isPlaceholderText(text)).toBe(true);
  });

  it.each(['/dev/ttyUSB0', '1-1.4', 'usb1-1', 'COM3', '/sys/bus/usb/devices/1-1'])(
    'E-21: "%s" names a place',
    (text) => {
      expect(isPlaceholderText(text)).toBe(true);
    },
  );

  it.each(['WITNESSMARK-SIM', 'pico-serprog', 'stm32-vserprog', 'FT2232H-A7Q', '00:1b:21:3c:9d:f8', '0012'])(
    '"%s" names something',
    (text) => {
      expect(isPlaceholderText(text)).toBe(false);
    },
  );
});

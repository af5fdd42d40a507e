// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode, sha256Hex } from '@witnessmark/core';
import {
  deriveLabelSerial,
  deviceSubject,
  HARDWARE_ID_SCHEMES,
  parseLabelSerial,
  toDeviceId,
} from '@witnessmark/attestation';

const uid = fc
  .uint8Array({ minLength: 4, maxLength: 64 })
  .filter((value) => !value.every((byte) => byte === 0x00) && !value.every((byte) => byte === 0xff));
const scheme = fc.constantFrom(...HARDWARE_ID_SCHEMES);

function refusedWith(code: string, work: () => unknown): boolean {
  try {
    work();
  } catch (error) {
    return hasCode(error, code);
  }
  return false;
}

describe('device id', () => {
  it('is the digest of domain, scheme and value, one line each', () => {
    const value = Uint8Array.of(0xd2, 0x66, 0x9c, 0x0b, 0x53, 0x1a, 0x2f, 0x3e);
    const text = 'witnessmark hardware id v1\nspi-nor-uid\nd2669c0b531a2f3e\n';
    expect(toDeviceId({ scheme: 'spi-nor-uid', value })).toBe(sha256Hex(encodeUtf8(text)));
  });

  it('I8: differs where scheme or value differ', () => {
    fc.assert(
      fc.property(scheme, uid, scheme, uid, (firstScheme, first, secondScheme, second) => {
        const same = firstScheme === secondScheme && Buffer.from(first).equals(second);
        const ids = [
          toDeviceId({ scheme: firstScheme, value: first }),
          toDeviceId({ scheme: secondScheme, value: second }),
        ];
        expect(ids[0] === ids[1]).toBe(same);
      }),
    );
  });

  it.each([
    ['all bytes 00', new Uint8Array(8)],
    ['all bytes ff', new Uint8Array(8).fill(0xff)],
    ['3 bytes', Uint8Array.of(1, 2, 3)],
    ['65 bytes', new Uint8Array(65).fill(1)],
    ['no bytes', new Uint8Array(0)],
  ])('refuses a hardware identifier of %s', (_what, value) => {
    expect(refusedWith('ERR_HARDWARE_ID', () => toDeviceId({ scheme: 'spi-nor-uid', value }))).toBe(true);
  });

  it.each([
    ['one byte differs from 00', new Uint8Array(8).with(7, 1)],
    ['one byte differs from ff', new Uint8Array(8).fill(0xff).with(0, 0xfe)],
    ['all bytes 01', new Uint8Array(8).fill(1)],
    ['4 bytes', Uint8Array.of(0, 0, 0, 1)],
    ['64 bytes', new Uint8Array(64).fill(1)],
  ])('takes one of which %s', (_what, value) => {
    expect(toDeviceId({ scheme: 'mcu-uid', value })).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is the subject of statements about the device', () => {
    const id = 'ab'.repeat(32);
    expect(deviceSubject(id)).toEqual({ name: 'unit', uri: `urn:witnessmark:device:${id}`, digest: { sha256: id } });
  });
});

describe('label serial', () => {
  const deviceId = toDeviceId({ scheme: 'spi-nor-uid', value: encodeUtf8('serial01') });

  it('is the SKU and the first 60 bits of the digest of the device id, in base 32', () => {
    const bits = BigInt(`0x${sha256Hex(Buffer.from(deviceId, 'hex'))}`) >> 196n;
    const digits = [...Array(12).keys()].map((index) => Number((bits >> BigInt(5 * (11 - index))) & 31n));
    const text = digits.map((digit) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[digit]).join('');
    const expected = `GW-210-${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8)}`;
    expect(deriveLabelSerial('GW-210', deviceId)).toBe(expected);
  });

  it('reads what it derives, SKUs with hyphens included', () => {
    const sku = fc.stringMatching(/^[A-Z0-9][A-Z0-9-]{0,31}$/);
    fc.assert(
      fc.property(sku, scheme, uid, (name, kind, value) => {
        const serial = deriveLabelSerial(name, toDeviceId({ scheme: kind, value }));
        expect(parseLabelSerial(serial)).toEqual({ serial, sku: name });
      }),
    );
  });

  it('A4: refuses look-alike letters, small letters, spaces and other forms', () => {
    const serial = 'GW-210-7Q3K-9ZD2-M4XT';
    expect(parseLabelSerial(serial).sku).toBe('GW-210');
    const lookAlikes = ['I', 'L', 'O', 'U'].map((letter) => serial.replace('7Q3K', `${letter}Q3K`));
    const others = [
      serial.toLowerCase(),
      serial.replace('Q', 'q'),
      serial.replace('0', 'O').replace('7Q3K', '7Q3O'),
      ` ${serial}`,
      `${serial} `,
      `${serial}\n`,
      serial.replaceAll('-', ''),
      serial.replaceAll('-', '–'),
      serial.replace('7Q3K', '7Q3'),
      serial.replace('7Q3K', '7Q3KK'),
      serial.replace('GW-210-', ''),
      serial.replace('GW-210', '-GW'),
      serial.replace('M4XT', 'М4ХТ'),
      serial.replace('M4XT', 'M4X\u0000'),
      '',
    ];
    for (const text of [...lookAlikes, ...others]) {
      expect(
        refusedWith('ERR_LABEL_FORMAT', () => parseLabelSerial(text)),
        JSON.stringify(text),
      ).toBe(true);
    }
  });

  it('A4: no two characters of its alphabet look alike', () => {
    const serials = Array.from({ length: 400 }, (_, index) =>
      deriveLabelSerial('X', toDeviceId({ scheme: 'mcu-uid', value: Uint8Array.of(1, 2, index >> 8, index & 255) })),
    );
    const letters = new Set(serials.flatMap((serial) => Array.from(serial.slice(2).replaceAll('-', ''))));
    expect([...letters].sort().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
  });
});

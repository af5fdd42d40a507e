// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { hasCode, toDigestSet } from '@witnessmark/core';
import { bindLabel, readLabel } from '../src/binding.ts';
import type { DeviceReading } from '../src/fixture.ts';

const SKU = 'GW-210';
const VALUE = Uint8Array.of(0xd2, 1, 2, 3, 4, 5, 6, 8);
const DEVICE: DeviceReading = {
  deviceId: toDeviceId({ scheme: 'spi-nor-uid', value: VALUE }),
  scheme: 'spi-nor-uid',
  hardwareUid: toDigestSet(VALUE),
};
const SERIAL = deriveLabelSerial(SKU, DEVICE.deviceId);
const RULE = { labelRule: 'derived', sku: SKU } as const;

function bind(serial: string): ReturnType<typeof bindLabel> {
  return bindLabel(DEVICE, { raw: serial, symbology: 'd1', serial, partNumber: null }, RULE);
}

describe('binding a label to a device', () => {
  it('matches the serial that is derived from the hardware identifier', () => {
    expect(bind(SERIAL)).toMatchObject({
      mismatch: null,
      identity: { identityMatch: 'MATCH', anchors: ['hardwareUid'] },
    });
  });

  it.each([
    ['of another device', `${SERIAL.slice(0, -1)}${SERIAL.endsWith('0') ? '1' : '0'}`],
    ['of a similar SKU', SERIAL.replace(SKU, 'GW-211')],
  ])('A1 names both serials for a label %s', (_, serial) => {
    const { identity, mismatch } = bind(serial);
    expect(identity.identityMatch).toBe('MISMATCH');
    expect(mismatch).toMatchObject({ code: 'LS-101' });
    expect(mismatch?.message).toContain(SERIAL);
    expect(mismatch?.message).toContain(serial);
  });

  it('leaves an assigned serial to the line', () => {
    const label = { raw: 'SN000123', symbology: 'd1', serial: 'SN000123', partNumber: null };
    expect(bindLabel(DEVICE, label, { labelRule: 'assigned', sku: SKU }).mismatch).toBeNull();
  });

  it.each([
    ['lower case', SERIAL.toLowerCase()],
    ['a letter that looks like a digit', `${SERIAL.slice(0, -1)}O`],
    ['half a scan', SERIAL.slice(0, -3)],
    ['a work order', 'WO 48113'],
    ['white space around it', ` ${SERIAL}`],
    ['nothing', ''],
    ['full-width digits', SERIAL.replace(/\d/, '５')],
  ])('A4 asks for another scan for %s', (_, raw) => {
    expect(readLabel({ raw: SERIAL, symbology: 'text' }, 'derived').serial).toBe(SERIAL);
    expect(() => readLabel({ raw, symbology: 'text' }, 'derived')).toThrow(expect.objectContaining({ code: 'HD-04' }));
  });

  it('A4 keeps separators and white space out of assigned serials', () => {
    expect(readLabel({ raw: 'SN-1.2_3', symbology: 'text' }, 'assigned').serial).toBe('SN-1.2_3');
    for (const raw of ['../SN1', 'SN 1', 'SN\n1', '-SN1', 'S'.repeat(65)]) {
      let code: unknown;
      try {
        readLabel({ raw, symbology: 'text' }, 'assigned');
      } catch (error) {
        code = hasCode(error, 'HD-04');
      }
      expect(code).toBe(true);
    }
  });

  it('reads the same serial from every kind of label that a unit may carry, and remembers which it was', () => {
    const own = SERIAL.slice(SKU.length + 1);
    for (const [raw, symbology, partNumber] of [
      [`]d1${SERIAL}`, 'd1', null],
      [`]C0${SERIAL}`, 'C0', null],
      [`[)>\u001e06\u001d1P${SKU}\u001dS${SERIAL}\u001e\u0004`, 'text', SKU],
      [`]d20104012345678901` + `21${own}\u001d240${SKU}`, 'd2', SKU],
    ] as const) {
      const label = readLabel({ raw, symbology: 'text' }, 'derived');
      expect(label).toEqual({ raw, symbology, serial: SERIAL, partNumber });
      expect(bindLabel(DEVICE, label, RULE).mismatch).toBeNull();
    }
  });

  it.each([
    ['a misread GTIN', ']d20104012345678902' + '21A1', 'LB-102'],
    ['a swallowed separator', `[)>06S${SERIAL}`, 'LB-103'],
    ['a box label', ']d20104012345678901' + '10L5', 'LB-105'],
    ['a bar code of goods', ']E04012345678901', 'LB-106'],
  ])('A4 names %s as what it is', (_, raw, code) => {
    expect(() => readLabel({ raw, symbology: 'text' }, 'assigned')).toThrow(expect.objectContaining({ code }));
  });

  it('A1 a label of another part number does not fit, whatever its serial', () => {
    const label = readLabel({ raw: `[)>\u001e06\u001d1PGW-211\u001dSSN1\u001e\u0004`, symbology: 'text' }, 'assigned');
    expect(bindLabel(DEVICE, label, { labelRule: 'assigned', sku: SKU }).mismatch).toMatchObject({ code: 'LS-101' });
  });
});

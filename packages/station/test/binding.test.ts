// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { hasCode, toDigestSet } from '@witnessmark/core';
import { bindLabel, readSerial } from '../src/binding.ts';
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
  return bindLabel(DEVICE, { raw: serial, symbology: 'd2', serial }, RULE);
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
    const label = { raw: 'SN000123', symbology: 'd2', serial: 'SN000123' };
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
    expect(readSerial({ raw: SERIAL, symbology: 'd2' }, 'derived')).toBe(SERIAL);
    expect(() => readSerial({ raw, symbology: 'd2' }, 'derived')).toThrow(expect.objectContaining({ code: 'HD-04' }));
  });

  it('A4 keeps separators and white space out of assigned serials', () => {
    expect(readSerial({ raw: 'SN-1.2_3', symbology: 'd2' }, 'assigned')).toBe('SN-1.2_3');
    for (const raw of ['../SN1', 'SN 1', 'SN\n1', '-SN1', 'S'.repeat(65)]) {
      let code: unknown;
      try {
        readSerial({ raw, symbology: 'd2' }, 'assigned');
      } catch (error) {
        code = hasCode(error, 'HD-04');
      }
      expect(code).toBe(true);
    }
  });
});

// SPDX-License-Identifier: Apache-2.0
/** Which device is in the fixture, and whether the label belongs to it: the hardware identifier is the anchor, the label is derived. */
import { hasCode } from '@witnessmark/core';
import { deriveLabelSerial, parseLabelSerial, type Identity, type ReleaseManifest } from '@witnessmark/attestation';
import { StationRefusal } from './error.ts';
import type { DeviceReading } from './fixture.ts';
import type { Job, ScannedLabel } from './ports.ts';

const ASSIGNED_SERIAL = /^[A-Z0-9][A-Z0-9._-]{0,63}$/;

/** The serial on the label. Throws HD-04 for a text that is none: a work order, a typed look-alike, half a scan. */
export function readSerial(label: ScannedLabel, labelRule: ReleaseManifest['labelRule']): string {
  const expected = labelRule === 'derived' ? 'a serial of the form SKU-XXXX-XXXX-XXXX' : 'a printed serial';
  const refused = new StationRefusal('HD-04', { expected, observed: 'another text' });
  if (labelRule === 'assigned') {
    if (ASSIGNED_SERIAL.test(label.raw)) return label.raw;
    throw refused;
  }
  try {
    return parseLabelSerial(label.raw).serial;
  } catch (error) {
    if (hasCode(error, 'ERR_LABEL_FORMAT')) throw refused;
    throw error;
  }
}

interface Binding {
  readonly identity: Identity;
  /** What the label should say, when that is known and it says something else. */
  readonly mismatch: StationRefusal | null;
}

/** Joins device and label. A derived serial is recomputed here; an assigned one only the line can judge. */
export function bindLabel(
  device: DeviceReading,
  label: ScannedLabel & { readonly serial: string },
  rule: { readonly labelRule: ReleaseManifest['labelRule']; readonly sku: Job['sku'] },
): Binding {
  const { raw, symbology, serial } = label;
  const expected = rule.labelRule === 'derived' ? deriveLabelSerial(rule.sku, device.deviceId) : serial;
  const isMatch = expected === serial;
  const identity: Identity = {
    ...device,
    label: { raw, symbology, serial, partNumber: null },
    identityMatch: isMatch ? 'MATCH' : 'MISMATCH',
    anchors: ['hardwareUid'],
  };
  const mismatch = isMatch
    ? null
    : new StationRefusal('LS-101', { expected: `${expected} for this device`, observed: `${serial} on the label` });
  return { identity, mismatch };
}

// SPDX-License-Identifier: Apache-2.0
/** Which device is in the fixture, and whether the label belongs to it: the hardware identifier is the anchor, the label is derived. */
import { hasCode, RefusedError } from '@witnessmark/core';
import { deriveLabelSerial, parseLabelSerial, type Identity, type ReleaseManifest } from '@witnessmark/attestation';
import { parseScan, type Scan } from '@witnessmark/label';
import { StationRefusal } from './error.ts';
import type { DeviceReading } from './fixture.ts';
import type { Job, ScannedLabel } from './ports.ts';

const ASSIGNED_SERIAL = /^[A-Z0-9][A-Z0-9._-]{0,63}$/;

type ReadLabel = NonNullable<Identity['label']>;

/**
 * What the label says. Throws HD-04 for a text that is no serial – a work order, a typed look-alike, half a scan – and the
 * LB codes of a label that is damaged or of another kind.
 */
export function readLabel(label: ScannedLabel, labelRule: ReleaseManifest['labelRule']): ReadLabel {
  const expected = labelRule === 'derived' ? 'a serial of the form SKU-XXXX-XXXX-XXXX' : 'a printed serial';
  const refused = new StationRefusal('HD-04', { expected, observed: 'another text' });
  const { raw, symbology, partNumber, printedSerial } = scan(label.raw, refused);
  const read = { raw, symbology: symbology ?? label.symbology, serial: printedSerial, partNumber };
  if (labelRule === 'assigned') {
    if (ASSIGNED_SERIAL.test(printedSerial)) return read;
    throw refused;
  }
  try {
    return { ...read, serial: parseLabelSerial(printedSerial).serial };
  } catch (error) {
    if (hasCode(error, 'ERR_LABEL_FORMAT')) throw refused;
    throw error;
  }
}

function scan(raw: string, refused: StationRefusal): Scan {
  try {
    return parseScan(raw);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (error.code === 'LB-101') throw refused;
    throw new StationRefusal(error.code, {
      expected: 'a label of this product',
      observed: error.message,
      cause: error,
    });
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
  label: ReadLabel,
  rule: { readonly labelRule: ReleaseManifest['labelRule']; readonly sku: Job['sku'] },
): Binding {
  const { serial, partNumber } = label;
  const expected = rule.labelRule === 'derived' ? deriveLabelSerial(rule.sku, device.deviceId) : serial;
  const isOfProduct = partNumber === null || partNumber === rule.sku;
  const isMatch = expected === serial && isOfProduct;
  const identity: Identity = {
    ...device,
    label,
    identityMatch: isMatch ? 'MATCH' : 'MISMATCH',
    anchors: ['hardwareUid'],
  };
  if (isMatch) return { identity, mismatch: null };
  const finding = isOfProduct
    ? { expected: `${expected} for this device`, observed: `${serial} on the label` }
    : { expected: `a label of ${rule.sku}`, observed: `one of part number ${partNumber}` };
  return { identity, mismatch: new StationRefusal('LS-101', finding) };
}

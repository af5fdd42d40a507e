// SPDX-License-Identifier: Apache-2.0
/** What must hold of the device a unit is to be made on: its identity, its label, and where its unit stands. */
import { RefusedError, sha256Hex, WitnessmarkError } from '@witnessmark/core';
import { deriveLabelSerial, parseLabelSerial } from '@witnessmark/attestation';
import type { UnitRow } from '@witnessmark/store';
import type { AdmissionFacts, Claim } from './claim.ts';
import { ensure, LineRefusal } from './error.ts';

const MIN_HARDWARE_ID_BYTES = 4;
const MAX_HARDWARE_ID_BYTES = 64;
const SPI_NOR_UID_BYTES = 8;
/** Digests of hardware identifiers no part has (spec/device-id.md): the line sees nothing else of an identifier. */
const PLACEHOLDER_UIDS: ReadonlySet<string> = new Set(placeholderDigests());

export function checkDevice({ subject, identity }: Claim, unit: UnitRow | null): void {
  ensure(
    !PLACEHOLDER_UIDS.has(identity.hardwareUid.sha256),
    'UF-01',
    'a hardware identifier of a part',
    'a placeholder: every byte is equal',
  );
  ensure(subject === identity.deviceId, 'LS-506', `a statement about ${identity.deviceId}`, `one about ${subject}`);
  ensure(
    unit === null || unit.hardware_uid === identity.hardwareUid.sha256,
    'LS-506',
    'the hardware identifier this device id stands for',
    'another one',
  );
}

/** LS-101: label, device and product must belong together, from every side. Returns the unit's serial. */
export function checkLabel({ identity, product }: Claim, { unit, labelOwner, release }: AdmissionFacts): string {
  const isAssigned = !(release instanceof RefusedError) && release.release.manifest.labelRule === 'assigned';
  const derived = deriveLabelSerial(product.sku, identity.deviceId);
  if (identity.label === null) {
    ensure(!isAssigned, 'LS-101', 'a scanned label, which this release assigns', 'none');
    ensure(identity.identityMatch === 'NOT_READ', 'LS-101', 'NOT_READ without a label', identity.identityMatch);
  } else {
    const { serial } = identity.label;
    if (!isAssigned) checkDerivedLabel(serial, derived, product.sku);
    ensure(identity.identityMatch === 'MATCH', 'LS-101', 'a label that matches', identity.identityMatch);
  }
  const serial = identity.label?.serial ?? derived;
  ensure(
    labelOwner === null || labelOwner.device_id === identity.deviceId,
    'LS-101',
    `label ${serial} on device ${labelOwner?.device_id ?? ''}`,
    `on device ${identity.deviceId}`,
  );
  ensure(
    (unit?.label_serial ?? serial) === serial,
    'LS-101',
    `label ${unit?.label_serial ?? ''} on this device`,
    serial,
  );
  return serial;
}

function checkDerivedLabel(serial: string, derived: string, sku: string): void {
  let labelSku: string;
  try {
    labelSku = parseLabelSerial(serial).sku;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new LineRefusal('LS-101', `label ${derived}`, `${serial}, which is no serial`, error);
  }
  ensure(labelSku === sku, 'LS-101', `a label for ${sku}`, `a label for ${labelSku}`);
  ensure(serial === derived, 'LS-101', `label ${derived}`, serial);
}

export function checkUnit({ unit, decision, station }: AdmissionFacts): void {
  const state = decision ?? unit?.state ?? 'open';
  ensure(state !== 'scrapped', 'LS-103', 'a unit that may be programmed', 'a scrapped unit');
  ensure(state !== 'quarantined', 'HD-02', 'a unit that may be programmed', 'a unit in quarantine');
  if (unit === null) return;
  const head = `event ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…`;
  ensure(state !== 'passed', 'LS-102', 'a unit that has not passed', `${unit.label_serial ?? ''} passed (${head})`);
  ensure(state !== 'held', 'HD-02', 'a unit that waits for nothing', `a unit on hold (${head})`);
  if (unit.open_transaction === null) return;
  ensure(
    unit.station === station,
    'LS-105',
    `no open intent for this device outside ${station}`,
    `transaction ${unit.open_transaction} at ${unit.station}`,
  );
  throw new LineRefusal('HD-02', 'no open intent for this device', `transaction ${unit.open_transaction} is open here`);
}

/** Of eight bytes, the usual length: every byte equal, or each one more than the one before. Of other lengths: 0x00 and 0xff. */
function* placeholderDigests(): Generator<string> {
  for (let length = MIN_HARDWARE_ID_BYTES; length <= MAX_HARDWARE_ID_BYTES; length += 1) {
    yield sha256Hex(new Uint8Array(length));
    yield sha256Hex(new Uint8Array(length).fill(0xff));
  }
  for (let first = 0; first <= 0xff; first += 1) {
    yield sha256Hex(new Uint8Array(SPI_NOR_UID_BYTES).fill(first));
    yield sha256Hex(Uint8Array.from({ length: SPI_NOR_UID_BYTES }, (_, index) => first + index));
  }
}

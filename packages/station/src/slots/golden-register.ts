// SPDX-License-Identifier: Apache-2.0
/**
 * The golden and known-bad units of a line, as its log has them (spec/golden-check.md): believed only with the line's own
 * signature and that of the supervisor who registered them.
 */
import { STATEMENT_PAYLOAD_TYPE, verifyEnvelope, WitnessmarkError, type Envelope } from '@witnessmark/core';
import { goldenUnit, parseStatement, type GoldenUnit } from '@witnessmark/attestation';
import { StationRefusal } from '../error.ts';
import type { LineTrust } from '../line-trust.ts';

export class GoldenRegister {
  readonly #inUse: readonly GoldenUnit[];
  /** Every device and label that was ever registered. */
  readonly #devices: ReadonlySet<string>;
  readonly #labels: ReadonlySet<string>;

  private constructor(units: readonly GoldenUnit[]) {
    const retired = new Set(units.flatMap(({ action, registrationId }) => (action === 'retire' ? registrationId : [])));
    this.#inUse = units.filter(({ action, id }) => action === 'register' && !retired.has(id));
    this.#devices = new Set(units.map(({ deviceId }) => deviceId));
    this.#labels = new Set(units.map(({ labelSerial }) => labelSerial));
  }

  /** From the records the line shows, in any order. Throws LS-303 for one that the line or a supervisor did not sign. */
  static read(records: readonly Envelope[], trust: LineTrust): GoldenRegister {
    return new GoldenRegister(records.map((envelope) => readUnit(envelope, trust)));
  }

  /** The unit of a device that is in use. */
  find(deviceId: string): GoldenUnit | null {
    return this.#inUse.find((unit) => unit.deviceId === deviceId) ?? null;
  }

  get inUse(): readonly GoldenUnit[] {
    return this.#inUse;
  }

  /** Throws LS-610 for a device or a label that was ever registered. */
  requireProduct(deviceId: string, labelSerial: string): void {
    const what = this.#devices.has(deviceId) ? 'device' : this.#labels.has(labelSerial) ? 'label' : null;
    if (what === null) return;
    throw new StationRefusal('LS-610', {
      expected: 'a unit that may be shipped',
      observed: `the ${what} of a registered golden or known-bad unit`,
    });
  }
}

function readUnit(envelope: Envelope, trust: LineTrust): GoldenUnit {
  const payloadType = STATEMENT_PAYLOAD_TYPE;
  try {
    verifyEnvelope(envelope, { keys: trust.everyEvidenceKey, threshold: 1, payloadType });
    const unit = parseStatement(goldenUnit, envelope.payload).predicate;
    verifyEnvelope(envelope, { keys: trust.supervisorKeys(unit.person.id), threshold: 1, payloadType });
    return unit;
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    const observed = `${cause.code}: ${cause.message}`;
    throw new StationRefusal('LS-303', {
      expected: 'registrations signed by a supervisor and this line',
      observed,
      cause,
    });
  }
}

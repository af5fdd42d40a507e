// SPDX-License-Identifier: Apache-2.0
/**
 * The check station (spec/unit-check.md): a finished unit is read, never written, and held against its newest record and
 * the label on it. What does not fit is flagged in the log, and a flagged unit is not shipped.
 */
import { formatInstant } from '@witnessmark/core';
import { buildStatement, deviceSubject, unitCheck, type UnitCheck } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { countersign, type Signer } from '@witnessmark/custody';
import type { Scan } from '@witnessmark/label';
import { DeskWork, type DeskContext, type DeskOptions } from '../desk-work.ts';
import { StationRefusal } from '../error.ts';
import { Fixture, type DeviceReading } from '../fixture.ts';
import { digestSymbol, readScan, requireLiveLabel } from '../labels/scan-back.ts';
import { signStatement } from '../signing.ts';
import type { UnitRecord } from '../unit-record.ts';
import { examineDevice, toFinding, type CheckFinding, type DeviceExamination } from './examination.ts';

export interface UnitCheckOrder {
  /** The label on the unit, as scanned. */
  readonly label: string;
  /** The credential of a supervisor who lifts an earlier flag, if this check finds nothing. */
  readonly lift?: Signer;
  readonly signal?: AbortSignal;
}

export interface UnitCheckResult {
  readonly deviceId: string;
  /** As the record has it; null for a device without one. */
  readonly serial: string | null;
  readonly result: UnitCheck['result'];
  readonly findings: readonly CheckFinding[];
  readonly isLifted: boolean;
  readonly record: LoggedEntry;
}

interface LabelFindings {
  readonly findings: readonly CheckFinding[];
  readonly labelUnit: UnitCheck['labelUnit'];
}

const NOTHING_READ: DeviceExamination = { measurements: [], protection: null, findings: [] };

export class CheckDesk {
  readonly #work: DeskWork;

  constructor(options: DeskOptions) {
    this.#work = new DeskWork(options);
  }

  /**
   * Returns what was found, logged. Throws UF-01 for no device, the LB codes of a label that cannot be read, LB-108 for a
   * unit somebody works on, and LB-120 for a flag that is not to be lifted.
   */
  check({ label, lift, signal }: UnitCheckOrder): Promise<UnitCheckResult> {
    return this.#work.run(async (known) => {
      const context = await this.#work.begin();
      const { ports } = this.#work.tools;
      const { scan, text } = readScan(label);
      known.labelSerial = scan.printedSerial;
      const fixture = new Fixture(ports.driver, signal);
      const device = await fixture.readDevice();
      known.deviceId = device.deviceId;
      const unit = await this.#work.read(device.deviceId, context);
      const labelled = await this.#judgeLabel(label, scan, unit, context);
      const seen = unit === null ? NOTHING_READ : await examineDevice(fixture, device, unit.record.predicate);
      const findings = [...labelled.findings, ...seen.findings];
      const statement = this.#toStatement({ context, unit, labelled, seen, findings, scan, text });
      return this.#log({ context, device, unit, findings, statement, lift: lift ?? null });
    });
  }

  /** A label of another unit names that unit's record too: both are looked for. */
  async #judgeLabel(
    raw: string,
    { printedSerial }: Scan,
    unit: UnitRecord | null,
    context: DeskContext,
  ): Promise<LabelFindings> {
    if (unit?.serial === printedSerial) return { findings: judgeOwnLabel(raw, unit), labelUnit: null };
    const other = await this.#work.read(printedSerial, context);
    const observed =
      other === null
        ? `label ${printedSerial}, of no unit in the log`
        : `label ${printedSerial}, of ${describe(other)}`;
    const finding: CheckFinding =
      unit === null
        ? { code: 'LB-118', expected: 'a device with a record', observed: `one without, under ${observed}` }
        : { code: 'LB-117', expected: `label ${unit.serial} on ${describe(unit)}`, observed };
    if (other === null) return { findings: [finding], labelUnit: null };
    return { findings: [finding], labelUnit: { deviceId: other.deviceId, record: toReference(other) } };
  }

  #toStatement(parts: {
    readonly context: DeskContext;
    readonly unit: UnitRecord | null;
    readonly labelled: LabelFindings;
    readonly seen: DeviceExamination;
    readonly findings: readonly CheckFinding[];
    readonly scan: Scan;
    readonly text: string;
  }): UnitCheck {
    const { context, unit, labelled, seen, findings, scan, text } = parts;
    const { clock, station, operator, environment } = context;
    const isOwn = labelled.findings.length === 0;
    return {
      id: this.#work.tools.ports.newId(),
      record: unit === null ? null : toReference(unit),
      label: {
        serial: scan.printedSerial,
        labelId: isOwn ? (unit?.liveLabel?.id ?? null) : null,
        symbolDigest: { sha256: digestSymbol(text) },
      },
      labelUnit: labelled.labelUnit,
      measurements: seen.measurements,
      protection: seen.protection,
      result: findings.length === 0 ? 'consistent' : 'flagged',
      code: findings[0]?.code ?? null,
      findings: findings.map(({ code, expected, observed }) => ({ code, expected, observed })),
      clears: null,
      authority: null,
      ...{ station, operator, environment },
      checkedAt: formatInstant(clock.now),
      clock: clock.evidence,
    };
  }

  async #log(parts: {
    readonly context: DeskContext;
    readonly device: DeviceReading;
    readonly unit: UnitRecord | null;
    readonly findings: readonly CheckFinding[];
    readonly statement: UnitCheck;
    readonly lift: Signer | null;
  }): Promise<UnitCheckResult> {
    const { context, device, unit, findings, statement, lift } = parts;
    const lifter = findings.length === 0 ? lift : null;
    const lifting = lifter === null ? {} : this.#toLifting(lifter, unit, context);
    const payload = buildStatement(unitCheck, deviceSubject(device.deviceId), { ...statement, ...lifting });
    const signed = await signStatement(this.#work.tools.ports.signer, payload);
    const record = await this.#work.submit(lifter === null ? signed : await countersign(signed, lifter), context);
    return {
      deviceId: device.deviceId,
      serial: unit?.serial ?? null,
      result: statement.result,
      findings,
      isLifted: lifter !== null,
      record,
    };
  }

  #toLifting(lift: Signer, unit: UnitRecord | null, context: DeskContext): Pick<UnitCheck, 'clears' | 'authority'> {
    const flag = unit?.lastFlag ?? null;
    if (flag === null)
      throw new StationRefusal('LB-120', { expected: 'a flagged unit', observed: 'one without a flag' });
    return { clears: { sha256: flag }, authority: this.#work.authorityOf(lift, context) };
  }
}

/** A unit whose labels are not printed here is known by its serial alone. */
function judgeOwnLabel(raw: string, unit: UnitRecord): readonly CheckFinding[] {
  if (unit.copies === 0) return [];
  try {
    requireLiveLabel(raw, unit);
    return [];
  } catch (error) {
    return [toFinding(error)];
  }
}

function toReference({ serial, record }: UnitRecord): NonNullable<UnitCheck['record']> {
  const { digest, logIndex, predicate } = record;
  return { serial, seq: predicate.event.seq, digest: { sha256: digest }, logIndex };
}

/** For people: a device with the manifest that was made for it. */
function describe({ deviceId, record }: UnitRecord): string {
  return `device ${deviceId.slice(0, 16)}… (manifest ${record.digest.slice(0, 16)}…, entry ${record.logIndex})`;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Labels from the record (spec/label-event.md). The order is intent, log, printer, scan: that a unit has a label is
 * logged before a byte goes to the printer, so no label exists that the log does not know, and a label nobody has seen since
 * a power cut is one that may have been printed. It is scanned, or another takes its place; there are never two that count.
 */
import { formatInstant } from '@witnessmark/core';
import { buildStatement, deviceSubject, isGoodUnit, labelEvent, type LabelEvent } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { countersign, type Signer } from '@witnessmark/custody';
import { toUnitSymbolText } from '@witnessmark/label';
import { DeskWork, type DeskContext, type DeskOptions, type KnownUnit } from '../desk-work.ts';
import { StationRefusal } from '../error.ts';
import { signStatement } from '../signing.ts';
import type { LiveLabel, UnitRecord } from '../unit-record.ts';
import type { LabelPrinting } from './label-printer.ts';
import { digestSymbol, readScan, requireLiveLabel, toUnitLabel } from './scan-back.ts';
import { WaitingLabel, type WaitingUnit } from './waiting-label.ts';

/** Who decides to reprint or void, and why; the line's rules say whose decision counts. */
export interface LabelDecision {
  readonly reason: string;
  /** The person's own credential. */
  readonly signer: Signer;
}

export interface LabelResult {
  readonly action: LabelEvent['action'];
  readonly deviceId: string;
  readonly serial: string;
  readonly labelId: string;
  readonly copy: number;
  readonly record: LoggedEntry;
}

/** What the desk says of an event itself; the rest follows from record and context. */
type EventPart = Pick<
  LabelEvent,
  'action' | 'labelId' | 'replaces' | 'labelWas' | 'copy' | 'symbolDigest' | 'printer' | 'reason'
> & { readonly id: string; readonly decider: Signer | null };

export class LabelDesk {
  readonly #work: DeskWork;
  readonly #printing: LabelPrinting;
  readonly #waiting: WaitingLabel;

  constructor(options: DeskOptions, printing: LabelPrinting) {
    this.#work = new DeskWork(options);
    this.#printing = printing;
    this.#waiting = new WaitingLabel(printing.files);
  }

  /**
   * Prints the first label of a unit that passed, by device id or serial. Throws LB-108 for a unit without such a record,
   * LB-109 or LB-111 for one that has a label, LB-112 when the printer did not take it.
   */
  print(unit: string): Promise<LabelResult> {
    return this.#work.run(async (known) => {
      const context = await this.#work.begin();
      await this.#requireNobodyElse(unit, context);
      const record = await this.#readGood(unit, context, known);
      if (record.liveLabel !== null) throw toLabelled(record.serial, record.liveLabel);
      return this.#make(record, context, { action: 'printed', replaces: null, labelWas: null, reason: null });
    });
  }

  /**
   * Takes the scan of the label that was printed, of the unit that waits unless another is named. Throws LS-101 for the
   * label of another unit, LB-110 for one that no longer counts, LB-115 for one that differs from the record.
   */
  scan(raw: string, unit?: string): Promise<LabelResult> {
    return this.#work.run(async (known) => {
      const context = await this.#work.begin();
      const waiting = await this.#waiting.read();
      const record = await this.#readGood(
        unit ?? waiting?.deviceId ?? readScan(raw).scan.printedSerial,
        context,
        known,
      );
      requireLiveLabel(raw, record);
      const live = record.liveLabel as LiveLabel;
      const { text } = readScan(raw);
      const { state: labelWas, id: labelId, copy } = live;
      if (labelWas === 'scanned') {
        throw new StationRefusal('LB-109', {
          expected: 'a label that waits for its scan',
          observed: 'one scanned back',
        });
      }
      const part = { action: 'scanned', labelId, replaces: null, labelWas, copy, printer: null, reason: null } as const;
      const symbolDigest = { sha256: digestSymbol(text) };
      const id = this.#work.tools.ports.newId();
      const result = await this.#log(record, context, { ...part, id, symbolDigest, decider: null });
      await this.#settle(record.deviceId);
      return result;
    });
  }

  /** Prints a label in the place of the one that counts. Throws LB-110 when none does, LB-113 for who may not decide. */
  reprint(unit: string, { reason, signer }: LabelDecision): Promise<LabelResult> {
    return this.#work.run(async (known) => {
      const context = await this.#work.begin();
      const record = await this.#readGood(unit, context, known);
      const { id: replaces, state: labelWas } = requireLabel(record);
      return this.#make(record, context, { action: 'reprinted', replaces, labelWas, reason }, signer);
    });
  }

  /** Ends the label that counts; the unit may be labelled anew. Throws LB-110 when none does, LB-113 for who may not decide. */
  void(unit: string, { reason, signer }: LabelDecision): Promise<LabelResult> {
    return this.#work.run(async (known) => {
      const context = await this.#work.begin();
      const record = await this.#read(unit, context, known);
      const { id: labelId, state: labelWas, copy } = requireLabel(record);
      const part = { action: 'voided', labelId, replaces: null, labelWas, copy, printer: null, reason } as const;
      const id = this.#work.tools.ports.newId();
      const result = await this.#log(record, context, { ...part, id, symbolDigest: null, decider: signer });
      await this.#settle(record.deviceId);
      return result;
    });
  }

  /** The unit whose label has to be scanned or replaced before the next one is begun. Throws what stands in the way of asking. */
  async findWaiting(): Promise<WaitingUnit | null> {
    const waiting = await this.#waiting.read();
    if (waiting === null) return null;
    const context = await this.#work.beginUnattended();
    const record = await this.#work.read(waiting.deviceId, context);
    if (record?.liveLabel?.state === 'printed') return waiting;
    // The power went before the log had it, or another station ended it.
    await this.#waiting.forget();
    return null;
  }

  async #make(
    record: UnitRecord,
    context: DeskContext,
    part: Pick<LabelEvent, 'action' | 'replaces' | 'labelWas' | 'reason'>,
    decider: Signer | null = null,
  ): Promise<LabelResult> {
    const { printer } = this.#printing;
    const copy = record.copies + 1;
    const label = toUnitLabel(record, copy);
    const symbolDigest = { sha256: digestSymbol(toUnitSymbolText(label)) };
    const id = this.#work.tools.ports.newId();
    await this.#waiting.keep(record);
    const result = await this.#log(record, context, {
      ...part,
      ...{ id, labelId: id, copy, symbolDigest, printer: printer.name, decider },
    });
    await printer.print(label);
    return result;
  }

  async #log(record: UnitRecord, context: DeskContext, { decider, ...part }: EventPart): Promise<LabelResult> {
    const { ports } = this.#work.tools;
    const { operator, station, environment, clock } = context;
    const { predicate: event } = record.record;
    const authority = decider === null ? null : this.#work.authorityOf(decider, context);
    if (part.reason?.trim() === '') throw new StationRefusal('LB-113', { expected: 'a reason', observed: 'none' });
    const statement: LabelEvent = {
      ...part,
      serial: record.serial,
      sku: event.product.sku,
      record: { seq: event.event.seq, digest: { sha256: record.record.digest } },
      previous: record.lastLabelEvent === null ? null : { sha256: record.lastLabelEvent },
      authority,
      station,
      operator,
      madeAt: formatInstant(clock.now),
      clock: clock.evidence,
      environment,
    };
    const payload = buildStatement(labelEvent, deviceSubject(record.deviceId), statement);
    const signed = await signStatement(ports.signer, payload);
    const envelope = decider === null ? signed : await countersign(signed, decider);
    const entry = await this.#work.submit(envelope, context);
    const { action, labelId, copy } = statement;
    return { action, deviceId: record.deviceId, serial: record.serial, labelId, copy, record: entry };
  }

  async #requireNobodyElse(unit: string, context: DeskContext): Promise<void> {
    const waiting = await this.#waiting.read();
    if (waiting === null || unit === waiting.deviceId || unit === waiting.serial) return;
    const record = await this.#work.read(waiting.deviceId, context);
    if (record?.liveLabel?.state === 'printed') throw toLabelled(waiting.serial, record.liveLabel);
  }

  async #readGood(unit: string, context: DeskContext, known: KnownUnit): Promise<UnitRecord> {
    const record = await this.#read(unit, context, known);
    const { predicate } = record.record;
    if (isGoodUnit(predicate)) return record;
    throw new StationRefusal('LB-108', {
      expected: 'the record of a unit that passed',
      observed: `one that ended ${predicate.outcome}${predicate.code === null ? '' : ` ${predicate.code}`}`,
    });
  }

  async #read(unit: string, context: DeskContext, known: KnownUnit): Promise<UnitRecord> {
    const record = await this.#work.read(unit, context);
    if (record === null) {
      throw new StationRefusal('LB-108', { expected: `a record of ${unit.slice(0, 64)}`, observed: 'none in the log' });
    }
    known.deviceId = record.deviceId;
    known.labelSerial = record.serial;
    return record;
  }

  async #settle(deviceId: string): Promise<void> {
    const waiting = await this.#waiting.read();
    if (waiting?.deviceId === deviceId) await this.#waiting.forget();
  }
}

function requireLabel({ serial, liveLabel }: UnitRecord): LiveLabel {
  if (liveLabel !== null) return liveLabel;
  throw new StationRefusal('LB-110', { expected: `a label of ${serial} that counts`, observed: 'none does' });
}

function toLabelled(serial: string, { state, copy }: LiveLabel): StationRefusal {
  return state === 'scanned'
    ? new StationRefusal('LB-109', { expected: `${serial} without a label`, observed: `copy ${copy}, scanned back` })
    : new StationRefusal('LB-111', {
        expected: `the scan of copy ${copy} of ${serial}`,
        observed: 'one that may have been printed',
      });
}

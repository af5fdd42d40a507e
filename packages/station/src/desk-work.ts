// SPDX-License-Identifier: Apache-2.0
/** What the desks for labels and checks share: who is signed in, what the log says of a unit, and refusals on the record. */
import { RefusedError, type Envelope } from '@witnessmark/core';
import { isValidAt, type LabelEvent } from '@witnessmark/attestation';
import { LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import type { Signer } from '@witnessmark/custody';
import { requireSession } from './session.ts';
import type { ClockAssessment } from './clock-check.ts';
import { StationRefusal } from './error.ts';
import type { FlowTools } from './flow-tools.ts';
import { isRecordable, toReasonCode } from './outcomes.ts';
import type { SignedInSession } from './ports.ts';
import { toEnvironment, toOperator } from './statements.ts';
import { readUnitRecord, type UnitRecord } from './unit-record.ts';

export interface DeskOptions {
  readonly tools: FlowTools;
  readonly session: () => SignedInSession | null;
  /** A station does one thing at a time. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What is known about the unit while the work goes on, for a refusal. */
export interface KnownUnit {
  deviceId: string | null;
  labelSerial: string | null;
}

/** Who and when, as every statement of a desk says it. */
export interface DeskContext {
  readonly clock: ClockAssessment;
  readonly operator: LabelEvent['operator'];
  readonly station: LabelEvent['station'];
  readonly environment: LabelEvent['environment'];
}

export class DeskWork {
  readonly tools: FlowTools;
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.tools = options.tools;
    this.#options = options;
  }

  /** Runs work alone; what the station refuses in it is recorded, and thrown all the same. */
  run<T>(work: (known: KnownUnit) => Promise<T>): Promise<T> {
    return this.#options.alone(async () => {
      const known: KnownUnit = { deviceId: null, labelSerial: null };
      try {
        return await work(known);
      } catch (error) {
        await this.record(error, known);
        throw error;
      }
    });
  }

  /** Has a "no" of this station logged; whatever the line said is logged there. */
  async record(error: unknown, known: KnownUnit): Promise<void> {
    if (!(error instanceof RefusedError) || error instanceof LineRefusedError || !isRecordable(error.code)) return;
    const { ports, refusals } = this.tools;
    const operatorId = this.#options.session()?.statement.operator.id ?? null;
    try {
      await refusals.record(error, { transactionId: ports.newId(), ...known, operatorId });
    } catch (failure) {
      // The first "no" is the one to show.
      if (toReasonCode(failure) === null) throw failure;
    }
  }

  /** Throws LS-301 or LS-501. */
  async begin(): Promise<DeskContext> {
    const { ports, time } = this.tools;
    const { clock } = await this.beginUnattended();
    const session = requireSession(this.#options.session(), clock.now);
    const { id, line, plant } = ports.identity;
    return {
      clock,
      operator: toOperator(session),
      station: { id, line, plant },
      environment: toEnvironment(ports.identity, ports.driver, time.breakGlass),
    };
  }

  /** The same for work nobody has to answer for. Throws LS-301. */
  async beginUnattended(): Promise<Pick<DeskContext, 'clock'>> {
    const { time } = this.tools;
    time.requirePlausible();
    await time.synchronise();
    return { clock: time.requireSane() };
  }

  /** By device id or label serial; null for a unit the line does not know. Throws LS-303 or LB-108. */
  async read(unit: string, { clock }: Pick<DeskContext, 'clock'>): Promise<UnitRecord | null> {
    const { line, lineTrust: trust, journal } = this.tools.ports;
    const evidence = await line.unitEvidence(unit);
    if (evidence === null) return null;
    const found = readUnitRecord(evidence, { trust, at: clock.now, lastHead: journal.floor.head });
    journal.raiseFloor({ head: found.head });
    return found;
  }

  /** Returns when it is in the log and its receipt was recomputed. */
  async submit(envelope: Envelope, { clock }: Pick<DeskContext, 'clock'>): Promise<LoggedEntry> {
    const { ports, recorder } = this.tools;
    const entry = await recorder.submit(envelope, { author: ports.signer.publicKey, at: clock.now });
    await ports.journal.saveFloor();
    return entry;
  }

  /** Who holds a key, as the trusted root lists it. Throws LB-113 for nobody of this line. */
  authorityOf(signer: Signer, { clock, station }: DeskContext): { readonly id: string; readonly role: string } {
    const holder = this.tools.ports.lineTrust.keys.find(
      (entry) =>
        entry.key.keyid === signer.publicKey.keyid &&
        entry.scope === station.line &&
        (entry.role === 'operator' || entry.role === 'supervisor') &&
        isValidAt(entry, clock.now),
    );
    if (holder !== undefined) return { id: holder.owner, role: holder.role };
    throw new StationRefusal('LB-113', {
      expected: `the credential of an operator or supervisor of ${station.line}`,
      observed: 'another key',
    });
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * One unit from the scan to the receipt, and after an interruption from its intent to the receipt. The moves are those of
 * {@link advance}; this runner does what each move means. Intent before effect: the first byte is written after the
 * intent is durable here and in the log. Receipt before PASS.
 */
import { RefusedError, type Bytes } from '@witnessmark/core';
import type { Outcome, ProvisioningEvent } from '@witnessmark/attestation';
import { LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import { admitUnit, type Admission, type KnownUnit } from './admission.ts';
import { DeviceWork } from './device-work.ts';
import { FINAL_MOVE, recorded, untouched, UNTOUCHED, waiting, type Ending } from './endings.ts';
import { StationError } from './error.ts';
import { formatEvent, toEvent, type UnitFindings } from './event-statement.ts';
import { Findings } from './findings.ts';
import { Fixture } from './fixture.ts';
import type { FlowTools, UnitOrder } from './flow-tools.ts';
import type { JournalRecord } from './journal-format.ts';
import type { Transaction } from './journal.ts';
import { MeasurementKeeper } from './kept-measurement.ts';
import { readClosingEvent, readOpenUnit, type ClosingEvent, type OpenUnit } from './open-unit.ts';
import { isFinalRefusal, isRecordable, isUndecided, toFinalPhase, toReasonCode } from './outcomes.ts';
import type { UnitResult } from './ports.ts';
import type { OfflineDesk } from './offline/offline-desk.ts';
import { signStatement } from './signing.ts';
import { formatIntent } from './statements.ts';
import { StepWatch } from './step-watch.ts';
import { advance, IDLE, type FlowState, type Move, type Recipe } from './transitions.ts';
import { isSealed, unsealImages } from './unsealing.ts';

export class UnitFlow {
  readonly #tools: FlowTools;
  readonly #transactionId: string;
  readonly #fixture: Fixture;
  readonly #watch: StepWatch;
  readonly #keeper: MeasurementKeeper;
  readonly #work: DeviceWork;
  #state: FlowState = IDLE;
  #recipe: Recipe = [];
  #known: KnownUnit = { deviceId: null, serial: null, operatorId: null };
  #isResumed = false;
  readonly #unsealed: Bytes[] = [];

  constructor(tools: FlowTools, transactionId: string, signal?: AbortSignal) {
    const { clock, driver, identity, journal, onProgress, signer } = tools.ports;
    this.#tools = tools;
    this.#transactionId = transactionId;
    this.#fixture = new Fixture(driver, signal);
    this.#watch = new StepWatch(clock, { transactionId, slot: identity.slot ?? null }, onProgress);
    const move = (name: Move): void => {
      this.#move(name);
    };
    this.#keeper = new MeasurementKeeper({ journal, signer, profile: driver.profile });
    const { time } = tools;
    this.#work = new DeviceWork({
      ...{ fixture: this.#fixture, keeper: this.#keeper, watch: this.#watch },
      bootCheck: tools.ports.bootCheck ?? null,
      ...{ time, move, signal },
    });
  }

  /** Takes a new unit through all moves. */
  async run(order: UnitOrder): Promise<UnitResult> {
    try {
      const { unit, images } = await this.#begin(order);
      const findings = await this.#work.perform(unit, images);
      this.#wipe();
      return await this.#record(unit, findings);
    } catch (error) {
      return await this.#end(error);
    } finally {
      this.#wipe();
    }
  }

  /** Takes an interrupted unit from where its journal ends to a record. Nothing is ever programmed here. */
  async resume(transaction: Transaction): Promise<UnitResult> {
    const unit = readOpenUnit(transaction, this.#tools.ports.signer.publicKey);
    const { identity, operator } = unit.intent;
    const serial = identity.label?.serial ?? null;
    this.#isResumed = true;
    this.#known = { deviceId: identity.deviceId, serial, operatorId: operator.id };
    this.#recipe = unit.manifest.recipe.steps;
    this.#move('interrupt');
    try {
      return await this.#goOn(unit, transaction);
    } catch (error) {
      return this.#end(error);
    }
  }

  async #begin(order: UnitOrder): Promise<{ unit: OpenUnit; images: ReadonlyMap<string, Bytes> }> {
    const learn = (known: Partial<KnownUnit>): void => {
      this.#known = { ...this.#known, ...known };
    };
    const context = { transactionId: this.#transactionId, fixture: this.#fixture, learn };
    const admission = await this.#watch.run('idle', 'bind', () => admitUnit(this.#tools, order, context));
    this.#recipe = admission.unit.release.manifest.recipe.steps;
    this.#move('bind');
    const images = await this.#openImages(admission);
    const unit = await this.#watch.run('bound', 'intend', () => this.#intend(admission));
    this.#move('intend');
    return { unit, images };
  }

  /** Before the intent: what cannot be opened cannot be programmed, and no unit is begun for it. */
  #openImages(admission: Admission): Promise<ReadonlyMap<string, Bytes>> {
    if (!isSealed(admission.unit.release.manifest)) return Promise.resolve(admission.contents);
    return this.#watch.run('bound', 'unseal', () =>
      unsealImages(this.#tools, admission, (image) => this.#unsealed.push(image)),
    );
  }

  /** Images that were sealed outlive neither the programming nor its failure. */
  #wipe(): void {
    for (const image of this.#unsealed.splice(0)) image.fill(0);
  }

  /** Durable here, then logged, then known here to be logged: only then may the device be touched. */
  async #intend({ unit, permit }: Admission): Promise<OpenUnit> {
    const { ports, time } = this.#tools;
    const clock = time.requireSane();
    const { identity: station, driver: fixture, signer } = ports;
    const place = permit.isOffline === true ? this.#tools.offline?.placeOfIntent() : undefined;
    const offline = place === undefined ? {} : { offline: place };
    const payload = formatIntent(unit, { eventId: ports.newId(), permit, station, fixture, clock, ...offline });
    const transaction = await ports.journal.begin(this.#transactionId, clock.now, {
      kind: 'intended',
      intent: await signStatement(signer, payload),
      permit: permit.envelope,
      eventId: ports.newId(),
      manifest: unit.release.manifest,
    });
    const open = readOpenUnit(transaction, signer.publicKey);
    await this.#submitIntent(open);
    return open;
  }

  async #submitIntent(unit: OpenUnit): Promise<void> {
    const { intentEnvelope, permit, intendedAt: at, transactionId } = unit;
    const { ports, recorder, offline } = this.#tools;
    if (unit.intent.offline !== undefined) {
      await requireDesk(offline).keep(intentEnvelope, transactionId, at);
      await ports.journal.append(transactionId, at, { kind: 'intentSpooled' });
      return;
    }
    const options = { author: ports.signer.publicKey, at, attachments: { permit } };
    try {
      const entry = await recorder.submit(intentEnvelope, options);
      await ports.journal.append(transactionId, at, { kind: 'intentLogged', entry });
    } catch (error) {
      if (error instanceof LineRefusedError && !isUndecided(error.code)) {
        // The line said no, so the intent is not in the log and never will be: nothing was begun.
        await ports.journal.append(transactionId, at, { kind: 'abandoned', code: error.code });
        await ports.journal.remove(transactionId);
      }
      throw error;
    }
  }

  /** Goes on from the last thing that was made durable. */
  async #goOn(unit: OpenUnit, transaction: Transaction): Promise<UnitResult> {
    const { journal, signer } = this.#tools.ports;
    const last = (transaction.records.at(-1) as JournalRecord).fact;
    switch (last.kind) {
      case 'intended':
        return this.#giveUp(unit);
      case 'intentLogged':
      case 'intentSpooled':
      case 'measured':
        this.#keeper.restore(unit, transaction);
        return this.#record(unit, await this.#work.examine(unit, 'the station was interrupted'));
      case 'abandoned':
        await journal.remove(unit.transactionId);
        return this.#finish(untouched(`the line refused the intent: ${last.code}`));
      case 'eventSigned':
        return this.#submitEvent(unit, this.#readSigned(transaction));
      case 'closed': {
        const { envelope, event, at } = this.#readSigned(transaction);
        this.#tools.recorder.recheck(last.entry, { sent: envelope, author: signer.publicKey, at });
        await journal.saveFloor();
        return this.#conclude(event, last.entry);
      }
      case 'refused':
        throw new TypeError('a refusal is delivered, not resumed');
    }
  }

  #readSigned(transaction: Transaction): ClosingEvent {
    const closing = readClosingEvent(transaction, this.#tools.ports.signer.publicKey);
    this.#state = { phase: 'signed', outcome: closing.event.outcome };
    return closing;
  }

  /**
   * Nothing was written, and nobody knows whether the line has the intent: submitted once more, it is either in the log
   * and closed there, or refused and never was.
   */
  async #giveUp(unit: OpenUnit): Promise<UnitResult> {
    try {
      await this.#submitIntent(unit);
    } catch (error) {
      if (!(error instanceof LineRefusedError) || isUndecided(error.code)) throw error;
      // Its reason is about an intent that is out of date, not about the unit, which may be begun anew.
      return this.#finish(untouched(`the line refused the intent: ${error.code}`));
    }
    return this.#record(unit, new Findings().aborted('HD-05', UNTOUCHED));
  }

  /** Signs what was found; durable here before it leaves. */
  async #record(unit: OpenUnit, findings: UnitFindings): Promise<UnitResult> {
    const { ports, time } = this.#tools;
    const clock = time.requireSane();
    const { eventId, intent, intentEnvelope, manifest, transactionId } = unit;
    const { identity: station, driver: fixture, signer, journal } = ports;
    const context = { eventId, intent, intentPayload: intentEnvelope.payload, manifest, station, fixture, clock };
    const offline = this.#tools.offline?.placeOfEvent(intent);
    const event = toEvent(findings, { ...context, ...(offline !== undefined && { offline }) });
    const envelope = await signStatement(signer, formatEvent(event));
    this.#move('sign', findings.outcome);
    await journal.append(transactionId, clock.now, { kind: 'eventSigned', event: envelope });
    return this.#submitEvent(unit, { envelope, event, at: clock.now });
  }

  async #submitEvent({ transactionId }: OpenUnit, closing: ClosingEvent): Promise<UnitResult> {
    const { ports, recorder, offline } = this.#tools;
    const { envelope, event, at } = closing;
    if (event.offline !== undefined) {
      await requireDesk(offline).keep(envelope, transactionId, at);
      return this.#wait(event);
    }
    try {
      const entry = await recorder.submit(envelope, { author: ports.signer.publicKey, at });
      await ports.journal.append(transactionId, at, { kind: 'closed', entry });
      await ports.journal.saveFloor();
      return this.#conclude(event, entry);
    } catch (error) {
      // What the line will never take is kept for people; the line itself keeps the unit blocked by its open intent.
      if (error instanceof LineRefusedError && isFinalRefusal(error.code)) await ports.journal.reject(transactionId);
      throw error;
    }
  }

  #wait(event: ProvisioningEvent): UnitResult {
    this.#move('spool');
    return this.#finish(waiting(event));
  }

  #conclude(event: ProvisioningEvent, record: LoggedEntry): UnitResult {
    this.#move('record');
    return this.#finish(recorded(event, record));
  }

  /** Ends a unit that did not get as far as a logged event. */
  async #end(error: unknown): Promise<UnitResult> {
    const code = toReasonCode(error);
    if (code === null) throw error;
    const isOpen = this.#state.phase !== 'idle' && this.#state.phase !== 'bound';
    // With an intent open nothing is decided about the unit yet, whatever the code; recovery will.
    const phase = isOpen && toFinalPhase(code) === 'failed' ? 'interrupted' : toFinalPhase(code);
    const detail = error instanceof Error ? error.message : null;
    return this.#finish({ phase, code, detail, record: await this.#recordRefusal(error), resumed: false });
  }

  /** The line records what it refuses; what the station refuses, the station records there. */
  async #recordRefusal(error: unknown): Promise<LoggedEntry | null> {
    if (error instanceof LineRefusedError) return error.refusal;
    // A unit that is resumed again and again is told by its open intent; it does not fill the log.
    if (this.#isResumed || !(error instanceof RefusedError) || !isRecordable(error.code)) return null;
    const { deviceId, serial: labelSerial, operatorId } = this.#known;
    const context = { transactionId: this.#transactionId, deviceId, labelSerial, operatorId };
    try {
      return await this.#tools.refusals.record(error, context);
    } catch (failure) {
      // The first "no" is the one to show; a disk or key that failed now stops the next unit by itself.
      if (toReasonCode(failure) === null) throw failure;
      return null;
    }
  }

  #finish(ending: Ending): UnitResult {
    this.#move(FINAL_MOVE[ending.phase]);
    const { deviceId, serial } = this.#known;
    return {
      ...ending,
      transactionId: this.#transactionId,
      deviceId,
      serial,
      seconds: this.#watch.seconds,
    };
  }

  #move(move: Move, outcome?: Outcome): void {
    this.#state = advance(this.#state, move, this.#recipe, outcome);
  }
}

/** What was begun without the line is finished by a station that has its spool. */
function requireDesk(desk: OfflineDesk | null): OfflineDesk {
  if (desk !== null) return desk;
  throw new StationError('ERR_STATION_JOURNAL_DAMAGED', 'a unit was begun without the line, and there is no spool');
}

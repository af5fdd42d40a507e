// SPDX-License-Identifier: Apache-2.0
/** A programming station: signs operators in, programs one unit after the other, finishes what was interrupted. */
import type { Envelope, ReasonCode } from '@witnessmark/core';
import type { PanelPlace } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import type { Job, ScannedLabel, SignedInSession, StationPorts, UnitResult } from './ports.ts';
import type { FlowTools } from './flow-tools.ts';
import { toReasonCode, toWaiting } from './outcomes.ts';
import { OfflineDesk } from './offline/offline-desk.ts';
import { Recorder } from './recorder.ts';
import type { StationRefusal } from './error.ts';
import { isClosed, recoverTransactions, type RecoveryReport } from './recovery.ts';
import { RefusalDesk } from './refusal-desk.ts';
import { LabelDesk } from './labels/label-desk.ts';
import { findSessionLapse } from './session.ts';
import { recordSignOut, signInWithBadge, signInWithCredential, type BadgeOrder } from './sign-in.ts';
import { CheckDesk } from './checks/check-desk.ts';
import { checkGoldenUnit, type GoldenCheckOrder, type GoldenCheckResult } from './slots/golden-check.ts';
import { TimeKeeper } from './time-keeper.ts';
import { UnitFlow } from './unit-flow.ts';

const EARLIER_WORK = 'earlier work of this station waits to be recorded';

export interface ProgramRequest {
  readonly job: Job;
  readonly label: ScannedLabel;
  /** Where the unit sits, while its board is still part of a panel. */
  readonly panel?: PanelPlace;
  /** Why a unit that failed is tried again, in the operator's words. */
  readonly retestReason?: string;
  /** Ends the work at the device; what was begun stays open for recovery. */
  readonly signal?: AbortSignal;
}

export class Station {
  /** Finished units, looked at again. */
  readonly checks: CheckDesk;
  /** Null at a station without a label printer. */
  readonly labels: LabelDesk | null;
  readonly #tools: FlowTools;
  #session: SignedInSession | null = null;
  #isBusy = false;
  /** Transactions whose verdict was given to the caller. */
  readonly #told = new Set<string>();

  constructor(ports: StationPorts) {
    const recorder = new Recorder(ports);
    const time = new TimeKeeper(ports, recorder);
    const offline = ports.offline === undefined ? null : new OfflineDesk(ports, ports.offline, recorder);
    this.#tools = { ports, recorder, time, offline, refusals: new RefusalDesk(ports, recorder, time, offline) };
    const desk = {
      tools: this.#tools,
      session: () => this.#session,
      alone: <T>(work: () => Promise<T>) => this.#alone(work),
    };
    this.checks = new CheckDesk(desk);
    this.labels = ports.labels === undefined ? null : new LabelDesk(desk, ports.labels);
  }

  /**
   * Verifies an operator's session and has it logged. Throws LS-501, LS-301, the line's refusal, or an `ApiError` when
   * the line is away; nobody is signed in then.
   */
  signIn(envelope: Envelope): Promise<LoggedEntry> {
    return this.#open(() => signInWithCredential(envelope, this.#tools));
  }

  /** The same for a badge, which the line checks: the lesser grade. Throws LS-517 and LS-518 besides. */
  signInWithBadge(order: BadgeOrder): Promise<LoggedEntry> {
    return this.#open(() => signInWithBadge(order, this.#tools));
  }

  /** Why another unit would be refused now for want of a session: LS-501, LS-511 or LS-512; null when it would not. */
  get sessionLapse(): ReasonCode | null {
    return findSessionLapse(this.#session, this.#tools.ports.clock.now());
  }

  /** Nobody works here any more; the line hears nothing of it. */
  signOut(): void {
    this.#session = null;
  }

  /** Signs out, here first and then in the log. Null when nobody was signed in, or when the line did not take it up. */
  endSession(): Promise<LoggedEntry | null> {
    return this.#alone(async () => {
      const session = this.#session;
      this.#session = null;
      return session === null ? null : recordSignOut(session, this.#tools);
    });
  }

  /** Finishes, holds or submits again whatever the journal has open. Safe to repeat. */
  recover(): Promise<RecoveryReport> {
    return this.#alone(() => this.#recover());
  }

  /**
   * Takes one unit through its recipe, after finishing what is open; while something stays open no unit is begun. When
   * the scanned unit is the one that was just finished, that is its result. Results say how units ended; only errors
   * that are nobody's "no" are thrown.
   */
  programUnit(request: ProgramRequest): Promise<UnitResult> {
    return this.#alone(async () => {
      const { ports } = this.#tools;
      const { label, signal } = request;
      const transactionId = ports.newId();
      const settled = await this.#settle(transactionId, label.raw);
      if (settled !== null) return settled;
      const unlabelled = await this.#findUnlabelled(transactionId);
      if (unlabelled !== null) return unlabelled;
      const result = await new UnitFlow(this.#tools, transactionId, signal).run({
        ...request,
        session: this.#session,
      });
      // A scan that was refused is no work.
      if (result.phase === 'passed' || result.phase === 'failed')
        this.#session?.use.touch(this.#tools.time.bestInstant());
      this.#told.add(transactionId);
      return result;
    });
  }

  /**
   * Proves this station with a registered unit in the fixture; nothing is written to it. Throws what stands in the way of a
   * record; what the unit showed is the result.
   */
  checkGolden(order: Omit<GoldenCheckOrder, 'session'>): Promise<GoldenCheckResult> {
    return this.#alone(() => checkGoldenUnit(this.#tools, { ...order, session: this.#session }));
  }

  /** Records a "no" from before a unit was begun – a wrong slot, a panel that does not add up – and gives it as a result. */
  refuse(refused: StationRefusal): Promise<UnitResult> {
    return this.#alone(async () => {
      const transactionId = this.#tools.ports.newId();
      const operatorId = this.#session?.statement.operator.id ?? null;
      const context = { transactionId, deviceId: null, labelSerial: null, operatorId };
      const record = await this.#tools.refusals.record(refused, context);
      return { ...toWaiting(transactionId, refused.code, refused.message), record };
    });
  }

  /** No scan, no move: the unit before bears its label, or somebody has decided about it. */
  async #findUnlabelled(transactionId: string): Promise<UnitResult | null> {
    try {
      const waiting = (await this.labels?.findWaiting()) ?? null;
      if (waiting === null) return null;
      return toWaiting(transactionId, 'LB-111', `the label of ${waiting.serial} was not scanned back`);
    } catch (error) {
      const code = toReasonCode(error);
      if (code === null) throw error;
      return toWaiting(transactionId, code, 'a label waits for its scan');
    }
  }

  /** Null when the next unit may begin; otherwise its result, or why it may not. */
  async #settle(transactionId: string, serial: string): Promise<UnitResult | null> {
    const { ports, offline } = this.#tools;
    const { journal, onRecovered } = ports;
    try {
      await this.#forgetTold();
      if (journal.transactions.length === 0 && offline?.hasWork !== true) return null;
      const { units, pending, waiting, stop } = await this.#recover();
      const own = units.find((unit) => unit.serial === serial && unit.record !== null && unit.code !== 'HD-05');
      // What waits was told when it was made; it is told again when the line has it.
      for (const unit of units) if (unit !== own && unit.code !== 'HD-06') onRecovered?.(unit);
      const known = own ?? stop ?? units.find((unit) => unit.serial === serial && unit.code === 'HD-06');
      if (known !== undefined) return known;
      const isFree = pending === waiting && (offline?.isWorking === true || offline?.isBroken === true);
      if (pending > 0 && !isFree) {
        const code = units.find(({ record }) => record === null)?.code ?? 'HD-01';
        return toWaiting(transactionId, code, EARLIER_WORK);
      }
      await this.#forgetTold();
      return null;
    } catch (error) {
      const code = toReasonCode(error);
      if (code === null) throw error;
      return toWaiting(transactionId, code, EARLIER_WORK);
    }
  }

  async #recover(): Promise<RecoveryReport> {
    const report = await recoverTransactions(this.#tools);
    for (const { record, transactionId } of report.units) if (record !== null) this.#told.add(transactionId);
    return report;
  }

  /** A verdict is kept so that a restart can give it again; once the next unit is scanned it has been seen. */
  async #forgetTold(): Promise<void> {
    const { journal } = this.#tools.ports;
    for (const transaction of [...journal.transactions]) {
      if (this.#told.has(transaction.id) && isClosed(transaction)) await journal.remove(transaction.id);
    }
    this.#told.clear();
  }

  #open(signIn: () => ReturnType<typeof signInWithCredential>): Promise<LoggedEntry> {
    return this.#alone(async () => {
      this.#session = null;
      const { session, entry } = await signIn();
      this.#session = session;
      const { gate, clock } = this.#tools.ports;
      gate?.beginShift(clock.now());
      return entry;
    });
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new TypeError('a station does one thing at a time');
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A programming station: signs operators in, programs one unit after the other, finishes what was interrupted. */
import type { Envelope, ReasonCode } from '@witnessmark/core';
import type { LoggedEntry } from '@witnessmark/api';
import type { Job, ScannedLabel, SignedInSession, StationPorts, UnitResult } from './ports.ts';
import type { FlowTools } from './flow-tools.ts';
import { toFinalPhase, toReasonCode } from './outcomes.ts';
import { Recorder } from './recorder.ts';
import { isClosed, recoverTransactions, type RecoveryReport } from './recovery.ts';
import { RefusalDesk } from './refusal-desk.ts';
import { verifySession } from './session.ts';
import { TimeKeeper } from './time-keeper.ts';
import { UnitFlow } from './unit-flow.ts';

export interface ProgramRequest {
  readonly job: Job;
  readonly label: ScannedLabel;
  /** Ends the work at the device; what was begun stays open for recovery. */
  readonly signal?: AbortSignal;
}

export class Station {
  readonly #tools: FlowTools;
  #session: SignedInSession | null = null;
  #isBusy = false;
  /** Transactions whose verdict was given to the caller. */
  readonly #told = new Set<string>();

  constructor(ports: StationPorts) {
    const recorder = new Recorder(ports);
    const time = new TimeKeeper(ports, recorder);
    this.#tools = { ports, recorder, time, refusals: new RefusalDesk(ports, recorder, time) };
  }

  /**
   * Verifies an operator's session and has it logged. Throws LS-501, LS-301, the line's refusal, or an `ApiError` when
   * the line is away; nobody is signed in then.
   */
  async signIn(envelope: Envelope): Promise<LoggedEntry> {
    return this.#alone(async () => {
      const { ports, recorder, time } = this.#tools;
      this.#session = null;
      await time.synchronise();
      const { now } = time.requireSane();
      const context = { trust: ports.lineTrust, station: ports.identity, now };
      const { operatorKey, ...session } = verifySession(envelope, context);
      const entry = await recorder.submit(envelope, { author: operatorKey, at: now });
      await ports.journal.saveFloor();
      this.#session = session;
      return entry;
    });
  }

  signOut(): void {
    this.#session = null;
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
      const { job, label, signal } = request;
      const transactionId = ports.newId();
      const settled = await this.#settle(transactionId, label.raw);
      if (settled !== null) return settled;
      const result = await new UnitFlow(this.#tools, transactionId, signal).run({ job, label, session: this.#session });
      this.#told.add(transactionId);
      return result;
    });
  }

  /** Null when the next unit may begin; otherwise its result, or why it may not. */
  async #settle(transactionId: string, serial: string): Promise<UnitResult | null> {
    const { journal, onRecovered } = this.#tools.ports;
    try {
      await this.#forgetTold();
      if (journal.transactions.length === 0) return null;
      const { units, pending } = await this.#recover();
      const own = units.find((unit) => unit.serial === serial && unit.record !== null && unit.code !== 'HD-05');
      for (const unit of units) if (unit !== own) onRecovered?.(unit);
      if (own !== undefined) return own;
      if (pending > 0) return toWaiting(transactionId, units.find(({ record }) => record === null)?.code ?? 'HD-01');
      await this.#forgetTold();
      return null;
    } catch (error) {
      const code = toReasonCode(error);
      if (code === null) throw error;
      return toWaiting(transactionId, code);
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

function toWaiting(transactionId: string, code: ReasonCode): UnitResult {
  return {
    phase: toFinalPhase(code) === 'stopped' ? 'stopped' : 'interrupted',
    code,
    detail: 'earlier work of this station waits to be recorded',
    transactionId,
    deviceId: null,
    serial: null,
    record: null,
    resumed: false,
    seconds: 0,
  };
}

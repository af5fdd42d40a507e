// SPDX-License-Identifier: Apache-2.0
/** Refusals of the station itself: durable here first, then in the log; what cannot be delivered now is delivered later. */
import { describeReasonCode, formatInstant, type Envelope, type RefusedError } from '@witnessmark/core';
import { toRefusalKind, type Refusal, type SpoolHead } from '@witnessmark/attestation';
import { ApiError, LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import { StationRefusal } from './error.ts';
import { isFinalRefusal } from './outcomes.ts';
import type { Transaction } from './journal.ts';
import type { StationPorts } from './ports.ts';
import type { OfflineDesk } from './offline/offline-desk.ts';
import type { Recorder } from './recorder.ts';
import { signStatement } from './signing.ts';
import { formatRefusal } from './statements.ts';
import type { TimeKeeper } from './time-keeper.ts';

const MAX_REMARK_LENGTH = 1000;

/** What is known about the unit that was refused. */
interface RefusalContext {
  readonly transactionId: string;
  readonly deviceId: string | null;
  readonly labelSerial: string | null;
  readonly operatorId: string | null;
  /** Where the spool ends that is broken, when that is what was found. */
  readonly brokenSpool?: SpoolHead;
}

export class RefusalDesk {
  readonly #ports: StationPorts;
  readonly #recorder: Recorder;
  readonly #time: TimeKeeper;
  readonly #offline: OfflineDesk | null;
  /** What waits for the line, so that repeating a refused scan does not fill the disk. */
  readonly #waiting = new Map<string, string>();

  constructor(ports: StationPorts, recorder: Recorder, time: TimeKeeper, offline: OfflineDesk | null) {
    this.#ports = ports;
    this.#offline = offline;
    this.#recorder = recorder;
    this.#time = time;
  }

  /** Makes the refusal durable and submits it; null when it waits in the journal for the line. */
  async record(refused: RefusedError, context: RefusalContext): Promise<LoggedEntry | null> {
    const { journal, signer, newId } = this.#ports;
    const topic = [refused.code, context.deviceId, context.labelSerial, context.operatorId].join('\n');
    if (this.#waiting.has(topic)) return null;
    const id = newId();
    const refusedAt = this.#time.bestInstant();
    const offline = this.#offline?.placeOfRefusal();
    const statement = {
      ...this.#toStatement(id, refused, context, formatInstant(refusedAt)),
      ...(offline !== undefined && { offline }),
    };
    const envelope = await signStatement(signer, formatRefusal(statement, signer.publicKey));
    const transaction = await journal.begin(id, refusedAt, { kind: 'refused', refusal: envelope });
    this.#waiting.set(topic, id);
    if (offline === undefined) return this.deliver(transaction);
    await this.#offline?.keep(envelope, id, refusedAt);
    return null;
  }

  /** Submits a refusal that the journal holds; null while the line is away or will not take it. */
  async deliver(transaction: Transaction): Promise<LoggedEntry | null> {
    const { journal } = this.#ports;
    const first = transaction.records[0];
    if (first?.fact.kind !== 'refused') throw new TypeError(`transaction ${transaction.id} is not a refusal`);
    if (this.#offline?.isWaiting(first.fact.refusal) === true) return null;
    const last = transaction.records.at(-1)?.fact;
    const entry = last?.kind === 'closed' ? last.entry : await this.#submit(first.fact.refusal);
    if (entry === 'later') return null;
    if (entry === 'never') {
      await this.reject(transaction.id);
      return null;
    }
    if (last?.kind !== 'closed') await journal.append(transaction.id, first.at, { kind: 'closed', entry });
    await journal.saveFloor();
    await this.forget(transaction.id);
    return entry;
  }

  /** Nothing is left to do about a refusal. */
  async forget(id: string): Promise<void> {
    await this.#ports.journal.remove(id);
    this.#release(id);
  }

  /** Puts one aside that the line will not take. */
  async reject(id: string): Promise<void> {
    await this.#ports.journal.reject(id);
    this.#release(id);
  }

  /** It may be old, and the line's keys have changed since: the receipt is one of today. */
  async #submit(refusal: Envelope): Promise<LoggedEntry | 'later' | 'never'> {
    const at = this.#time.bestInstant();
    try {
      return await this.#recorder.submit(refusal, { author: this.#ports.signer.publicKey, at });
    } catch (error) {
      if (error instanceof ApiError || error instanceof StationRefusal) return 'later';
      if (error instanceof LineRefusedError) return isFinalRefusal(error.code) ? 'never' : 'later';
      throw error;
    }
  }

  #release(id: string): void {
    for (const [topic, waiting] of this.#waiting) if (waiting === id) this.#waiting.delete(topic);
  }

  #toStatement(id: string, refused: RefusedError, context: RefusalContext, refusedAt: string): Refusal {
    const { identity, driver } = this.#ports;
    const finding =
      refused instanceof StationRefusal
        ? refused
        : { expected: describeReasonCode(refused.code).cause, observed: refused.message };
    return {
      id,
      ...context,
      kind: toRefusalKind(refused.code),
      code: refused.code,
      station: {
        id: identity.id,
        line: identity.line,
        ...(identity.slot !== undefined && { slot: identity.slot }),
      },
      expected: finding.expected.slice(0, MAX_REMARK_LENGTH),
      observed: finding.observed.slice(0, MAX_REMARK_LENGTH),
      refusedAt,
      environment: { ...identity.environment, breakGlass: this.#time.breakGlass, simulated: driver.simulated },
    };
  }
}

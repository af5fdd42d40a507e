// SPDX-License-Identifier: Apache-2.0
/**
 * Work while the line does not answer: holds an allowance while it does, grants units under it, and gives every statement made
 * meanwhile its place in the spool. Nothing here is ever PASS: that is said when the line has what was made.
 */
import { equalBytes, type Envelope, type Instant } from '@witnessmark/core';
import {
  offlineAllowance,
  parseStatement,
  type OfflineAllowance,
  type ProvisioningIntent,
  type SpoolHead,
  type SpoolPlace,
} from '@witnessmark/attestation';
import { ApiError, LineRefusedError, type OfflineService } from '@witnessmark/api';
import type { ClockAssessment } from '../clock-check.ts';
import { StationRefusal } from '../error.ts';
import type { StationPorts } from '../ports.ts';
import type { GrantedPermit, Recorder } from '../recorder.ts';
import { signStatement } from '../signing.ts';
import type { BoundUnit } from '../statements.ts';
import {
  formatOfflineRequest,
  isFresh,
  readAllowance,
  requireCover,
  toOfflineRequest,
  toWork,
  type HeldAllowance,
  type OfflineWork,
  type UnitAtWork,
} from './allowance.ts';
import { readSpooled, requireNew, setUnitsAside } from './journaled.ts';
import type { OfflinePort } from './offline-port.ts';
import { missing, replaced, type SpoolBreach } from './spool-breach.ts';
import { follows, nextPlace, SPOOL_START, toSpoolRecord, type SpoolEnd, type SpoolRecord } from './spool-format.ts';
import type { Spool } from './spool.ts';

export class OfflineDesk {
  readonly #ports: StationPorts;
  readonly #offline: OfflinePort;
  readonly #recorder: Recorder;
  #allowance: HeldAllowance | null = null;
  #unitsBegun = 0;
  /** Whether the line said that it allows nothing; asked again by the next process. */
  #isRefused = false;
  #isAway = false;
  #isBreachTold = false;

  constructor(ports: StationPorts, offline: OfflinePort, recorder: Recorder) {
    this.#ports = ports;
    this.#offline = offline;
    this.#recorder = recorder;
  }

  /** Whether the last attempt to reach the line failed. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Whether there is something to deliver, or to tell, before anything is begun. */
  get hasWork(): boolean {
    return this.spool.records.length > 0 || (this.spool.breach !== null && !this.#isBreachTold);
  }

  /** Whether units may be begun though what was made before still waits. */
  get isWorking(): boolean {
    return this.#isAway && this.#allowance !== null && this.spool.breach === null;
  }

  /** Whether the spool goes on only when the line has said from where. */
  get isBroken(): boolean {
    return !this.#isAway && this.spool.breach !== null;
  }

  get spool(): Spool {
    return this.#offline.spool;
  }

  get line(): OfflineService {
    return this.#offline.line;
  }

  /** What the line found, and has on record. */
  noteBreach(breach: SpoolBreach): void {
    this.spool.markBroken(breach);
    this.#isBreachTold = true;
  }

  /** The breach that nobody has put on record yet; from now on it counts as told. */
  takeBreach(): StationRefusal | null {
    const { breach } = this.spool;
    if (breach === null || this.#isBreachTold) return null;
    this.#isBreachTold = true;
    return new StationRefusal(breach.code, breach);
  }

  /** The end of the spool that a refusal of this station says is broken. */
  get brokenEnd(): SpoolHead {
    return this.#toHead(this.spool.base);
  }

  noteLine(isAway: boolean): void {
    this.#isAway = isAway;
  }

  /** Where the spool ends, for whoever asks the line for something; absent before the first allowance. */
  get position(): SpoolHead | undefined {
    const { end } = this.spool;
    return end === null || this.spool.breach !== null ? undefined : this.#toHead(end);
  }

  /**
   * Has an allowance for this work renewed while the line answers. Without one the station works as long as the line
   * answers; what the line refuses about the spool itself is thrown.
   */
  async renew(unit: UnitAtWork, clock: ClockAssessment): Promise<void> {
    const work = toWork(unit);
    const isBroken = this.spool.breach !== null;
    if (!isBroken && (!this.#offline.isWanted || this.#isRefused || this.#isFresh(work, clock.now))) return;
    try {
      if (this.spool.end === null) await this.#repeatFirst(clock);
      await this.#request(unit, clock);
    } catch (error) {
      if (error instanceof ApiError && !isBroken) return;
      if (!(error instanceof LineRefusedError) || isBroken) throw error;
      if (isAboutSpool(error)) {
        this.noteBreach({ code: error.code, expected: 'the end the line has', observed: error.message });
        throw error;
      }
      // A line that allows nothing says so once; a rule that stops the station stops the permit too, and is told there.
      this.#isRefused = error.code === 'LS-311';
    }
  }

  /** The allowance in place of a permit. Throws HD-01 without one, HD-07 when it is used up, HD-06 for a unit that waits. */
  grant(unit: UnitAtWork & Pick<BoundUnit, 'identity'>, now: Instant): GrantedPermit {
    const held = this.#allowance;
    if (held === null || this.spool.breach !== null) {
      throw new StationRefusal('HD-01', { expected: 'an answer of the line, or its allowance', observed: 'neither' });
    }
    requireCover(held, toWork(unit), this.#unitsBegun, now);
    if (this.spool.isFull) {
      throw new StationRefusal('HD-07', { expected: 'room in the spool', observed: `${this.spool.records.length}` });
    }
    requireNew(unit.identity.deviceId, this.#ports.journal.transactions);
    const { startDigest } = held.statement;
    return {
      envelope: held.envelope,
      digest: held.digest,
      statement: {
        chain: { nextSeq: 1, previousEventDigest: null },
        attempt: 1,
        breakGlass: null,
        ...(startDigest !== undefined && { startDigest }),
      },
      isOffline: true,
    };
  }

  /** The place of the intent that begins the next unit. */
  placeOfIntent(): NonNullable<ProvisioningIntent['offline']> {
    return { ...this.#nextPlace(), unit: this.#unitsBegun + 1 };
  }

  /** The place of a unit's event; absent when its intent is in the log, so that the event can go there too. */
  placeOfEvent({ offline }: Pick<ProvisioningIntent, 'offline'>): SpoolPlace | undefined {
    if (offline === undefined || offline.seq <= this.spool.base.seq) return undefined;
    this.spool.requireUsable();
    return nextPlace(this.spool.end ?? SPOOL_START, offline.allowanceDigest.sha256);
  }

  /** The place of a refusal that is made now; absent while the line answers, and without an allowance. */
  placeOfRefusal(): SpoolPlace | undefined {
    return this.isWorking && this.spool.isUsable && !this.spool.isFull ? this.#nextPlace() : undefined;
  }

  /** Puts a signed statement, which the journal holds already, into the spool; once, however often it is asked. */
  async keep(envelope: Envelope, transactionId: string, at: Instant): Promise<void> {
    const record = toSpoolRecord(envelope, transactionId, at);
    if (record === null) throw new TypeError('a statement without a place in the spool');
    // A broken spool takes nothing more; the journal keeps the statement for people.
    if (this.#isKept(record) || this.spool.breach !== null || record.seq <= this.spool.base.seq) return;
    await this.spool.append(record);
    if (record.kind === 'intent') this.#unitsBegun += 1;
  }

  /** Whether a statement is in the spool and not yet in the log. */
  isWaiting(envelope: Envelope): boolean {
    return this.spool.records.some(({ envelope: kept }) => equalBytes(kept.payload, envelope.payload));
  }

  /**
   * After a restart: the journal is written first, so it may hold the one statement that the spool lacks. More than one, or
   * another one, means that somebody was at the spool.
   */
  async reconcile(): Promise<void> {
    for (const record of readSpooled(this.#ports.journal.transactions)) {
      if (this.spool.breach !== null) return;
      const end = this.spool.end ?? SPOOL_START;
      if (record.seq <= end.seq) {
        if (this.#isKept(record) || record.seq <= this.spool.base.seq) continue;
        this.spool.markBroken(replaced(`record ${record.seq} of the spool as the journal has it`, 'another one'));
      } else if (this.spool.end !== null && follows(record, end)) {
        await this.spool.append(record);
      } else {
        this.spool.markBroken(missing(end.seq + 1, record.seq, 'a journal that goes on, and a spool that does not'));
      }
    }
  }

  /** Takes over where the line says that the spool goes on, and the allowance. */
  async #request(unit: UnitAtWork, clock: ClockAssessment): Promise<void> {
    const { identity: station, driver: fixture, signer, newId } = this.#ports;
    const { end } = this.spool;
    const spool = end === null ? undefined : this.#toHead(end);
    const request = toOfflineRequest(unit, { id: newId(), spool, station, fixture, clock });
    const payload = formatOfflineRequest(request, signer.publicKey);
    const envelope = await signStatement(signer, payload);
    if (end === null) await this.spool.keepFirstRequest(envelope);
    const entry = await this.#recorder.requestAllowance(this.line, envelope, clock.now);
    const held = readAllowance(entry.envelope, request, payload);
    await this.#adopt(held.statement);
    this.#allowance = held;
    this.#unitsBegun = 0;
    this.#isBreachTold = false;
  }

  /** An allowance whose answer was lost says where the spool begins; a request the line never saw is forgotten. */
  async #repeatFirst({ now }: ClockAssessment): Promise<void> {
    const request = await this.spool.readFirstRequest();
    if (request === null) return;
    try {
      const { envelope } = await this.#recorder.requestAllowance(this.line, request, now);
      await this.#adopt(parseStatement(offlineAllowance, envelope.payload).predicate);
    } catch (error) {
      if (!(error instanceof LineRefusedError)) throw error;
    }
  }

  /** Goes on where the line says; what still waits in a broken spool is kept for people, with its units. */
  async #adopt({ id, spool }: OfflineAllowance): Promise<void> {
    const { breach, base } = this.spool;
    if (breach !== null) await setUnitsAside(breach, base.seq, this.#ports);
    await this.spool.adopt({ seq: spool.seq, digest: spool.digest?.sha256 ?? null }, id);
  }

  #isFresh(work: OfflineWork, now: Instant): boolean {
    return this.#allowance !== null && isFresh(this.#allowance, work, this.#unitsBegun, now);
  }

  #nextPlace(): SpoolPlace {
    this.spool.requireUsable();
    const { end } = this.spool;
    if (this.#allowance === null || end === null) throw new TypeError('there is no allowance');
    return nextPlace(end, this.#allowance.digest);
  }

  #isKept({ seq, digest }: SpoolRecord): boolean {
    return this.spool.records.some((kept) => kept.seq === seq && kept.digest === digest);
  }

  #toHead({ seq, digest }: SpoolEnd): SpoolHead {
    const { slot } = this.#ports.identity;
    return {
      ...(slot !== undefined && { slot }),
      seq,
      digest: digest === null ? null : { sha256: digest },
    };
  }
}

function isAboutSpool(error: LineRefusedError): error is LineRefusedError & { readonly code: SpoolBreach['code'] } {
  return error.code === 'LS-312' || error.code === 'LS-313';
}

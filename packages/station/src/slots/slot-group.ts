// SPDX-License-Identifier: Apache-2.0
/**
 * A station with several places: one `Station` machine for each slot, with a journal, a driver and a programmer of its own,
 * under one identity, one key and one operator. A slot that stops, fails or is cut off leaves the others at their work; what
 * stops the whole station – a record that cannot be stored, a stop the line has not heard of – lets no slot begin a unit.
 */
import { isReasonCode, type Envelope, type ReasonCode } from '@witnessmark/core';
import { MAX_SLOTS, parseStatement, refusal } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { StationRefusal } from '../error.ts';
import type { Journal, Transaction } from '../journal.ts';
import { toFinalPhase, toWaiting } from '../outcomes.ts';
import type { UnitResult } from '../ports.ts';
import type { RecoveryReport } from '../recovery.ts';
import type { BadgeOrder } from '../sign-in.ts';
import type { ProgramRequest, Station } from '../station.ts';
import { queue } from './shared-sources.ts';

export interface SlotMachine {
  /** From 1 to {@link MAX_SLOTS}; no two are equal. */
  readonly slot: number;
  readonly station: Pick<
    Station,
    'signIn' | 'signInWithBadge' | 'signOut' | 'endSession' | 'sessionLapse' | 'recover' | 'programUnit' | 'refuse'
  >;
  /** The one `station` was made with. */
  readonly journal: Pick<Journal, 'floor' | 'raiseFloor' | 'hasFailed' | 'transactions'>;
}

interface Slot extends SlotMachine {
  readonly inTurn: ReturnType<typeof queue>;
  /** The label that is being worked on. */
  serial: string | null;
}

export class SlotGroup {
  readonly #slots: ReadonlyMap<number, Slot>;
  readonly #newId: () => string;

  constructor(machines: readonly SlotMachine[], newId: () => string) {
    const numbers = machines.map(({ slot }) => slot);
    const isLawful = numbers.every((slot) => Number.isInteger(slot) && slot >= 1 && slot <= MAX_SLOTS);
    if (machines.length === 0 || !isLawful || new Set(numbers).size !== numbers.length) {
      throw new TypeError(`a station has slots of different numbers from 1 to ${MAX_SLOTS}`);
    }
    this.#slots = new Map(machines.map((machine) => [machine.slot, { ...machine, inTurn: queue(), serial: null }]));
    this.#newId = newId;
    for (const slot of this.#slots.values()) this.#raiseFloor(slot);
  }

  /** In the order they were given. */
  get numbers(): readonly number[] {
    return [...this.#slots.keys()];
  }

  /** Slots that are not at work. */
  get free(): readonly number[] {
    return [...this.#slots.values()].filter(({ serial }) => serial === null).map(({ slot }) => slot);
  }

  /**
   * Signs an operator in at every slot, each after the unit it is at work on: one statement, one entry in the log. Throws as
   * `Station.signIn` does; nobody is signed in anywhere then.
   */
  async signIn(envelope: Envelope): Promise<LoggedEntry> {
    return this.#signIn((station) => station.signIn(envelope), envelope);
  }

  /** The same for a badge: the line checks it once, and every slot works in the session it answers with. */
  async signInWithBadge(order: BadgeOrder): Promise<LoggedEntry> {
    return this.#signIn((station) => station.signInWithBadge(order));
  }

  /** Why another unit would be refused in some slot now for want of a session; null when it would not in any. */
  get sessionLapse(): ReasonCode | null {
    return [...this.#slots.values()].map(({ station }) => station.sessionLapse).find((code) => code !== null) ?? null;
  }

  signOut(): void {
    for (const { station } of this.#slots.values()) station.signOut();
  }

  /** Signs out everywhere and has that logged, each slot after the unit it is at work on. */
  async endSession(): Promise<LoggedEntry | null> {
    const [first, ...others] = [...this.#slots.values()] as [Slot, ...Slot[]];
    await Promise.all(
      others.map(({ inTurn, station }) =>
        inTurn(() => {
          station.signOut();
          return Promise.resolve();
        }),
      ),
    );
    return first.inTurn(() => first.station.endSession());
  }

  /** Finishes, holds or submits again what these slots have open, all at once. Rejects when one of them does, after all ended. */
  async recover(numbers: readonly number[] = this.numbers): Promise<ReadonlyMap<number, RecoveryReport>> {
    const slots = [...this.#slots.values()].filter(({ slot }) => numbers.includes(slot));
    const reports = await settleAll(
      slots.map((slot) =>
        slot.inTurn(() => {
          this.#raiseFloor(slot);
          return slot.station.recover();
        }),
      ),
    );
    return new Map(slots.map(({ slot }, index) => [slot, reports[index] as RecoveryReport]));
  }

  /**
   * Takes one unit through its recipe in one slot. Throws LS-609 for a slot that is not here and LS-603 for one, or for a
   * unit, that is at work: nothing was begun then. Everything else is the unit's result.
   */
  async programUnit(number: number, request: ProgramRequest): Promise<UnitResult> {
    const slot = this.#requireFree(number, request.label.raw);
    slot.serial = request.label.raw;
    try {
      return await slot.inTurn(async () => {
        const hindrance = await this.#findHindrance(slot);
        if (hindrance !== null) return toWaiting(this.#newId(), hindrance.code, hindrance.detail);
        this.#raiseFloor(slot);
        return slot.station.programUnit(request);
      });
    } finally {
      slot.serial = null;
    }
  }

  /** Has a "no" recorded that no slot said: through one that is free, or the first to become it. */
  refuse(refused: StationRefusal): Promise<UnitResult> {
    const slots = [...this.#slots.values()];
    const slot = slots.find(({ serial }) => serial === null) ?? slots[0];
    if (slot === undefined) throw new TypeError('a group has slots');
    return slot.inTurn(() => slot.station.refuse(refused));
  }

  async #signIn(
    begin: (station: SlotMachine['station']) => Promise<LoggedEntry>,
    envelope?: Envelope,
  ): Promise<LoggedEntry> {
    const [first, ...others] = [...this.#slots.values()] as [Slot, ...Slot[]];
    // A unit that was admitted under the session before is finished under it.
    await Promise.all(others.map(({ inTurn }) => inTurn(() => Promise.resolve())));
    try {
      const entry = await first.inTurn(() => begin(first.station));
      await Promise.all(others.map(({ inTurn, station }) => inTurn(() => station.signIn(envelope ?? entry.envelope))));
      return entry;
    } catch (error) {
      this.signOut();
      throw error;
    }
  }

  #requireFree(number: number, serial: string): Slot {
    const slot = this.#slots.get(number);
    if (slot === undefined) {
      throw new StationRefusal('LS-609', {
        expected: `a slot of ${this.numbers.join(', ')}`,
        observed: `slot ${number}`,
      });
    }
    if (slot.serial !== null) {
      throw new StationRefusal('LS-603', {
        expected: `slot ${number} without work`,
        observed: `${slot.serial} at work in it`,
      });
    }
    for (const other of this.#slots.values()) {
      if (other.serial !== serial) continue;
      throw new StationRefusal('LS-603', {
        expected: `${serial} in slot ${number} alone`,
        observed: `${serial} at work in slot ${other.slot}`,
      });
    }
    return slot;
  }

  /** Why no slot may begin now, though the one that was scanned has nothing against it. */
  async #findHindrance(own: Slot): Promise<{ readonly code: ReasonCode; readonly detail: string } | null> {
    for (const other of this.#slots.values()) {
      if (other === own) continue;
      // What cannot be stored there is not known to be storable here: the disk is the same.
      if (other.journal.hasFailed) {
        return { code: 'LS-302', detail: `slot ${other.slot} could not make a record durable` };
      }
      if (findUntoldStop(other.journal.transactions) === null) continue;
      // The line knows of the station's stops what it was told; this one is told first. Nobody waits for a slot that has a
      // unit, so no two wait for each other.
      if (other.serial === null) await other.inTurn(() => other.station.recover());
      const code = findUntoldStop(other.journal.transactions);
      if (code !== null) return { code, detail: `the stop of slot ${other.slot} waits to be recorded` };
    }
    return null;
  }

  /**
   * A slot may not fall behind what any other has seen, neither in time nor in the log. Only while it is not at work: the
   * line's answers to two slots may overtake each other.
   */
  #raiseFloor({ journal }: Slot): void {
    for (const { journal: other } of this.#slots.values()) {
      const { lastEvidenceAt: evidenceAt, head } = other.floor;
      journal.raiseFloor(head === null ? { evidenceAt } : { evidenceAt, head });
    }
  }
}

/** A refusal of the station itself that would close the station, and that the line does not have yet. */
function findUntoldStop(transactions: readonly Transaction[]): ReasonCode | null {
  for (const { records } of transactions) {
    const fact = records[0]?.fact;
    if (fact?.kind !== 'refused' || records.length > 1) continue;
    const { code } = parseStatement(refusal, fact.refusal.payload).predicate;
    if (isReasonCode(code) && toFinalPhase(code) === 'stopped') return code;
  }
  return null;
}

/** Waits for all, then throws what the first one threw. */
async function settleAll<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

// SPDX-License-Identifier: Apache-2.0
/** Challenges for sign-ins: drawn shortly before, for one station, good for one session. A restart forgets them, which asks for another. */
import { encodeUtf8, formatInstant, parseInstant, sha256Hex, type Instant } from '@witnessmark/core';
import type { OperatorSession } from '@witnessmark/attestation';
import { LineRefusal } from './error.ts';

/** Enough to find a card and type a PIN. */
const LIFETIME_MS = 3 * 60_000;
/** People who try at one station at once; more push out the oldest. */
const MAX_PER_STATION = 16;

interface Challenge {
  readonly value: string;
  readonly drawnAt: Instant;
  /** Payload digest of the session it went into; null until there is one. */
  session: string | null;
}

export class Challenges {
  readonly #newId: () => string;
  readonly #byStation = new Map<string, Challenge[]>();

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** The caller has made sure that the station is one of the line: strangers would fill the memory. */
  draw(station: string, now: Instant): { readonly challenge: string; readonly expiresAt: Instant } {
    // A version 7 UUID holds 74 bits that nobody can foresee.
    const challenge = { value: sha256Hex(encodeUtf8(`challenge ${this.#newId()}`)), drawnAt: now, session: null };
    const fresh = this.#freshOf(station, now).slice(1 - MAX_PER_STATION);
    this.#byStation.set(station, [...fresh, challenge]);
    return { challenge: challenge.value, expiresAt: now + LIFETIME_MS };
  }

  /**
   * Binds a challenge to the session that carries it; the same session may come again. Throws LS-516, also for a session
   * that says it began before its challenge was drawn.
   */
  redeem(
    { session, station }: Pick<OperatorSession, 'session' | 'station'>,
    digest: string,
    { now, maxClockOffsetMs }: { readonly now: Instant; readonly maxClockOffsetMs: number },
  ): void {
    const drawn = this.#freshOf(station.id, now).find(({ value }) => value === session.challenge);
    const expected = `a challenge drawn for ${station.id} since ${formatInstant(now - LIFETIME_MS)}`;
    if (drawn === undefined) throw new LineRefusal('LS-516', expected, 'another one');
    if (drawn.session !== null && drawn.session !== digest) {
      throw new LineRefusal('LS-516', expected, 'one that another session has used');
    }
    if (parseInstant(session.openedAt) < drawn.drawnAt - maxClockOffsetMs) {
      throw new LineRefusal('LS-516', `a session begun after ${formatInstant(drawn.drawnAt)}`, session.openedAt);
    }
    drawn.session = digest;
  }

  #freshOf(station: string, now: Instant): readonly Challenge[] {
    return (this.#byStation.get(station) ?? []).filter(
      ({ drawnAt }) => now - drawnAt >= 0 && now - drawnAt < LIFETIME_MS,
    );
  }
}

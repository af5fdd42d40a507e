// SPDX-License-Identifier: Apache-2.0
/** Opening and closing in an emergency, as whoever owns the rules builds, finds and takes the statements. */
import type { Bytes, Envelope } from '@witnessmark/core';

export interface BreakGlassOrder {
  /** The same ceremony asks for the same opening, however often it is begun again. */
  readonly id: string;
  readonly scope: readonly string[];
  readonly reason: string;
  readonly ticket: string;
  readonly minutes: number;
  readonly requestedBy: string;
  readonly confirmedBy: string;
  readonly openedAt: string;
}

export interface ResealOrder {
  readonly id: string;
  readonly openingId: string;
  /** What was done while it was open. */
  readonly done: string;
  /** Number of the new seal, when there is one. */
  readonly seal: string | null;
  readonly resealedBy: string;
  readonly resealedAt: string;
}

export interface BreakGlassRecord {
  /** SHA-256 of the statement. */
  readonly payloadDigest: string;
  /** RFC 3339; null for a closing. */
  readonly until: string | null;
}

export interface BreakGlassPort {
  /** The statement to sign. Throws a `RefusedError` when policy does not allow it. */
  opening(order: BreakGlassOrder): Promise<Bytes>;
  closing(order: ResealOrder): Promise<Bytes>;
  /** What the log has under this id, or null. */
  find(id: string): Promise<BreakGlassRecord | null>;
  /** Returns when it is in the log. Throws a `RefusedError`. */
  submit(envelope: Envelope): Promise<BreakGlassRecord>;
}

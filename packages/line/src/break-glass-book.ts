// SPDX-License-Identifier: Apache-2.0
/**
 * Which break-glass is in force, known without a look at the database: learnt at the start, then from what is logged. One
 * line has one opening at a time at most; the views' constraint sees to that.
 */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { BreakGlassOpening, BreakGlassScope } from '@witnessmark/attestation';
import type { ViewReader } from '@witnessmark/store';
import { OPENING_KIND } from './site-records/break-glass.ts';
import type { Records } from './records.ts';
import type { ReadSiteRecord } from './statements.ts';

const MINUTE_MS = 60_000;

export interface BreakGlassInForce {
  /** SHA-256 of the opening's payload: the mark that records carry. */
  readonly digest: string;
  readonly scope: ReadonlySet<BreakGlassScope>;
}

interface Opening {
  readonly id: string;
  readonly digest: string;
  readonly station: string | null;
  /** Exclusive: it ends by the clock, whatever anybody does. */
  readonly until: Instant;
  readonly scope: ReadonlySet<BreakGlassScope>;
  readonly isResealed: boolean;
}

export class BreakGlassBook {
  /** The last opening until it has been reviewed. */
  #unfinished: Opening | null = null;

  async learn(views: ViewReader, records: Records): Promise<void> {
    const row = (await views.recentSiteRecords(OPENING_KIND, 1))[0];
    if (row === undefined || row.state === 'reviewed') return;
    const statement = await records.readStatement(row.log_index);
    if (statement.kind !== 'siteRecord') return;
    this.observe(statement);
    if (row.state === 'resealed') this.#reseal();
  }

  /** After it was logged. */
  observe({ rule, digest, predicate }: ReadSiteRecord): void {
    switch (rule.kind) {
      case OPENING_KIND:
        this.#unfinished = toOpening(digest, predicate as BreakGlassOpening);
        break;
      case 'break-glass-closing':
        this.#reseal();
        break;
      case 'break-glass-review':
        this.#unfinished = null;
        break;
    }
  }

  /** The opening in force now, wherever it applies. */
  current(now: Instant): (BreakGlassInForce & { readonly station: string | null }) | null {
    const opening = this.#unfinished;
    return opening === null || opening.isResealed || now >= opening.until ? null : opening;
  }

  /** Null when every rule holds at this station now. */
  inForce(station: string, now: Instant): BreakGlassInForce | null {
    const opening = this.current(now);
    return opening === null || (opening.station !== null && opening.station !== station) ? null : opening;
  }

  /** Whether the last opening is over, and not resealed and reviewed yet. */
  waitsForReview(now: Instant): boolean {
    const opening = this.#unfinished;
    return opening !== null && (opening.isResealed || now >= opening.until);
  }

  #reseal(): void {
    if (this.#unfinished !== null) this.#unfinished = { ...this.#unfinished, isResealed: true };
  }
}

function toOpening(digest: string, { id, place, scope, openedAt, minutes }: BreakGlassOpening): Opening {
  const until = parseInstant(openedAt) + minutes * MINUTE_MS;
  return { id, digest, station: place.station, until, scope: new Set(scope), isResealed: false };
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What the newest golden checks of each station found, known without a look at the database: learnt at the start, then from
 * what is logged.
 */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { GoldenCheck, GoldenKind } from '@witnessmark/attestation';
import type { ViewReader } from '@witnessmark/store';
import type { Records } from './records.ts';
import { GOLDEN_CHECK_KIND } from './site-records/golden.ts';
import type { ReadSiteRecord } from './statements.ts';

/** Checks that are read at the start, the newest; a station that made none of them is due. */
const MAX_CHECKS = 1000;

export interface KnownCheck {
  readonly kind: GoldenKind;
  /** Null at a station with one place. */
  readonly slot: number | null;
  readonly isAsExpected: boolean;
  readonly checkedAt: Instant;
}

export class GoldenBook {
  /** The newest of each station, place and kind of unit. */
  readonly #checks = new Map<string, Map<string, KnownCheck>>();

  async learn(views: ViewReader, records: Records): Promise<void> {
    const rows = await views.recentSiteRecords(GOLDEN_CHECK_KIND, MAX_CHECKS);
    for (const { log_index: index } of rows.toReversed()) {
      const statement = await records.readStatement(index);
      if (statement.kind === 'siteRecord') this.observe(statement);
    }
  }

  /** After it was logged. */
  observe({ rule, predicate }: ReadSiteRecord): void {
    if (rule.kind !== GOLDEN_CHECK_KIND) return;
    const { station, kind, result, checkedAt } = predicate as GoldenCheck;
    const { slot = null } = station;
    const checks = this.#checks.get(station.id) ?? new Map<string, KnownCheck>();
    const check = { kind, slot, isAsExpected: result === 'asExpected', checkedAt: parseInstant(checkedAt) };
    this.#checks.set(station.id, checks.set(`${kind} ${slot ?? ''}`, check));
  }

  /** The newest of each place and kind. */
  of(station: string): readonly KnownCheck[] {
    return [...(this.#checks.get(station)?.values() ?? [])];
  }
}

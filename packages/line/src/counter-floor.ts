// SPDX-License-Identifier: Apache-2.0
/**
 * The highest release counter seen for each product. Learnt from intents as they are logged, and after a start from the
 * newest records of every station, so that an effectivity that goes back is refused (LS-204) whoever signed it.
 */
import type { ViewReader } from '@witnessmark/store';
import type { Records } from './records.ts';

/** Enough to meet each product a station changes between. */
const RECORDS_PER_STATION = 32;

export class CounterFloor {
  readonly #floors = new Map<string, number>();

  of(sku: string): number {
    return this.#floors.get(sku) ?? 0;
  }

  observe(sku: string, releaseCounter: number): void {
    this.#floors.set(sku, Math.max(this.of(sku), releaseCounter));
  }

  async learn(stations: readonly string[], views: ViewReader, records: Records): Promise<void> {
    for (const station of stations) {
      for (const { log_index: index } of await views.recentEvents(station, RECORDS_PER_STATION)) {
        const statement = await records.readStatement(index);
        if (statement.kind !== 'intent' && statement.kind !== 'event') continue;
        this.observe(statement.predicate.product.sku, statement.predicate.release.releaseCounter);
      }
    }
  }
}

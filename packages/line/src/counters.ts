// SPDX-License-Identifier: Apache-2.0
/** What a line counts while it runs. Labels name products, stations and codes, never units. */
import type { ReasonCode } from '@witnessmark/core';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A counter with labels; the number of label sets is bounded by the enrolled stations, products and codes. */
class Counter<Label extends string> {
  readonly #labels: readonly Label[];
  readonly #values = new Map<string, { readonly labels: Readonly<Record<Label, string>>; value: number }>();

  constructor(labels: readonly Label[]) {
    this.#labels = labels;
  }

  add(labels: Readonly<Record<Label, string>>, by = 1): void {
    const key = JSON.stringify(this.#labels.map((label) => labels[label]));
    const entry = this.#values.get(key);
    if (entry === undefined) this.#values.set(key, { labels, value: by });
    else entry.value += by;
  }

  samples(): readonly Sample[] {
    return [...this.#values.values()];
  }
}

export class LineCounters {
  readonly units = new Counter<'result' | 'sku' | 'station'>(['result', 'sku', 'station']);
  readonly refusals = new Counter<'code' | 'station'>(['code', 'station']);
  readonly lineStops = new Counter<'code'>(['code']);
  readonly permits = new Counter<'station'>(['station']);
  readonly entries = new Counter<'kind'>(['kind']);

  refused(code: ReasonCode, station: string): void {
    this.refusals.add({ code, station });
  }
}

// SPDX-License-Identifier: Apache-2.0
import type { ReasonCode } from '@witnessmark/core';

/** One damaged object. */
export interface Finding {
  readonly code: ReasonCode & `LG-${string}`;
  /** What is damaged: a path below the log's directory, `entry 17`, `journal row 512`, `unit ["…"]`. */
  readonly object: string;
  readonly detail: string;
}

/** Collects findings up to a bound: a destroyed archive must not fill memory with its description. */
export class Findings {
  static readonly MAX = 1_000;
  readonly #list: Finding[] = [];
  #omitted = 0;

  get list(): readonly Finding[] {
    return this.#list;
  }

  get omitted(): number {
    return this.#omitted;
  }

  add(code: Finding['code'], object: string, detail: string): void {
    if (this.#list.length < Findings.MAX) this.#list.push({ code, object, detail });
    else this.#omitted += 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What a `Verifier` remembers between files: readings that depend on nothing but exact bytes and its trusted root, so that
 * remembering them changes how long a verdict takes and never what it is.
 */
import type { Envelope } from '@witnessmark/core';
import type { LogHeadReading } from './log-head.ts';
import type { SignedStatement } from './signed-statement.ts';

/** Checkpoints, releases and sessions are shared by many units; these bound what hostile files can make us keep. */
const MAX_REMEMBERED = 4096;
const MAX_KEY_LENGTH = 4096;

export interface Memory {
  /** By the text of the checkpoint note. */
  readonly heads: Remembered<LogHeadReading>;
  /** By payload digest; whoever recalls one compares payload type and signatures. */
  readonly statements: Remembered<{ readonly envelope: Envelope; readonly statement: SignedStatement }>;
}

export function newMemory(): Memory {
  return { heads: new Remembered(), statements: new Remembered() };
}

export class Remembered<T> {
  readonly #values = new Map<string, T>();
  readonly #seen = new Set<string>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** Keeps what comes a second time: what is one file's own takes no more than its key. */
  keepRecurring(key: string, value: T): void {
    if (this.#seen.has(key)) {
      this.keep(key, value);
      return;
    }
    if (key.length > MAX_KEY_LENGTH) return;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.add(key);
  }

  keep(key: string, value: T): void {
    if (key.length > MAX_KEY_LENGTH) return;
    if (this.#values.size >= MAX_REMEMBERED) this.#values.clear();
    this.#values.set(key, value);
  }
}

// SPDX-License-Identifier: Apache-2.0
/** The trust repository as the line reads it, and the keys in force: a newer trusted root is taken over along with the releases. */
import type { Instant } from '@witnessmark/core';
import type { TrustedRoot } from '@witnessmark/attestation';
import { KeyRing } from './key-ring.ts';
import type { KnownRelease, ReleaseBook, ReleaseSource } from './release-book.ts';

export class TrustInForce implements ReleaseSource {
  readonly #source: ReleaseSource;
  readonly #line: string;
  #keys: KeyRing;

  /** Begins with the keys of `trustedRoot`. Throws the `ERR_KEY_*` codes of a key that cannot be believed. */
  constructor(source: ReleaseSource, trustedRoot: TrustedRoot, line: string) {
    this.#source = source;
    this.#line = line;
    this.#keys = new KeyRing(trustedRoot, line);
  }

  get keys(): KeyRing {
    return this.#keys;
  }

  /** Takes over a newer trusted root; an older one never. */
  async current(now: Instant): Promise<ReleaseBook> {
    const book = await this.#source.current(now);
    if (book.trustedRoot.version > this.#keys.version) this.#keys = new KeyRing(book.trustedRoot, this.#line);
    return book;
  }

  release(releaseId: string, now: Instant): Promise<KnownRelease | null> {
    return this.#source.release(releaseId, now);
  }
}

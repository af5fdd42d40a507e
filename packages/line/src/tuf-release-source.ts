// SPDX-License-Identifier: Apache-2.0
/** Releases as a TUF repository holds them. What was read stays in use for a short, stated time; expiry is checked at every use. */
import { RefusedError, sha256Hex, WitnessmarkError, type Instant } from '@witnessmark/core';
import { parseEffectivity, parseTrustedRoot, toTrustedKeys, type TrustedRoot } from '@witnessmark/attestation';
import {
  checkFresh,
  checkReleaseClass,
  effectivityPath,
  partakersOf,
  readRelease,
  TRUSTED_ROOT_PATH,
  verifyRelease,
  type PublishedRelease,
  type TrustState,
  type UpdatedTargets,
} from '@witnessmark/trust';
import { LineRefusal } from './error.ts';
import type { KnownRelease, ReleaseBook, ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';

export interface TufReleaseSourceOptions {
  readonly client: UpdatedTargets;
  readonly rules: Pick<LineRules, 'plant' | 'line' | 'approvals' | 'releaseClasses' | 'maxTrustAgeMs'>;
}

export class TufReleaseSource implements ReleaseSource {
  readonly #client: UpdatedTargets;
  readonly #rules: TufReleaseSourceOptions['rules'];
  /** Releases that no rule names any more and somebody asked for, as of the present book. */
  readonly #others = new Map<string, KnownRelease | RefusedError>();
  #book: ReleaseBook | null = null;
  #readAt: Instant = -Infinity;
  #reading: Promise<ReleaseBook> | null = null;

  constructor({ client, rules }: TufReleaseSourceOptions) {
    this.#client = client;
    this.#rules = rules;
  }

  async current(now: Instant): Promise<ReleaseBook> {
    const age = now - this.#readAt;
    const book =
      this.#book !== null && age >= 0 && age < this.#rules.maxTrustAgeMs ? this.#book : await this.#readOnce(now);
    checkFresh(book.state, now);
    return book;
  }

  async release(releaseId: string, now: Instant): Promise<KnownRelease | null> {
    const book = this.#book ?? (await this.#readIfBelievable(now));
    if (book === null) return null;
    let known = book.releases.get(releaseId) ?? this.#others.get(releaseId);
    if (known === undefined) {
      known = await this.#readRelease(releaseId, book.trustedRoot);
      this.#others.set(releaseId, known);
    }
    return known instanceof RefusedError ? null : known;
  }

  /** Whoever asks while the repository is being read gets that reading's answer. */
  #readOnce(now: Instant): Promise<ReleaseBook> {
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(now: Instant): Promise<ReleaseBook> {
    const state = await this.#client.update(now);
    const last = this.#book;
    const isUnchanged =
      last?.state.targetsVersion === state.targetsVersion && last.state.effectivityVersion === state.effectivityVersion;
    this.#book = isUnchanged ? { ...last, state } : await this.#readBook(state);
    this.#readAt = now;
    return this.#book;
  }

  async #readBook(state: TrustState): Promise<ReleaseBook> {
    this.#others.clear();
    const bytes = await this.#client.readTarget(effectivityPath(this.#rules.plant, this.#rules.line));
    const effectivity = parseEffectivity(bytes);
    const trustedRoot = parseTrustedRoot(await this.#client.readTarget(TRUSTED_ROOT_PATH));
    const releases = new Map<string, KnownRelease | RefusedError>();
    for (const releaseId of new Set(effectivity.rules.map((rule) => rule.releaseId))) {
      releases.set(releaseId, await this.#readRelease(releaseId, trustedRoot));
    }
    return { state, effectivity, effectivityDigest: sha256Hex(bytes), trustedRoot, releases };
  }

  async #readIfBelievable(now: Instant): Promise<ReleaseBook | null> {
    try {
      return await this.#readOnce(now);
    } catch (error) {
      if (error instanceof WitnessmarkError) return null;
      throw error;
    }
  }

  /** A release, or why it cannot be used; a damaged release stops that release only. */
  async #readRelease(releaseId: string, trustedRoot: TrustedRoot): Promise<KnownRelease | RefusedError> {
    try {
      const release = await readRelease(this.#client, releaseId);
      const { manifest, candidate, approvals } = release;
      const objection = this.#findObjection(release, trustedRoot);
      const candidateDigest = sha256Hex(candidate.payload);
      return { manifest, candidate, candidateDigest, approvals, partakers: partakersOf(release), objection };
    } catch (error) {
      if (!(error instanceof WitnessmarkError)) throw error;
      const code = error.code === 'TR-108' ? 'LS-202' : 'LS-201';
      return new LineRefusal(code, `release ${releaseId} in the trust repository`, `${error.code}: ${error.message}`);
    }
  }

  #findObjection(release: PublishedRelease, trustedRoot: TrustedRoot): RefusedError | null {
    try {
      verifyRelease(release, toTrustedKeys(trustedRoot), this.#rules.approvals);
      checkReleaseClass(release.manifest, this.#rules.releaseClasses);
      return null;
    } catch (error) {
      if (error instanceof RefusedError) return error;
      throw error;
    }
  }
}

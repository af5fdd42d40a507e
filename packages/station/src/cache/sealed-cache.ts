// SPDX-License-Identifier: Apache-2.0
/**
 * The release cache of a station (spec/release-cache.md): content by its digest, sealed at rest, opened in memory only, hashed
 * again at each use. A damaged entry is named and left as it is; what is removed to make room is recorded.
 */
import { encodeUtf8, formatInstant, RefusedError, sha256Hex, type Bytes, type Clock } from '@witnessmark/core';
import type { TargetCache, TargetInfo } from '@witnessmark/trust';
import { StationRefusal } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';
import type { CacheKey } from './cache-key.ts';
import { EMPTY_INDEX, readIndex, writeIndex, type CachedEntry, type CacheIndex, type Purge } from './cache-index.ts';
import { openEntry, sealEntry } from './sealed-entry.ts';

const SUFFIX = '.sealed';
const NAME = /^[0-9a-f]{64}\.sealed$/;
/** Files of the cache that are no entries. */
const OWN_FILES: ReadonlySet<string> = new Set([
  'index.sealed',
  'index.draft',
  'entry.draft',
  'cache-key',
  'cache-key.draft',
]);

export interface SealedCacheOptions {
  /** Of the cache alone. */
  readonly files: FileSystem;
  readonly key: CacheKey;
  /** Of contents, together. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** A file of the cache, and what is wrong with it. */
export interface CacheFinding {
  readonly name: string;
  readonly digest: string;
  readonly bytes: number;
  /** Null for an entry that is sound. */
  readonly refused: RefusedError | null;
}

export class SealedCache implements TargetCache {
  readonly options: SealedCacheOptions;
  #index: CacheIndex;
  /** Used by this process: counted once, and never purged to make room. */
  readonly #used = new Set<string>();

  private constructor(options: SealedCacheOptions, index: CacheIndex) {
    this.options = options;
    this.#index = index;
  }

  /** Throws LS-321 to LS-325 for an index that is not the one this station wrote. */
  static async open(options: SealedCacheOptions): Promise<SealedCache> {
    await options.files.makeDirectory('.');
    const cache = new SealedCache(options, await readIndex(options.files, options.key));
    await cache.#finishPurges();
    return cache;
  }

  /** Begins anew beside an index that cannot be read: no entry counts any more. */
  static async reset(options: SealedCacheOptions): Promise<SealedCache> {
    const cache = new SealedCache(options, EMPTY_INDEX);
    await cache.#save({});
    return cache;
  }

  /** The files alone: nothing is known about any of them. */
  static unindexed(options: SealedCacheOptions): SealedCache {
    return new SealedCache(options, EMPTY_INDEX);
  }

  get entries(): readonly CachedEntry[] {
    return this.#index.entries;
  }

  /** What was removed and is not on record yet. */
  get purges(): readonly Purge[] {
    return this.#index.purges;
  }

  /** Null when there is none. Throws by what is wrong with the one there is. */
  async read({ sha256 }: TargetInfo): Promise<Bytes | null> {
    const sealed = await this.options.files.read(fileOf(sha256));
    const known = this.#find(sha256);
    if (sealed === null) return null;
    const content = openEntry(this.options.key, { digest: sha256, generation: known?.generation ?? null }, sealed);
    if (!this.#used.has(sha256)) await this.#touch(sha256);
    return content;
  }

  /** Keeps verified content; makes room first. Throws LS-327 when it cannot. */
  async keep({ sha256 }: TargetInfo, content: Bytes): Promise<void> {
    await this.#makeRoom(content.length);
    const { files, key } = this.options;
    const generation = this.#index.generation + 1;
    const uses = this.#index.uses + 1;
    const entry = { digest: sha256, bytes: content.length, generation, lastUse: uses };
    // Counted before it is there: an entry whose number is not the newest is an old one.
    await this.#save({ generation, uses, entries: [...this.#without(sha256), entry] });
    this.#used.add(sha256);
    await replaceFile(files, { path: fileOf(sha256), draft: 'entry.draft' }, sealEntry(key, generation, content));
  }

  /** Opens everything that lies in the cache. */
  async check(): Promise<readonly CacheFinding[]> {
    const { files, key } = this.options;
    const findings: CacheFinding[] = [];
    for (const name of [...(await files.list('.'))].sort()) {
      if (OWN_FILES.has(name)) continue;
      const bytes = (await files.read(name)) ?? new Uint8Array(0);
      const digest = NAME.test(name) ? name.slice(0, -SUFFIX.length) : null;
      const finding = { name, digest: digest ?? sha256Hex(encodeUtf8(name)), bytes: bytes.length };
      if (digest === null) {
        findings.push({ ...finding, refused: foreign(name) });
        continue;
      }
      try {
        openEntry(key, { digest, generation: this.#find(digest)?.generation ?? null }, bytes);
        findings.push({ ...finding, refused: null });
      } catch (refused) {
        if (!(refused instanceof RefusedError)) throw refused;
        findings.push({ ...finding, refused });
      }
    }
    return findings;
  }

  /** Removes entries; that they were removed is durable before they are. Returns what was. */
  async purge(
    entries: readonly (Purge['entries'][number] & { readonly name?: string })[],
    reason: Purge['reason'],
  ): Promise<Purge> {
    const { clock, newId, files } = this.options;
    const listed = entries.map(({ digest, bytes, finding }) => ({ digest, bytes, finding }));
    const purge: Purge = { id: newId(), reason, purgedAt: formatInstant(clock.now()), entries: listed };
    const gone = new Set(entries.map(({ digest }) => digest));
    await this.#save({
      entries: this.#index.entries.filter(({ digest }) => !gone.has(digest)),
      purges: [...this.#index.purges, purge],
    });
    for (const { digest, name = fileOf(digest) } of entries) {
      if ((await files.read(name)) !== null) await files.remove(name);
    }
    await files.syncDirectory('.');
    return purge;
  }

  /** A purge is on record. */
  async forgetPurge(id: string): Promise<void> {
    await this.#save({ purges: this.#index.purges.filter((purge) => purge.id !== id) });
  }

  /** A purge that was cut off goes on: what is in its list and in no entry is to be gone. */
  async #finishPurges(): Promise<void> {
    const { files } = this.options;
    for (const { digest } of this.#index.purges.flatMap(({ entries }) => entries)) {
      const isGone = this.#find(digest) !== undefined || (await files.read(fileOf(digest))) === null;
      if (!isGone) await files.remove(fileOf(digest));
    }
  }

  async #makeRoom(needed: number): Promise<void> {
    const { maxBytes } = this.options;
    const kept = [...this.#index.entries].sort((left, right) => left.lastUse - right.lastUse);
    let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    const oldest: CachedEntry[] = [];
    for (const entry of kept) {
      if (total + needed <= maxBytes) break;
      if (this.#used.has(entry.digest)) continue;
      oldest.push(entry);
      total -= entry.bytes;
    }
    if (total + needed > maxBytes) {
      throw new StationRefusal('LS-327', {
        expected: `at most ${maxBytes} bytes`,
        observed: `${total + needed} in use`,
      });
    }
    if (oldest.length > 0)
      await this.purge(
        oldest.map(({ digest, bytes }) => ({ digest, bytes, finding: null })),
        'quota',
      );
  }

  async #touch(digest: string): Promise<void> {
    const uses = this.#index.uses + 1;
    const entries = this.#index.entries.map((entry) => (entry.digest === digest ? { ...entry, lastUse: uses } : entry));
    this.#used.add(digest);
    await this.#save({ uses, entries });
  }

  #find(digest: string): CachedEntry | undefined {
    return this.#index.entries.find((entry) => entry.digest === digest);
  }

  #without(digest: string): readonly CachedEntry[] {
    return this.#index.entries.filter((entry) => entry.digest !== digest);
  }

  async #save(
    changes: Partial<{ -readonly [Member in keyof CacheIndex]: readonly unknown[] | CacheIndex[Member] }>,
  ): Promise<void> {
    const index = { ...this.#index, ...changes } as CacheIndex;
    await writeIndex(this.options.files, this.options.key, index);
    this.#index = index;
  }
}

function fileOf(digest: string): string {
  return `${digest}${SUFFIX}`;
}

function foreign(name: string): StationRefusal {
  return new StationRefusal('LS-323', { expected: 'entries of this cache', observed: name.slice(0, 100) });
}

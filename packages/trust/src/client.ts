// SPDX-License-Identifier: Apache-2.0
/**
 * Reading a repository at a station or a line (TUF 1.0.34 section 5): starts from a pinned root, follows rotations,
 * refuses by the name of the attack, and never goes back. Whoever calls has judged the clock first.
 */
import { join } from 'node:path';
import type { Metadata, Root, Targets } from '@tufjs/models';
import { encodeUtf8, equalBytes, hasCode, RefusedError, sha256Hex, type Bytes, type Instant } from '@witnessmark/core';
import type { Updater } from 'tuf-js';
import {
  checkNotOlder,
  ClientMemory,
  type RememberedRole,
  type RoleVersion,
  type RoleVersions,
} from './client-memory.ts';
import { TrustError } from './error.ts';
import { replaceFile, type Files } from './files.ts';
import { TRUST_LIMITS } from './limits.ts';
import { checkThresholds, parseRoot, parseSnapshot, parseTargets, parseTimestamp } from './metadata.ts';
import { nodeFiles } from './node-files.ts';
import { openTarget, toTargetInfo } from './repository.ts';
import { DirectorySource, HttpSource, type RepositorySource } from './source.ts';
import { checkContent, readContent, type TargetCache, type TargetInfo, type TargetReader } from './target-content.ts';
import { EFFECTIVITY_ROLE } from './target-path.ts';
import type { TrustState } from './trust-state.ts';
import { runUpdater } from './updater-run.ts';

const NO_BYTES: Bytes = new Uint8Array(0);

export type TrustClientOptions = {
  /** What this client remembers; it must survive a new mirror and a new installation. */
  readonly metadataDir: string;
  /** The root to start from, received apart from the repository. There is no trust on first use. */
  readonly initialRoot: Bytes;
  /** How many holders the root in force must ask for; 2 when absent, and never less. */
  readonly minThreshold?: number;
  /** Keeps targets by digest; they are hashed again whenever they are used. */
  readonly cacheDir?: string;
  /** The same in a place of its own, instead of a directory. */
  readonly cache?: TargetCache;
  readonly files?: Files;
} & (
  | { readonly repositoryDir: string }
  | {
      readonly baseUrl: string;
      /** For callers with their own connection handling. */
      readonly fetch?: typeof fetch;
    }
);

export class TrustClient implements TargetReader {
  readonly #source: RepositorySource;
  readonly #initialRoot: Bytes;
  readonly #memory: ClientMemory;
  readonly #minThreshold: number;
  readonly #cacheDir: string | null;
  readonly #cache: TargetCache | null;
  readonly #files: Files;
  #current: { readonly updater: Updater; readonly state: TrustState } | null = null;

  constructor(options: TrustClientOptions) {
    this.#files = options.files ?? nodeFiles;
    this.#source =
      'baseUrl' in options
        ? new HttpSource(options.baseUrl, options.fetch)
        : new DirectorySource(options.repositoryDir, this.#files);
    this.#initialRoot = options.initialRoot;
    this.#memory = new ClientMemory(options.metadataDir, this.#files, options.initialRoot);
    this.#minThreshold = options.minThreshold ?? TRUST_LIMITS.thresholdFloor;
    this.#cacheDir = options.cacheDir ?? null;
    this.#cache = options.cache ?? null;
  }

  /** What the last update accepted; throws `ERR_TRUST_NOT_UPDATED` before the first. */
  get state(): TrustState {
    return this.#required().state;
  }

  /**
   * Brings the metadata up to date as of `now`. Throws a `RefusedError` TR-101 … TR-110 or PL-111 by the name of the
   * attack, and a `TrustError` when nothing could be told; what was accepted before stays in use then.
   */
  async update(now: Instant): Promise<TrustState> {
    const stored = await this.#memory.readMetadata();
    const seen = await this.#memory.readVersions();
    const { updater, accepted, refusal } = await runUpdater(this.#source, this.#initialRoot, stored, now);
    if (refusal !== null) {
      await this.#remember(accepted, seen);
      throw refusal;
    }
    // Our reader is stricter than tuf-js: what it does not take is not stored.
    const { root, state, versions } = describe(accepted);
    checkNotOlder(seen, versions);
    checkThresholds(root.signed, this.#minThreshold);
    const changed = [...accepted].filter(([role, bytes]) => !equalBytes(bytes, stored.get(role) ?? NO_BYTES));
    await this.#memory.write(new Map(changed), versions);
    this.#current = { updater, state };
    return state;
  }

  async hasTarget(path: string): Promise<boolean> {
    return (await this.#required().updater.getTargetInfo(path)) !== undefined;
  }

  /** Length and digest as they were signed; throws TR-108 when nobody listed the target, TR-109 when it is too large. */
  async describeTarget(path: string): Promise<TargetInfo> {
    const target = await this.#required().updater.getTargetInfo(path);
    if (target === undefined) throw new RefusedError('TR-108', `${path} is not a target of the repository`);
    if (target.length > TRUST_LIMITS.maxTargetBytes) {
      throw new RefusedError('TR-109', `${path} has more than ${TRUST_LIMITS.maxTargetBytes} bytes`);
    }
    return toTargetInfo(path, target);
  }

  async readTarget(path: string): Promise<Bytes> {
    const target = await this.describeTarget(path);
    if (this.#cache !== null) return this.#readThrough(target, this.#cache);
    if (this.#cacheDir === null) return readContent(target, await openTarget(this.#source, target));
    const cachePath = join(this.#cacheDir, target.sha256);
    const cached = await this.#files.open(cachePath);
    if (cached !== null) return readCached(target, cachePath, cached.chunks);
    await this.#files.makeDirectory(this.#cacheDir);
    await this.saveTarget(path, cachePath);
    const saved = await this.#files.open(cachePath);
    if (saved === null) throw new TrustError('ERR_TRUST_FILE', `${cachePath} vanished`);
    return readCached(target, cachePath, saved.chunks);
  }

  /** What is verified here is what the caller gets: nothing is read twice. */
  async #readThrough(target: TargetInfo, cache: TargetCache): Promise<Bytes> {
    const kept = await cache.read(target);
    if (kept !== null) return readContent(target, [kept]);
    const content = await readContent(target, await openTarget(this.#source, target));
    await cache.keep(target, content);
    return content;
  }

  /** Streams a target into a file, which appears only when every byte was checked. Throws as {@link readTarget} does. */
  async saveTarget(path: string, destination: string): Promise<TargetInfo> {
    const target = await this.describeTarget(path);
    const chunks = await openTarget(this.#source, target);
    await replaceFile(this.#files, destination, checkContent(target, chunks));
    return target;
  }

  #required(): { readonly updater: Updater; readonly state: TrustState } {
    if (this.#current === null) throw new TrustError('ERR_TRUST_NOT_UPDATED', 'the trust client has not been updated');
    return this.#current;
  }

  /**
   * After a refusal: the root and the timestamp that did verify still raise the floor, so that the next attempt cannot
   * be shown something older than they are.
   */
  async #remember(accepted: ReadonlyMap<RememberedRole, Bytes>, seen: Partial<RoleVersions>): Promise<void> {
    const root = parseRoot(accepted.get('root') ?? this.#initialRoot);
    const floor: Partial<Record<RememberedRole, RoleVersion>> = { ...seen };
    const raise = (role: RememberedRole, version: number): void => {
      if (version > (seen[role]?.version ?? 0)) floor[role] = toRoleVersion(version, root, role);
    };
    raise('root', root.signed.version);
    const timestamp = accepted.get('timestamp');
    if (timestamp !== undefined) raise('timestamp', parseTimestamp(timestamp).signed.version);
    await this.#memory.write(new Map(), floor);
  }
}

interface Accepted {
  readonly root: Metadata<Root>;
  readonly state: TrustState;
  readonly versions: RoleVersions;
}

function describe(accepted: ReadonlyMap<RememberedRole, Bytes>): Accepted {
  const bytesOf = (role: RememberedRole): Bytes => accepted.get(role) ?? NO_BYTES;
  const root = parseRoot(bytesOf('root'));
  const timestamp = parseTimestamp(bytesOf('timestamp'));
  const snapshot = parseSnapshot(bytesOf('snapshot'));
  const targets = parseTargets(bytesOf('targets'));
  const effectivity = parseTargets(bytesOf(EFFECTIVITY_ROLE));
  return {
    root,
    state: {
      rootVersion: root.signed.version,
      targetsVersion: targets.signed.version,
      snapshotVersion: snapshot.signed.version,
      timestampVersion: timestamp.signed.version,
      timestampExpiresAt: timestamp.signed.expires,
      effectivityVersion: effectivity.signed.version,
    },
    versions: {
      root: toRoleVersion(root.signed.version, root, 'root'),
      timestamp: toRoleVersion(timestamp.signed.version, root, 'timestamp'),
      snapshot: toRoleVersion(snapshot.signed.version, root, 'snapshot'),
      targets: toRoleVersion(targets.signed.version, root, 'targets'),
      effectivity: toRoleVersion(effectivity.signed.version, targets, EFFECTIVITY_ROLE),
    },
  };
}

function toRoleVersion(version: number, delegator: Metadata<Root> | Metadata<Targets>, role: string): RoleVersion {
  const roles = 'roles' in delegator.signed ? delegator.signed.roles : delegator.signed.delegations?.roles;
  const keyids = [...(roles?.[role]?.keyIDs ?? [])].sort();
  return { version, keys: sha256Hex(encodeUtf8(keyids.join('\n'))) };
}

/** A damaged cache is named and left as it is: replacing it would hide who changed it. */
async function readCached(target: TargetInfo, cachePath: string, chunks: AsyncIterable<Bytes>): Promise<Bytes> {
  try {
    return await readContent(target, chunks);
  } catch (cause) {
    if (!hasCode(cause, 'TR-105')) throw cause;
    throw new RefusedError('TR-105', `${cachePath}: ${(cause as Error).message}`, { cause });
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What a client remembers between updates: the metadata it accepted, and the highest versions it ever saw. It survives
 * a reinstalled mirror; whoever deletes it must pin a root again.
 */
import { join } from 'node:path';
import { formatJson, parseStrictJson, RefusedError, sha256Hex, type Bytes, type JsonValue } from '@witnessmark/core';
import { TrustError } from './error.ts';
import { installFile, readFile, type Files } from './files.ts';
import { TRUST_LIMITS } from './limits.ts';
import { EFFECTIVITY_ROLE } from './target-path.ts';

/** Roles whose metadata is kept between updates; roots are followed from the pinned one each time. */
const STORED_ROLES = ['timestamp', 'snapshot', 'targets', EFFECTIVITY_ROLE] as const;
export const REMEMBERED_ROLES = ['root', ...STORED_ROLES] as const;
export type RememberedRole = (typeof REMEMBERED_ROLES)[number];

/** A role's version, and a digest of the keys that speak for it. */
export interface RoleVersion {
  readonly version: number;
  readonly keys: string;
}

export type RoleVersions = Readonly<Record<RememberedRole, RoleVersion>>;

const MEDIA_TYPE = 'application/vnd.witnessmark.trust-memory.v1+json';
const MEMORY_FILE = 'memory.json';

export class ClientMemory {
  readonly #directory: string;
  readonly #files: Files;
  readonly #initialRootDigest: string;

  constructor(directory: string, files: Files, initialRoot: Bytes) {
    this.#directory = directory;
    this.#files = files;
    this.#initialRootDigest = sha256Hex(initialRoot);
  }

  /** The metadata accepted last; empty before the first update. */
  async readMetadata(): Promise<ReadonlyMap<RememberedRole, Bytes>> {
    const stored = new Map<RememberedRole, Bytes>();
    for (const role of STORED_ROLES) {
      const bytes = await readFile(this.#files, this.#path(role), TRUST_LIMITS.maxMetadataBytes.targets);
      if (bytes !== null) stored.set(role, bytes);
    }
    return stored;
  }

  /** The highest versions seen; none before the first update. Throws `ERR_TRUST_MEMORY` when they cannot be read. */
  async readVersions(): Promise<Partial<RoleVersions>> {
    const path = join(this.#directory, MEMORY_FILE);
    const bytes = await readFile(this.#files, path, TRUST_LIMITS.maxMemoryBytes);
    if (bytes === null) return {};
    try {
      const memory = asObject(parseStrictJson(bytes));
      if (memory['mediaType'] !== MEDIA_TYPE) throw new TypeError('it has another media type');
      if (memory['initialRoot'] !== this.#initialRootDigest) throw new TypeError('it belongs to another pinned root');
      const versions = asObject(memory['versions']);
      return Object.fromEntries(Object.entries(versions).map(([role, value]) => [role, toRoleVersion(value)]));
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : 'unreadable';
      throw new TrustError('ERR_TRUST_MEMORY', `${path} cannot be relied on: ${what}`, { cause });
    }
  }

  async write(metadata: ReadonlyMap<RememberedRole, Bytes>, versions: Partial<RoleVersions>): Promise<void> {
    await this.#files.makeDirectory(this.#directory);
    const memory = { mediaType: MEDIA_TYPE, initialRoot: this.#initialRootDigest, versions };
    await installFile(this.#files, join(this.#directory, MEMORY_FILE), [formatJson(memory)]);
    for (const role of STORED_ROLES) {
      const bytes = metadata.get(role);
      if (bytes !== undefined) await installFile(this.#files, this.#path(role), [bytes]);
    }
    await this.#files.syncDirectory(this.#directory);
  }

  #path(role: RememberedRole): string {
    return join(this.#directory, `${role}.json`);
  }
}

/**
 * Refuses a version below one seen before with TR-101. A role whose keys a new root replaced starts anew: so a stolen
 * online key that ran versions up does not lock clients out for ever (TUF 5.3.11, fast-forward recovery).
 */
export function checkNotOlder(seen: Partial<RoleVersions>, found: RoleVersions): void {
  for (const role of REMEMBERED_ROLES) {
    const before = seen[role];
    const isSameAuthority = role === 'root' || before?.keys === found[role].keys;
    if (before !== undefined && isSameAuthority && found[role].version < before.version) {
      throw new RefusedError(
        'TR-101',
        `${role} has version ${found[role].version}; version ${before.version} was seen before`,
      );
    }
  }
}

function toRoleVersion(value: JsonValue): RoleVersion {
  const { version, keys } = asObject(value) as { version?: JsonValue; keys?: JsonValue };
  if (!Number.isSafeInteger(version) || typeof keys !== 'string') throw new TypeError('a version is missing');
  return { version: version as number, keys };
}

function asObject(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('an object is missing');
  return value as Readonly<Record<string, JsonValue>>;
}

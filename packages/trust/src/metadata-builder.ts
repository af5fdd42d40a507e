// SPDX-License-Identifier: Apache-2.0
/** The `signed` part of each role, built from values; what is built passes the same reader as what is received. */
import { MetaFile, Metadata, Snapshot, Timestamp, type Key, type Root, type Targets } from '@tufjs/models';
import { formatJson, RefusedError, sha256Hex, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import { formatExpiry, parseRoot, parseTargets, SPEC_VERSION } from './metadata.ts';
import type { TargetInfo } from './target-content.ts';
import { EFFECTIVITY_PATHS, EFFECTIVITY_ROLE } from './target-path.ts';
import { toPublicKey, toTufKey } from './tuf-key.ts';

/** A key and the person who holds it. */
export interface KeyHolder {
  readonly owner: string;
  readonly publicKey: PublicKey;
}

export interface ThresholdKeys {
  readonly holders: readonly KeyHolder[];
  readonly threshold: number;
}

export interface RootKeys {
  readonly root: ThresholdKeys;
  readonly targets: ThresholdKeys;
  /** Signs snapshot and timestamp. */
  readonly online: PublicKey;
}

/** Throws TR-110 for one public key listed twice, PL-102 for one person listed twice, PL-111 below the floor. */
export function buildRoot(keys: RootKeys, version: number, expiresAt: Instant): Metadata<Root> {
  const online = { holders: [{ owner: 'online', publicKey: keys.online }], threshold: 1 };
  const roles = { root: keys.root, targets: keys.targets, snapshot: online, timestamp: online };
  for (const role of [keys.root, keys.targets]) checkHolders(role.holders);
  const holders = Object.values(roles).flatMap((role) => role.holders);
  return parseRoot(
    formatJson({
      signatures: [],
      signed: {
        _type: 'root',
        spec_version: SPEC_VERSION,
        version,
        expires: formatExpiry(expiresAt),
        keys: formatKeys(holders.map((holder) => holder.publicKey)),
        roles: Object.fromEntries(
          Object.entries(roles).map(([name, role]) => [
            name,
            {
              keyids: role.holders.map((holder) => toTufKey(holder.publicKey).keyID),
              threshold: role.threshold,
            },
          ]),
        ),
        consistent_snapshot: true,
      },
    }),
  );
}

/** The keys of a root. It does not say who holds them, so each key stands for its holder. */
export function toRootKeys(root: Root): RootKeys {
  const keysOf = (role: string): ThresholdKeys => {
    const { keyIDs, threshold } = root.roles[role] as { keyIDs: string[]; threshold: number };
    const publicKeys = keyIDs.map((keyid) => toPublicKey(root.keys[keyid] as Key));
    return { holders: publicKeys.map((publicKey) => ({ owner: publicKey.keyid, publicKey })), threshold };
  };
  const [online] = keysOf('timestamp').holders;
  return { root: keysOf('root'), targets: keysOf('targets'), online: (online as KeyHolder).publicKey };
}

/** Top-level targets metadata; `effectivityKey` gets the delegated role. */
export function buildTargets(
  targets: Iterable<TargetInfo>,
  effectivityKey: PublicKey,
  version: number,
  expiresAt: Instant,
): Metadata<Targets> {
  const delegation = {
    name: EFFECTIVITY_ROLE,
    keyids: [toTufKey(effectivityKey).keyID],
    threshold: 1,
    terminating: true,
    paths: EFFECTIVITY_PATHS,
  };
  return parseTargets(
    formatJson({
      signatures: [],
      signed: {
        ...targetsHeader(targets, version, expiresAt),
        delegations: { keys: formatKeys([effectivityKey]), roles: [delegation] },
      },
    }),
  );
}

export function buildDelegatedTargets(
  targets: Iterable<TargetInfo>,
  version: number,
  expiresAt: Instant,
): Metadata<Targets> {
  return parseTargets(formatJson({ signatures: [], signed: targetsHeader(targets, version, expiresAt) }));
}

export function buildSnapshot(
  files: Readonly<Record<string, MetaFile>>,
  version: number,
  expiresAt: Instant,
): Metadata<Snapshot> {
  return new Metadata(
    new Snapshot({ version, specVersion: SPEC_VERSION, expires: formatExpiry(expiresAt), meta: { ...files } }),
  );
}

export function buildTimestamp(snapshotMeta: MetaFile, version: number, expiresAt: Instant): Metadata<Timestamp> {
  return new Metadata(
    new Timestamp({ version, specVersion: SPEC_VERSION, expires: formatExpiry(expiresAt), snapshotMeta }),
  );
}

export function toMetaFile(version: number, bytes: Bytes): MetaFile {
  return new MetaFile({ version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } });
}

function checkHolders(holders: readonly KeyHolder[]): void {
  if (new Set(holders.map((holder) => holder.publicKey.keyid)).size !== holders.length) {
    throw new RefusedError('TR-110', 'a role lists one public key twice');
  }
  if (new Set(holders.map((holder) => holder.owner)).size !== holders.length) {
    throw new RefusedError('PL-102', 'a role lists two keys of one person; a threshold counts people');
  }
}

function targetsHeader(targets: Iterable<TargetInfo>, version: number, expiresAt: Instant): object {
  const sorted = [...targets].sort((left, right) => (left.path < right.path ? -1 : 1));
  return {
    _type: 'targets',
    spec_version: SPEC_VERSION,
    version,
    expires: formatExpiry(expiresAt),
    targets: Object.fromEntries(sorted.map(({ path, length, sha256 }) => [path, { length, hashes: { sha256 } }])),
  };
}

function formatKeys(keys: readonly PublicKey[]): object {
  return Object.fromEntries(
    keys.map((publicKey) => {
      const key = toTufKey(publicKey);
      return [key.keyID, key.toJSON()];
    }),
  );
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Reading TUF metadata (TUF 1.0.34 section 4) by our profile: strict JSON, positive versions, vetted keys, thresholds at or
 * above the floor, a length and a SHA-256 for every file named. Signatures are checked by whoever knows the delegating role.
 */
import { canonicalize } from '@tufjs/canonical-json';
import {
  Metadata,
  MetadataKind,
  type Key,
  type MetaFile,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';
import {
  encodeUtf8,
  formatInstant,
  formatJson,
  parseInstant,
  parseStrictJson,
  RefusedError,
  type Bytes,
  type Instant,
  type JsonValue,
} from '@witnessmark/core';
import { METADATA_JSON_LIMITS, TRUST_LIMITS } from './limits.ts';
import { EFFECTIVITY_ROLE, isTargetPath } from './target-path.ts';
import { checkKeys } from './tuf-key.ts';

export type MetadataType = 'root' | 'timestamp' | 'snapshot' | 'targets';
export type AnySigned = Root | Timestamp | Snapshot | Targets;

export const SPEC_VERSION = '1.0.34';
const SUPPORTED_SPEC_VERSION = /^1\.0(?:\.[0-9]{1,3})?$/;
const EXPIRY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Reads root metadata; throws TR-109, TR-110 (one key under two ids) or PL-111 (threshold below the floor). */
export function parseRoot(bytes: Bytes): Metadata<Root> {
  const root = convert('root', () => Metadata.fromJSON(MetadataKind.Root, readJson('root', bytes)));
  checkRoot(root.signed);
  return root;
}

export function parseTimestamp(bytes: Bytes): Metadata<Timestamp> {
  const timestamp = convert('timestamp', () => Metadata.fromJSON(MetadataKind.Timestamp, readJson('timestamp', bytes)));
  checkMetaFile('snapshot.json', timestamp.signed.snapshotMeta);
  return timestamp;
}

export function parseSnapshot(bytes: Bytes): Metadata<Snapshot> {
  const snapshot = convert('snapshot', () => Metadata.fromJSON(MetadataKind.Snapshot, readJson('snapshot', bytes)));
  for (const [name, file] of Object.entries(snapshot.signed.meta)) checkMetaFile(name, file);
  for (const name of ['targets.json', `${EFFECTIVITY_ROLE}.json`]) {
    if (!Object.hasOwn(snapshot.signed.meta, name))
      throw new RefusedError('TR-103', `the snapshot does not list ${name}`);
  }
  return snapshot;
}

/** Reads targets metadata, top-level or delegated. */
export function parseTargets(bytes: Bytes): Metadata<Targets> {
  const targets = convert('targets', () => Metadata.fromJSON(MetadataKind.Targets, readJson('targets', bytes)));
  for (const [path, target] of Object.entries(targets.signed.targets)) {
    if (!isTargetPath(path)) throw new RefusedError('TR-109', 'a target has a path that could leave the repository');
    if (!isLength(target.length) || !SHA256.test(target.hashes['sha256'] ?? '')) {
      throw new RefusedError('TR-109', `${path} is listed without a length and a SHA-256`);
    }
  }
  const { keys = {}, roles = {} } = targets.signed.delegations ?? {};
  checkKeys(Object.values(keys));
  for (const [name, role] of Object.entries(roles)) checkRole(name, role, keys);
  return targets;
}

const PARSERS = {
  root: parseRoot,
  timestamp: parseTimestamp,
  snapshot: parseSnapshot,
  targets: parseTargets,
} satisfies Record<MetadataType, (bytes: Bytes) => Metadata<AnySigned>>;

export function parseMetadata(type: MetadataType, bytes: Bytes): Metadata<AnySigned> {
  return PARSERS[type](bytes);
}

/** The bytes that are signed: the canonical JSON of `signed`. */
export function signedBytes(metadata: Metadata<AnySigned>): Bytes {
  return encodeUtf8(canonicalize(metadata.signed.toJSON()));
}

export function formatMetadata(metadata: Metadata<AnySigned>): Bytes {
  return formatJson(metadata.toJSON());
}

/** TUF's times have whole seconds. */
export function formatExpiry(instant: Instant): string {
  return `${formatInstant(instant).slice(0, 19)}Z`;
}

/**
 * Checks that enough keys of `role`, as `delegator` lists it, signed `metadata`; throws `code` otherwise. Key ids stand
 * for keys because parsing refused everything else.
 */
export function verifySignatures(
  delegator: Metadata<AnySigned>,
  role: string,
  metadata: Metadata<AnySigned>,
  code: 'TR-104' | 'TR-106' = 'TR-104',
): void {
  try {
    delegator.verifyDelegate(role, metadata);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'unverified';
    throw new RefusedError(code, `${role} version ${metadata.signed.version}: ${what}`, { cause });
  }
}

function readJson(type: MetadataType, bytes: Bytes): Record<string, never> {
  const maxBytes = TRUST_LIMITS.maxMetadataBytes[type];
  if (bytes.length > maxBytes) throw new RefusedError('TR-109', `${type} metadata has more than ${maxBytes} bytes`);
  const document = convert(type, () => parseStrictJson(bytes, METADATA_JSON_LIMITS));
  const { signed, signatures } = asObject(type, document);
  checkHeader(type, asObject(type, signed));
  checkSignaturesOnce(type, signatures);
  return document as never;
}

function checkHeader(type: MetadataType, signed: Readonly<Record<string, JsonValue | undefined>>): void {
  const { spec_version: specVersion, version, expires } = signed;
  if (typeof specVersion !== 'string' || !SUPPORTED_SPEC_VERSION.test(specVersion)) {
    throw new RefusedError('TR-109', `${type} metadata is not of TUF 1.0`);
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new RefusedError('TR-109', `${type} metadata must have a version of at least 1`);
  }
  if (typeof expires !== 'string' || !EXPIRY.test(expires)) throw new RefusedError('TR-109', `${type} has no expiry`);
  convert(type, () => parseInstant(expires));
}

/** One key counts once; a document that states it twice tries to look like two. */
function checkSignaturesOnce(type: MetadataType, signatures: JsonValue | undefined): void {
  if (!Array.isArray(signatures)) throw new RefusedError('TR-109', `${type} metadata has no signatures`);
  const keyids = (signatures as readonly JsonValue[]).map((signature) => asObject(type, signature)['keyid']);
  if (new Set(keyids).size !== keyids.length) throw new RefusedError('TR-104', `${type}: one key signed twice`);
}

function checkRoot(root: Root): void {
  if (!root.consistentSnapshot) throw new RefusedError('TR-109', 'the root does not promise consistent snapshots');
  checkKeys(Object.values(root.keys));
  for (const [name, role] of Object.entries(root.roles)) {
    checkRole(name, role, root.keys);
  }
  checkThresholds(root, TRUST_LIMITS.thresholdFloor);
}

/** Throws PL-111 for a root that fewer holders than the floor may follow, or release under. */
export function checkThresholds(root: Root, floor: number): void {
  for (const name of ['root', 'targets'] as const) {
    const threshold = root.roles[name]?.threshold ?? 0;
    if (threshold < floor) {
      throw new RefusedError(
        'PL-111',
        `root version ${root.version} asks for ${threshold} keys for ${name}; the floor is ${floor}`,
      );
    }
  }
}

function checkRole(name: string, role: { keyIDs: string[]; threshold: number }, keys: Record<string, Key>): void {
  const areKnown = role.keyIDs.every((keyid) => Object.hasOwn(keys, keyid));
  if (!areKnown || !isThreshold(role.threshold, role.keyIDs)) {
    throw new RefusedError('TR-109', `role ${name} has no sensible keys and threshold`);
  }
}

function checkMetaFile(name: string, file: MetaFile): void {
  const isVersion = Number.isSafeInteger(file.version) && file.version >= 1;
  if (!isVersion || !isLength(file.length) || !SHA256.test(file.hashes?.['sha256'] ?? '')) {
    throw new RefusedError('TR-109', `${name} is named without a version, a length and a SHA-256`);
  }
}

function isThreshold(threshold: number, keyids: readonly string[]): boolean {
  return Number.isSafeInteger(threshold) && threshold >= 1 && threshold <= keyids.length;
}

function isLength(length: number | undefined): boolean {
  return Number.isSafeInteger(length) && (length as number) >= 0;
}

function asObject(type: MetadataType, value: JsonValue | undefined): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RefusedError('TR-109', `${type} metadata is not the object TUF specifies`);
  }
  return value as Readonly<Record<string, JsonValue | undefined>>;
}

/** Whatever a reader of hostile bytes throws means the same to us. */
function convert<T>(type: MetadataType, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RefusedError) throw cause;
    const what = cause instanceof Error ? cause.message : 'unreadable';
    throw new RefusedError('TR-109', `${type} metadata is malformed: ${what}`, { cause });
  }
}

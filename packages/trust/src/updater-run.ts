// SPDX-License-Identifier: Apache-2.0
/**
 * One run of the TUF client workflow (TUF 5) by tuf-js, in a directory of its own: it writes metadata in place and without
 * syncing, so what it accepted is handed back and stored by {@link ClientMemory}.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RefusedError, type Bytes, type Instant } from '@witnessmark/core';
import { Updater } from 'tuf-js';
import { nameAttack } from './attack-name.ts';
import { REMEMBERED_ROLES, type RememberedRole } from './client-memory.ts';
import { TRUST_LIMITS } from './limits.ts';
import { parseRoot, verifySignatures } from './metadata.ts';
import type { RepositorySource } from './source.ts';
import { EFFECTIVITY_ROLE } from './target-path.ts';
import { REPOSITORY_URL, SourceFetcher } from './updater-fetcher.ts';

/** No such target; looking for it makes tuf-js load and check the role that could list it. */
const EFFECTIVITY_PROBE = `${EFFECTIVITY_ROLE}/-`;

interface UpdaterRun {
  readonly updater: Updater;
  /** What tuf-js had accepted when it ended; complete when `refusal` is null. Our own reader still has to agree. */
  readonly accepted: ReadonlyMap<RememberedRole, Bytes>;
  /** A `RefusedError` by the name of the attack, or a `TrustError` when nothing could be told. */
  readonly refusal: Error | null;
}

/**
 * Runs an update as of `now`, always from the pinned root: a root that somebody put among the stored files has no say.
 * Throws what {@link parseRoot} throws, and TR-106, for a pinned root that is none.
 */
export async function runUpdater(
  source: RepositorySource,
  initialRoot: Bytes,
  stored: ReadonlyMap<RememberedRole, Bytes>,
  now: Instant,
): Promise<UpdaterRun> {
  const pinned = parseRoot(initialRoot);
  verifySignatures(pinned, 'root', pinned, 'TR-106');
  const directory = await mkdtemp(join(tmpdir(), 'witnessmark-trust-'));
  try {
    await writeFile(join(directory, 'root.json'), initialRoot);
    for (const [role, bytes] of stored) await writeFile(join(directory, `${role}.json`), bytes);
    const fetcher = new SourceFetcher(source);
    const updater = new Updater({
      metadataDir: directory,
      metadataBaseUrl: `${REPOSITORY_URL}metadata`,
      targetBaseUrl: `${REPOSITORY_URL}targets`,
      fetcher,
      config: {
        maxRootRotations: TRUST_LIMITS.maxRootRotations,
        maxDelegations: 1,
        rootMaxLength: TRUST_LIMITS.maxMetadataBytes.root,
        timestampMaxLength: TRUST_LIMITS.maxMetadataBytes.timestamp,
        snapshotMaxLength: TRUST_LIMITS.maxMetadataBytes.snapshot,
        targetsMaxLength: TRUST_LIMITS.maxMetadataBytes.targets,
      },
    });
    setUpdateStartTime(updater, now);
    let refusal: Error | null = null;
    try {
      await updater.refresh();
      await updater.getTargetInfo(EFFECTIVITY_PROBE);
    } catch (cause) {
      refusal = toRefusal(cause, fetcher);
    }
    return { updater, accepted: await readAccepted(directory), refusal };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * TUF 5.1: one fixed time for the whole update. tuf-js takes the wall clock's and has no parameter for it; who calls us
 * has judged its clock and says what time it is.
 */
function setUpdateStartTime(updater: Updater, now: Instant): void {
  const trustedSet: unknown = Reflect.get(updater, 'trustedSet');
  if (!isObject(trustedSet) || !(Reflect.get(trustedSet, 'referenceTime') instanceof Date)) {
    throw new TypeError('this version of tuf-js keeps its update start time elsewhere');
  }
  Reflect.set(trustedSet, 'referenceTime', new Date(now));
}

function toRefusal(cause: unknown, fetcher: SourceFetcher): Error {
  if (cause instanceof RefusedError) return cause;
  if (fetcher.failure instanceof Error) return fetcher.failure;
  const named = nameAttack(cause, fetcher.lastName);
  return named.code === 'TR-109' && fetcher.objection !== null ? fetcher.objection : named;
}

async function readAccepted(directory: string): Promise<ReadonlyMap<RememberedRole, Bytes>> {
  const accepted = new Map<RememberedRole, Bytes>();
  for (const role of REMEMBERED_ROLES) {
    const bytes = await readFile(join(directory, `${role}.json`)).catch(() => null);
    if (bytes !== null) accepted.set(role, Uint8Array.from(bytes));
  }
  return accepted;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

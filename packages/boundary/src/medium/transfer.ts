// SPDX-License-Identifier: Apache-2.0
/**
 * Bringing a medium in and taking one out (spec/media-transfer.md). Everything is judged before anything is written; what is
 * written becomes visible after its statement is recorded, and a refusal is recorded as well.
 */
import {
  buildStatement,
  MAX_MEDIA_FINDINGS,
  MEDIA_EXPORT_ROLES,
  MEDIA_INGEST_ROLES,
  mediaTransfer,
  type MediaTransfer,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  formatEnvelope,
  formatInstant,
  RefusedError,
  sha256Hex,
  type Clock,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { nodeFiles, type BoundaryFiles } from '../files.ts';
import { findPersonKey, signStatement } from '../people.ts';
import { RefusedFile, toFinding, type Finding } from '../refused-file.ts';
import { Examiner } from '../secrets/examine.ts';
import type { Marker } from '../secrets/markers.ts';
import type { SecretClasses } from '../secrets/secret-classes.ts';
import { Staging } from '../staging.ts';
import { BATCH_FILE } from './batch.ts';
import type { Expectation } from './expectation.ts';
import { inspectMedium, type Inspection } from './inspection.ts';
import type { MediumIdentity } from './medium-id.ts';
import type { Medium } from './medium.ts';
import type { Tree } from './tree-digest.ts';

/** What both directions need. */
export interface TransferRequest {
  /** Who moves the medium, by the key that signs. */
  readonly signer: Signer;
  readonly keys: readonly TrustedKey[];
  readonly identity: MediumIdentity;
  readonly site: MediaTransfer['site'];
  readonly classes: SecretClasses;
  readonly markers?: readonly Marker[];
  readonly purpose: string;
  readonly ticket: string | null;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Resolves when the statement is durable in an evidence log; what cannot be recorded does not happen. */
  readonly record: (envelope: Envelope) => Promise<void>;
  /** A directory that does not exist yet: where the files appear. */
  readonly destination: string;
  readonly files?: BoundaryFiles;
}

export interface IngestRequest extends TransferRequest {
  /** Null when the statement of an export on the medium says what it carries. */
  readonly expectation: Expectation | null;
}

export interface ExportRequest extends TransferRequest {
  readonly batch: NonNullable<MediaTransfer['batch']>;
}

export interface Transfer {
  readonly result: MediaTransfer['result'];
  /** Every finding, also those that did not fit into the statement. */
  readonly findings: readonly Finding[];
  readonly tree: Tree;
  readonly predicate: MediaTransfer;
  readonly envelope: Envelope;
  /** SHA-256 of the statement's payload. */
  readonly digest: string;
}

/**
 * Copies what is on a medium to `destination` when everything on it is announced and nothing is secret in a form that its
 * class forbids inside. Throws BX-116 for a person who may not; every other "no" is a recorded result.
 */
export async function ingestMedium(medium: Medium, request: IngestRequest): Promise<Transfer> {
  const now = request.clock.now();
  const key = findPersonKey(request.signer, request.keys, MEDIA_INGEST_ROLES, now, 'BX-116');
  const inspection = await inspectMedium(medium, {
    // A list, or the statement of an export, vouches for files that cannot be looked into.
    examiner: new Examiner({ ...toExamineOptions(request), place: 'inside', allowsOpaque: true }),
    expectation: request.expectation,
    refusesUnlisted: true,
    identity: request.identity,
    keys: request.keys,
  });
  const { expectedDigest, batch } = inspection;
  const kind = request.expectation?.kind ?? 'list';
  return transfer(medium, request, key, now, inspection, {
    direction: 'ingest',
    expected: expectedDigest === null ? null : { kind, digest: { sha256: expectedDigest } },
    batch: null,
    receivedBatch: batch === null ? null : { sha256: batch.digest },
  });
}

/**
 * Copies what is in `source` to `destination`, with the statement beside it, when nothing in it is secret in a form that its
 * class forbids outside. Throws as {@link ingestMedium} does.
 */
export async function exportMedium(source: Medium, request: ExportRequest): Promise<Transfer> {
  const now = request.clock.now();
  const key = findPersonKey(request.signer, request.keys, MEDIA_EXPORT_ROLES, now, 'BX-116');
  const inspection = await inspectMedium(source, {
    examiner: new Examiner({ ...toExamineOptions(request), place: 'outside' }),
    expectation: null,
    refusesUnlisted: false,
    // The identity is that of the medium the files go to.
    identity: { ...request.identity, learntFrom: 'stated' },
    keys: request.keys,
  });
  return transfer(source, request, key, now, inspection, {
    direction: 'export',
    expected: null,
    batch: request.batch,
    receivedBatch: null,
  });
}

type Direction = Pick<MediaTransfer, 'direction' | 'expected' | 'batch' | 'receivedBatch'>;

async function transfer(
  medium: Medium,
  request: TransferRequest,
  key: TrustedKey,
  now: Instant,
  inspection: Inspection,
  direction: Direction,
): Promise<Transfer> {
  const state = async (findings: readonly Finding[]): Promise<Transfer> => {
    const predicate = toPredicate(medium, request, key, now, { ...inspection, findings }, direction);
    const subject = { name: 'tree', digest: { sha256: inspection.tree.digest } };
    const envelope = await signStatement(buildStatement(mediaTransfer, subject, predicate), request.signer);
    const { result } = predicate;
    return { result, findings, tree: inspection.tree, predicate, envelope, digest: sha256Hex(envelope.payload) };
  };
  const refuse = async (findings: readonly Finding[]): Promise<Transfer> => {
    const refused = await state(findings);
    await request.record(refused.envelope);
    return refused;
  };
  if (inspection.findings.length > 0) return refuse(inspection.findings);

  const staging = await Staging.open(request.destination, request.files ?? nodeFiles);
  const change = await copyUnchanged(medium, staging, inspection.tree);
  if (change !== null) {
    await staging.discard();
    return refuse([change]);
  }
  const accepted = await state([]);
  if (direction.direction === 'export') await staging.add(BATCH_FILE, formatEnvelope(accepted.envelope));
  await staging.seal();
  await request.record(accepted.envelope);
  await staging.publish();
  return accepted;
}

/** Writes what the medium holds now; the finding says that this is not what was inspected. */
async function copyUnchanged(medium: Medium, staging: Staging, tree: Tree): Promise<Finding | null> {
  const inspected = new Map(tree.files.map((file) => [file.path, file.sha256]));
  try {
    for await (const { path, content } of medium.members()) {
      if (path === BATCH_FILE) continue;
      if (inspected.get(path) !== sha256Hex(content)) return changed(path, 'its content is another one');
      inspected.delete(path);
      await staging.add(path, content);
    }
  } catch (cause) {
    if (cause instanceof RefusedError) return changed(toFinding(cause).path, cause.message);
    throw cause;
  }
  const [missing] = inspected.keys();
  return missing === undefined ? null : changed(missing, 'it is not there any more');
}

function changed(path: string, detail: string): Finding {
  return toFinding(new RefusedFile('BX-114', path, detail));
}

function toPredicate(
  { form }: Medium,
  { identity, site, classes, purpose, ticket, newId }: TransferRequest,
  key: TrustedKey,
  now: Instant,
  { tree, findings }: Pick<Inspection, 'tree' | 'findings'>,
  direction: Direction,
): MediaTransfer {
  return {
    transferId: newId(),
    ...direction,
    medium: { ...identity, form },
    tree: { files: tree.files.length, bytes: tree.bytes },
    person: { id: key.owner, role: key.role },
    site,
    result: findings.length === 0 ? 'accepted' : 'refused',
    code: findings[0]?.code ?? null,
    findings: findings.slice(0, MAX_MEDIA_FINDINGS).map(({ path, code }) => ({ path, code })),
    findingCount: findings.length,
    secretClasses: { name: classes.name, version: classes.version, digest: { sha256: classes.digest } },
    purpose,
    ticket,
    transferredAt: formatInstant(now),
  };
}

function toExamineOptions({ classes, markers = [] }: TransferRequest): {
  readonly classes: SecretClasses;
  readonly markers: readonly Marker[];
} {
  return { classes, markers };
}

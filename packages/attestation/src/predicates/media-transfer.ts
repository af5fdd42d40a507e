// SPDX-License-Identifier: Apache-2.0
/** What crossed the factory boundary on a medium, in or out, or was refused there (spec/media-transfer.md). */
import { z } from 'zod';
import type { KeyRole } from '../documents/trusted-root.ts';
import { counter, digestSet, identifier, instantText, remark, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

export const MEDIA_DIRECTIONS = ['ingest', 'export'] as const;
/** How the identity of a medium was learnt, strongest first. */
export const MEDIUM_ID_SOURCES = ['filesystemUuid', 'filesystemLabel', 'mediumFile', 'stated'] as const;
export const MEDIUM_FORMS = ['directory', 'tar', 'tarGzip', 'zip'] as const;
/** Whose key may sign an ingest. */
export const MEDIA_INGEST_ROLES: readonly KeyRole[] = ['operator', 'supervisor', 'author', 'approver'];
/** Whose key may sign an export. */
export const MEDIA_EXPORT_ROLES: readonly KeyRole[] = ['supervisor', 'author', 'approver'];
/** Findings beyond these are counted, not listed. */
export const MAX_MEDIA_FINDINGS = 32;

/** A path on the medium as it was found; at most 512 characters, never interpreted. */
const mediumPath = z.string().min(1).max(512);

const finding = z.object({ path: mediumPath, code: identifier });

/** Subject: `tree`, with the tree digest of the medium (spec/tree-digest.md). */
const schema = z.object({
  transferId: uuid,
  direction: z.enum(MEDIA_DIRECTIONS),
  medium: z.object({
    id: identifier,
    learntFrom: z.enum(MEDIUM_ID_SOURCES),
    /** Serial of the stick or disk, when the reader of the medium told it. */
    serial: identifier.nullable(),
    form: z.enum(MEDIUM_FORMS),
  }),
  tree: z.object({ files: counter, bytes: counter }),
  /** What the medium had to carry, and who said so; null when nothing could be compared. */
  expected: z.object({ kind: z.enum(['trustRepository', 'list']), digest: digestSet }).nullable(),
  /** Exports are numbered without gaps and name the export before: SHA-256 of its statement's payload. */
  batch: z.object({ sequence: z.int().min(1), previous: digestSet.nullable() }).nullable(),
  /** For an ingest: SHA-256 of the payload of the export statement that travelled on the medium. */
  receivedBatch: digestSet.nullable(),
  person: z.object({ id: identifier, role: identifier }),
  site: z.object({ plant: identifier, line: identifier }),
  result: z.enum(['accepted', 'refused']),
  /** The code of the first finding; null when accepted. */
  code: identifier.nullable(),
  findings: z.array(finding).max(MAX_MEDIA_FINDINGS),
  findingCount: counter,
  /** Policy of secret classes the content was examined by. */
  secretClasses: z.object({ name: identifier, version: counter, digest: digestSet }),
  purpose: remark.min(1),
  ticket: identifier.nullable(),
  transferredAt: instantText,
});

export type MediaTransfer = z.infer<typeof schema>;
export const mediaTransfer: PredicateDefinition<MediaTransfer> = {
  predicateType: PREDICATE_TYPES.mediaTransfer,
  schema,
};

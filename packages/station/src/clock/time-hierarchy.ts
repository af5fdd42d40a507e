// SPDX-License-Identifier: Apache-2.0
/** The signed time hierarchy of a line, opened: two people of the trusted root, the right line, never an older version. */
import {
  encodeUtf8,
  parseEnvelope,
  parseInstant,
  parseStrictJson,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import {
  isValidAt,
  parseStatement,
  sha256Text,
  timeHierarchy,
  type TimeHierarchy,
  type TrustedKey,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { StationError, StationRefusal } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';
import { timePolicySchema, type TimePolicy } from './time-policy.ts';

const SEEN_FILE = 'time-hierarchy.json';
const SEEN_DRAFT = 'time-hierarchy.draft';
const MAX_SEEN_BYTES = 256;
const SIGNATURES = 2;

const seenSchema = z.strictObject({ version: z.int().min(1), digest: sha256Text });

interface HierarchyContext {
  /** Of the trusted root. */
  readonly keys: readonly TrustedKey[];
  readonly plant: string;
  readonly line: string;
}

export interface OpenHierarchy {
  readonly document: TimeHierarchy;
  /** SHA-256 of the payload, lower-case hexadecimal. */
  readonly digest: string;
  /** Its limits, as readings are judged by; what it says of single sources comes on top. */
  readonly policy: TimePolicy;
}

/** Reads an envelope. Throws LS-331 for anything but a hierarchy of this line that two people signed. */
export function parseTimeHierarchy(bytes: Bytes, context: HierarchyContext): OpenHierarchy {
  try {
    return open(parseEnvelope(bytes), context);
  } catch (error) {
    if (error instanceof StationRefusal || !(error instanceof WitnessmarkError)) throw error;
    throw refused('a time hierarchy that two people signed', `${error.code}: ${error.message}`, error);
  }
}

/**
 * Remembers the newest version this station has seen, durably. Throws LS-332 for an older one, and for another of the
 * same number.
 */
export async function requireNewest({ document, digest }: OpenHierarchy, files: FileSystem): Promise<void> {
  const { version } = document;
  const seen = await readSeen(files);
  if (seen !== null && (version < seen.version || (version === seen.version && digest !== seen.digest))) {
    throw new StationRefusal('LS-332', {
      expected: `time hierarchy ${seen.version} (${seen.digest.slice(0, 16)}…) or a newer one`,
      observed: `${version} (${digest.slice(0, 16)}…)`,
    });
  }
  if (seen?.version === version) return;
  try {
    const bytes = encodeUtf8(JSON.stringify({ version, digest }));
    await replaceFile(files, { path: SEEN_FILE, draft: SEEN_DRAFT }, bytes);
  } catch (cause) {
    throw new StationError('ERR_STATION_STORAGE', 'the version of the time hierarchy cannot be kept', { cause });
  }
}

function open(envelope: Envelope, { keys, plant, line }: HierarchyContext): OpenHierarchy {
  const entitled = keys.filter(({ role, scope }) => role === 'approver' || (role === 'supervisor' && scope === line));
  const wanted = { keys: entitled.map(({ key }) => key), threshold: SIGNATURES, payloadType: STATEMENT_PAYLOAD_TYPE };
  const { payload, signers } = verifyEnvelope(envelope, wanted);
  const { subject, predicate: document } = parseStatement(timeHierarchy, payload);
  const issuedAt = parseInstant(document.issuedAt);
  const people = entitled.filter((entry) => signers.includes(entry.key) && isValidAt(entry, issuedAt));
  const owners = new Set(people.map(({ owner }) => owner));
  for (const { id, role } of document.approvedBy) {
    if (people.some((person) => person.owner === id && person.role === role)) continue;
    throw refused(`a signature of ${id} as ${role}, with a key valid at ${document.issuedAt}`, 'none');
  }
  if (owners.size < SIGNATURES || document.approvedBy[0].id === document.approvedBy[1].id) {
    throw refused('two different people', [...owners].join(', '));
  }
  if (!people.some(({ role }) => role === 'approver')) throw refused('an approver among them', 'supervisors alone');
  const isHere = document.plant === plant && document.line === line;
  if (!isHere || subject[0].digest.sha256 !== sha256Hex(encodeUtf8(line))) {
    throw refused(`a hierarchy of ${line}, ${plant}`, `one of ${document.line}, ${document.plant}`);
  }
  return { document, digest: sha256Hex(payload), policy: toPolicy(document) };
}

function toPolicy({ sane, degraded, minAnsweredPolls, minSamples, sources }: TimeHierarchy): TimePolicy {
  const maxStratum = Math.max(...sources.map((source) => source.maxStratum));
  const policy = { sane, degraded, minAnsweredPolls, minSamples, maxStratum, requireNts: false };
  const result = timePolicySchema.safeParse(policy);
  if (!result.success) throw refused('limits of "degraded" that are no tighter than those of "sane"', 'tighter ones');
  return result.data;
}

async function readSeen(files: FileSystem): Promise<z.infer<typeof seenSchema> | null> {
  const bytes = await files.read(SEEN_FILE);
  if (bytes === null) return null;
  try {
    if (bytes.length <= MAX_SEEN_BYTES) return seenSchema.parse(parseStrictJson(bytes));
  } catch (error) {
    if (!(error instanceof WitnessmarkError || error instanceof z.ZodError)) throw error;
  }
  throw new StationError('ERR_STATION_JOURNAL_DAMAGED', `${SEEN_FILE} is not what this station wrote`);
}

function refused(expected: string, observed: string, cause?: unknown): StationRefusal {
  return new StationRefusal('LS-331', { expected, observed, cause });
}

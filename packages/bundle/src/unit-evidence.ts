// SPDX-License-Identifier: Apache-2.0
/**
 * The unit evidence file: what one needs, besides a trusted root and a policy, to judge one unit offline
 * (spec/unit-evidence.md). Reading it proves nothing; that is the `verify` package's work.
 */
import {
  encodeUtf8,
  fromEnvelope,
  parseStrictJson,
  sha256Hex,
  toEnvelope,
  type Bytes,
  type Envelope,
  type JsonLimits,
  type JsonValue,
} from '@witnessmark/core';
import { describeIssues, readBySchema, sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { BundleError } from './error.ts';

/** Of the file and of nothing else; another version has another one. */
export const UNIT_EVIDENCE_MEDIA_TYPE = 'application/vnd.witnessmark.unit-evidence.v1+json';

/** What a reader accepts. A unit with a hundred passes fits many times over. */
export const UNIT_EVIDENCE_LIMITS = {
  maxBytes: 8 * 1024 * 1024,
  maxEntries: 1000,
  maxReleases: 64,
  maxApprovals: 16,
  /** A tlog-proof: a few kilobytes of hashes and a note of at most 128 KiB. */
  maxProofLength: 132 * 1024,
} as const;

/** The deepest value is a signature's member; an entry holds at most 54 values, an approval 53. */
const JSON_LIMITS: JsonLimits = { maxBytes: UNIT_EVIDENCE_LIMITS.maxBytes, maxDepth: 8, maxValues: 120_000 };

const FILE_SUFFIX = '.evidence.json';

/** A released package: what its author proposed and what approvers signed. */
export interface ReleaseEvidence {
  readonly candidate: Envelope;
  /** In ascending order of payload digest. */
  readonly approvals: readonly Envelope[];
}

/** A log entry (the envelope, as `formatEnvelope` writes it) and where the log holds it. */
export interface LoggedEnvelope {
  readonly envelope: Envelope;
  /** https://c2sp.org/tlog-proof text; empty when the file holds no proof. */
  readonly proof: string;
}

/** A unit evidence file, read. */
export interface UnitEvidence {
  readonly mediaType: typeof UNIT_EVIDENCE_MEDIA_TYPE;
  /** The serial on the label. Like `deviceId` a claim, until the records have been verified. */
  readonly serial: string;
  readonly deviceId: string;
  /** In ascending order of the candidates' payload digests. */
  readonly releases: readonly ReleaseEvidence[];
  /** In log order: cited sessions, every intent and event of the device, refusals and dispositions about it. */
  readonly entries: readonly LoggedEnvelope[];
}

/** A serial is also a file name, so it has no separators and does not begin with a dot. */
const serial = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);

/** Envelopes are read by `toStrictEnvelope`. */
const schema = z.strictObject({
  mediaType: z.literal(UNIT_EVIDENCE_MEDIA_TYPE),
  serial,
  deviceId: sha256Text,
  releases: z
    .array(
      z.strictObject({
        candidate: z.unknown(),
        approvals: z.array(z.unknown()).max(UNIT_EVIDENCE_LIMITS.maxApprovals),
      }),
    )
    .max(UNIT_EVIDENCE_LIMITS.maxReleases),
  entries: z
    .array(z.strictObject({ envelope: z.unknown(), proof: z.string().max(UNIT_EVIDENCE_LIMITS.maxProofLength) }))
    .max(UNIT_EVIDENCE_LIMITS.maxEntries),
});

const ENVELOPE_MEMBERS = 3;
const SIGNATURE_MEMBERS = 2;

/**
 * Reads a unit evidence file; unknown members are refused. Throws `ERR_BUNDLE_TOO_LARGE`, `ERR_BUNDLE_FORMAT`, or an
 * `ERR_DSSE_*` or `ERR_JSON_*` code.
 */
export function parseUnitEvidence(bytes: Bytes): UnitEvidence {
  if (bytes.length > UNIT_EVIDENCE_LIMITS.maxBytes) throw tooLarge(bytes.length);
  const result = readBySchema(schema, parseStrictJson(bytes, JSON_LIMITS));
  if (!result.success) throw formatError(`it breaks its schema at ${describeIssues(result.error)}`);
  const { releases, entries, ...header } = result.data;
  const evidence: UnitEvidence = {
    ...header,
    releases: releases.map(({ candidate, approvals }) => ({
      candidate: toStrictEnvelope(candidate),
      approvals: approvals.map(toStrictEnvelope),
    })),
    entries: entries.map((entry) => ({ envelope: toStrictEnvelope(entry.envelope), proof: entry.proof })),
  };
  if (!rises(evidence.releases.map(({ candidate }) => candidate))) throw formatError('its releases are not in order');
  for (const { approvals } of evidence.releases) {
    if (!rises(approvals)) throw formatError('its approvals are not in order');
  }
  return evidence;
}

/**
 * Writes a unit evidence file, releases and approvals in their order. Throws `TypeError` or `ERR_BUNDLE_TOO_LARGE` when it
 * could not be read back.
 */
export function formatUnitEvidence(evidence: UnitEvidence): Bytes {
  const value = {
    mediaType: evidence.mediaType,
    serial: evidence.serial,
    deviceId: evidence.deviceId,
    releases: sortByDigest(evidence.releases, ({ candidate }) => candidate).map(({ candidate, approvals }) => ({
      candidate: fromEnvelope(candidate),
      approvals: sortByDigest(approvals, (approval) => approval).map(fromEnvelope),
    })),
    entries: evidence.entries.map(({ envelope, proof }) => ({ envelope: fromEnvelope(envelope), proof })),
  };
  const result = schema.safeParse(value);
  if (!result.success) throw new TypeError(`the evidence breaks its schema at ${describeIssues(result.error)}`);
  const bytes = encodeUtf8(`${JSON.stringify(value)}\n`);
  if (bytes.length > UNIT_EVIDENCE_LIMITS.maxBytes) throw tooLarge(bytes.length);
  return bytes;
}

/** The name under which the evidence of a unit is filed. Throws `TypeError` for a serial that is no file name. */
export function unitEvidenceFileName(unitSerial: string): string {
  if (!serial.safeParse(unitSerial).success) throw new TypeError('the serial cannot be part of a file name');
  return `${unitSerial}${FILE_SUFFIX}`;
}

/** Here, unlike in DSSE at large, every member is known and none is missing: one envelope has one JSON value. */
function toStrictEnvelope(value: unknown): Envelope {
  // The value came out of strict JSON; toEnvelope refuses everything that is not an object of the right shape.
  const envelope = toEnvelope(value as JsonValue);
  const { signatures } = value as { readonly signatures: readonly object[] };
  const isExact =
    Object.keys(value as object).length === ENVELOPE_MEMBERS &&
    signatures.every((signature) => Object.keys(signature).length === SIGNATURE_MEMBERS && 'keyid' in signature);
  if (!isExact) throw formatError('an envelope has a missing or an unknown member');
  return envelope;
}

/** Whether payload digests rise strictly, so that nothing is there twice and one set has one order. */
function rises(envelopes: readonly Envelope[]): boolean {
  const digests = envelopes.length < 2 ? [] : envelopes.map(({ payload }) => sha256Hex(payload));
  return digests.every((digest, index) => index === 0 || (digests[index - 1] as string) < digest);
}

function sortByDigest<T>(items: readonly T[], toItemEnvelope: (item: T) => Envelope): readonly T[] {
  const sorted = items
    .map((item) => ({ item, digest: sha256Hex(toItemEnvelope(item).payload) }))
    .sort((left, right) => (left.digest < right.digest ? -1 : 1));
  if (sorted.some(({ digest }, index) => digest === sorted[index + 1]?.digest)) {
    throw new TypeError('the evidence holds one release statement twice');
  }
  return sorted.map(({ item }) => item);
}

function tooLarge(length: number): BundleError {
  return new BundleError(
    'ERR_BUNDLE_TOO_LARGE',
    `unit evidence has at most ${UNIT_EVIDENCE_LIMITS.maxBytes} bytes, this has ${length}`,
  );
}

function formatError(what: string): BundleError {
  return new BundleError('ERR_BUNDLE_FORMAT', `not a unit evidence file: ${what}`);
}

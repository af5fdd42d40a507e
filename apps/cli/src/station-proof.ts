// SPDX-License-Identifier: Apache-2.0
/** The proof of a station as a file (spec/station-start.md, "Proof"), and what it takes to believe one without the line. */
import { isValidAt, parseStatement, stationStart, toQuotedData, toTrustedKeys } from '@witnessmark/attestation';
import type { StationStart, TrustedRoot } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import {
  decodeBase64,
  formatJson,
  fromEnvelope,
  parseInstant,
  parsePublicKey,
  parseStrictJson,
  RefusedError,
  sha256Hex,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type JsonValue,
} from '@witnessmark/core';
import { verifyQuote } from '@witnessmark/enrolment';
import { LineTrust, verifyReceipt } from '@witnessmark/station';
import { z } from 'zod';
import { CliError } from './error.ts';
import { vetRecord, type BuildRecord } from './station-build.ts';

const MEDIA_TYPE = 'application/vnd.witnessmark.station-proof.v1+json';
/** A clock that is a little ahead is no proof from the future. */
const MAX_AHEAD_MS = 60_000;

export interface StationProof {
  readonly entry: LoggedEntry;
  /** The approved build, signed by its two people. */
  readonly record: Envelope;
}

export interface ProofQuestion {
  readonly trustedRoot: TrustedRoot;
  readonly nonce: string;
  readonly station: string | null;
  readonly now: Instant;
  readonly maxAgeMs: number;
}

export interface ProvenStation {
  readonly start: StationStart;
  readonly record: BuildRecord;
  readonly digest: string;
  readonly logIndex: number;
}

const envelopeValue = z.unknown().transform((value) => toEnvelope(value as JsonValue));
const proofSchema = z.strictObject({
  mediaType: z.literal(MEDIA_TYPE),
  entry: z.strictObject({ index: z.int().min(0), envelope: envelopeValue, proof: z.string().max(64 * 1024) }),
  record: envelopeValue,
});

export function formatProof({ entry, record }: StationProof): Bytes {
  const { index, envelope, proof } = entry;
  return formatJson({
    mediaType: MEDIA_TYPE,
    entry: { index, envelope: fromEnvelope(envelope), proof },
    record: fromEnvelope(record),
  });
}

/** Throws `ERR_CLI_INPUT` for bytes that are no proof. */
export function parseProof(bytes: Bytes): StationProof {
  try {
    return proofSchema.parse(parseStrictJson(bytes));
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError) && !(cause instanceof z.ZodError)) throw cause;
    throw new CliError('ERR_CLI_INPUT', 'the file is no proof of a station', { cause });
  }
}

/** Short enough to read out: the beginning of the statement's digest. */
export function toCode(digest: string): string {
  return (digest.slice(0, 16).match(/.{4}/g) ?? []).join('-');
}

/** Throws LS-412 naming what does not hold; nothing but the file and the trusted root is asked. */
export function verifyProof({ entry, record: envelope }: StationProof, question: ProofQuestion): ProvenStation {
  try {
    const start = readStart(entry, question);
    const record = vetRecord(envelope, 2, question);
    checkAnswer(start, question);
    checkBuild(start, record);
    checkQuote(start);
    return { start, record, digest: sha256Hex(entry.envelope.payload), logIndex: entry.index };
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError) || (cause instanceof RefusedError && cause.code === 'LS-412')) throw cause;
    throw refused(`${cause.code}: ${cause.message}`, cause);
  }
}

/** Signed by a station of the line, countersigned and logged by the line. */
function readStart({ envelope, ...entry }: LoggedEntry, { trustedRoot, now }: ProofQuestion): StationStart {
  const start = parseStatement(stationStart, envelope.payload).predicate;
  const { id, line } = start.station;
  const key = toTrustedKeys(trustedRoot).find(
    (known) => known.key.keyid === start.keyDigest.sha256 && known.role === 'station' && isValidAt(known, now),
  );
  if (key?.owner !== id || key.scope !== line) throw refused(`its key is not that of station ${id} of ${line} now`);
  verifyReceipt(
    { ...entry, envelope },
    { sent: null, trust: new LineTrust(trustedRoot, line), author: key.key, lastHead: null, at: now },
  );
  return start;
}

function checkAnswer({ station, reason, nonce, measuredAt }: StationStart, question: ProofQuestion): void {
  const { now, maxAgeMs } = question;
  if (reason !== 'prove' || nonce !== question.nonce) throw refused(`it answers ${nonce ?? 'no question'}`);
  if (question.station !== null && station.id !== question.station) throw refused(`it is of station ${station.id}`);
  const ageMs = now - parseInstant(measuredAt);
  if (ageMs > maxAgeMs || ageMs < -MAX_AHEAD_MS) throw refused(`it was made at ${measuredAt}`);
}

function checkBuild({ station, build, manifest, driftCount }: StationStart, record: BuildRecord): void {
  const { stations, place } = record.build;
  if (build?.digest.sha256 !== record.digest) throw refused('it names another build than the one that came with it');
  if (!stations.includes(station.id) || place.line !== station.line)
    throw refused(`the build is not for ${station.id}`);
  if (driftCount > 0 || manifest.digest.sha256 !== record.build.manifest.digest.sha256) {
    throw refused(`the station is not as approved: ${driftCount} differences`);
  }
}

function checkQuote(start: StationStart): void {
  if (start.quote === null) return;
  const { attestationKey, ...evidence } = start.quote;
  verifyQuote(evidence, {
    attestationKey: parsePublicKey(decodeBase64(attestationKey)),
    extraData: toQuotedData(start),
  });
}

function refused(detail: string, cause?: unknown): RefusedError {
  return new RefusedError('LS-412', detail, { cause });
}

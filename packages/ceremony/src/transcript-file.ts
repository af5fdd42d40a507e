// SPDX-License-Identifier: Apache-2.0
/**
 * The file an auditor gets (spec/ceremony-transcript.md): the signed statement, the script and the journal it was read
 * from, and the proof that it is in the office's log. Everything in it is untrusted until a replay has checked it.
 */
import {
  decodeBase64,
  encodeBase64,
  formatJson,
  fromEnvelope,
  parseStrictJson,
  RefusedError,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type JsonLimits,
  type JsonValue,
} from '@witnessmark/core';
import { describeIssues } from '@witnessmark/attestation';
import { z } from 'zod';
import { base64Text } from './fields.ts';
import { MAX_JOURNAL_BYTES } from './journal-format.ts';
import { SCRIPT_LIMITS } from './script.ts';

const MEDIA_TYPE = 'application/vnd.witnessmark.ceremony-transcript.v1+json';
const LIMITS: JsonLimits = { maxBytes: 2 * 1024 * 1024, maxDepth: 8, maxValues: 200 };
export const MAX_TRANSCRIPT_FILE_BYTES: number = LIMITS.maxBytes;
const MAX_PROOF_LENGTH = 65_536;

export interface TranscriptFile {
  readonly envelope: Envelope;
  readonly script: Bytes;
  readonly journal: Bytes;
  /** https://c2sp.org/tlog-proof; null while it is in no log. */
  readonly logProof: string | null;
}

const schema = z.strictObject({
  mediaType: z.literal(MEDIA_TYPE),
  envelope: z.unknown(),
  script: base64Text(SCRIPT_LIMITS.json.maxBytes),
  journal: base64Text(MAX_JOURNAL_BYTES),
  logProof: z.string().max(MAX_PROOF_LENGTH).nullable(),
});

/** Reads a transcript file without judging it. Throws CE-121. */
export function parseTranscriptFile(bytes: Bytes): TranscriptFile {
  try {
    const read = schema.safeParse(parseStrictJson(bytes, LIMITS));
    if (!read.success) throw unreadable(`it breaks its schema at ${describeIssues(read.error)}`);
    const { envelope, script, journal, logProof } = read.data;
    return {
      envelope: toEnvelope(envelope as JsonValue),
      script: decodeBase64(script),
      journal: decodeBase64(journal),
      logProof,
    };
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unreadable(cause.message, cause);
  }
}

export function formatTranscriptFile({ envelope, script, journal, logProof }: TranscriptFile): Bytes {
  return formatJson({
    mediaType: MEDIA_TYPE,
    envelope: fromEnvelope(envelope),
    script: encodeBase64(script),
    journal: encodeBase64(journal),
    logProof,
  });
}

function unreadable(detail: string, cause?: unknown): RefusedError {
  return new RefusedError('CE-121', `not a ceremony transcript: ${detail}`, { cause });
}

// SPDX-License-Identifier: Apache-2.0
import { MAX_ENVELOPE_BYTES, type JsonLimits } from '@witnessmark/core';

const MAX_SITE_RECORDS = 32;
const MAX_BATCH_STATEMENTS = 256;
const MAX_BATCH_BYTES = 2 * 1024 * 1024;

/** How much either end reads from the other before it believes anything. */
export const API_LIMITS = {
  /** One envelope, its permit, and the braces around them. */
  maxRequestBytes: 2 * MAX_ENVELOPE_BYTES + 1024,
  /** A countersigned envelope with its proof; or a problem with a logged refusal. */
  maxResponseBytes: 256 * 1024,
  /** A unit evidence file (spec/unit-evidence.md). */
  maxEvidenceBytes: 8 * 1024 * 1024,
  /** Stops listed in one answer. */
  maxOpenStops: 1000,
  /** Open sessions listed in one answer. */
  maxOpenSessions: 1000,
  /** Badges listed in one answer. */
  maxBadges: 1000,
  /** Stations whose counts are listed in one answer. */
  maxStations: 100,
  /** Site records listed in one answer, each with its statement. */
  maxSiteRecords: MAX_SITE_RECORDS,
  maxSiteRecordsBytes: MAX_SITE_RECORDS * (MAX_ENVELOPE_BYTES + 2048),
  /** Statements of one batch, and the bytes of the whole request. */
  maxBatchStatements: MAX_BATCH_STATEMENTS,
  maxBatchBytes: MAX_BATCH_BYTES,
  /** The statements again, each with a signature and a proof, or a problem with the refusal that was logged. */
  maxBatchResponseBytes: MAX_BATCH_BYTES + MAX_BATCH_STATEMENTS * 16 * 1024,
} as const;

/** An envelope in a small object: shallow, with few values. */
export const REQUEST_JSON_LIMITS: JsonLimits = { maxBytes: API_LIMITS.maxRequestBytes, maxDepth: 8, maxValues: 256 };

export const RESPONSE_JSON_LIMITS: JsonLimits = {
  maxBytes: API_LIMITS.maxResponseBytes,
  maxDepth: 8,
  maxValues: 20_000,
};

/** As many envelopes, each with a permit and all the signatures that an envelope may carry. */
export const BATCH_JSON_LIMITS: JsonLimits = { maxBytes: API_LIMITS.maxBatchBytes, maxDepth: 8, maxValues: 32_000 };

export const BATCH_RESPONSE_JSON_LIMITS: JsonLimits = {
  maxBytes: API_LIMITS.maxBatchResponseBytes,
  maxDepth: 10,
  maxValues: 64_000,
};

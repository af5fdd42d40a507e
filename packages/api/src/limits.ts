// SPDX-License-Identifier: Apache-2.0
import { MAX_ENVELOPE_BYTES, type JsonLimits } from '@witnessmark/core';

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
} as const;

/** An envelope in a small object: shallow, with few values. */
export const REQUEST_JSON_LIMITS: JsonLimits = { maxBytes: API_LIMITS.maxRequestBytes, maxDepth: 8, maxValues: 256 };

export const RESPONSE_JSON_LIMITS: JsonLimits = {
  maxBytes: API_LIMITS.maxResponseBytes,
  maxDepth: 8,
  maxValues: 20_000,
};

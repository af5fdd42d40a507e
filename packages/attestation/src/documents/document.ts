// SPDX-License-Identifier: Apache-2.0
/** Documents are JSON files that are trusted because a TUF target or the verifier's own disk vouches for them; strict: unknown members are refused. */
import { formatJson, parseStrictJson, type Bytes, type JsonLimits, type JsonValue } from '@witnessmark/core';
import type { z } from 'zod';
import { readBySchema } from '../conformance.ts';
import { AttestationError } from '../error.ts';
import { describeIssues } from '../statement.ts';

const DOCUMENT_LIMITS: JsonLimits = { maxBytes: 4 * 1024 * 1024, maxDepth: 16, maxValues: 200_000 };

/** Reads a document; throws `ERR_DOCUMENT_FORMAT` or an `ERR_JSON_*` code. */
export function parseDocument<T>(schema: z.ZodType<T>, bytes: Bytes): T {
  const result = readBySchema(schema, parseStrictJson(bytes, DOCUMENT_LIMITS));
  if (!result.success) {
    throw new AttestationError(
      'ERR_DOCUMENT_FORMAT',
      `the document breaks its schema at ${describeIssues(result.error)}`,
    );
  }
  return result.data;
}

/** Writes a document; throws `TypeError` when it breaks its schema. */
export function formatDocument<T>(schema: z.ZodType<T>, value: T): Bytes {
  const result = readBySchema(schema, value as JsonValue);
  if (!result.success) throw new TypeError(`the document breaks its schema at ${describeIssues(result.error)}`);
  return formatJson(result.data);
}

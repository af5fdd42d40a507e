// SPDX-License-Identifier: Apache-2.0
/** Many statements in one request (spec/http-api.md, "Batches"). */
import { encodeUtf8, type Bytes, type Envelope, type JsonValue } from '@witnessmark/core';
import type { ApiError, LineRefusedError } from './error.ts';
import type { Attachments, LoggedEntry } from './line-service.ts';
import { API_LIMITS } from './limits.ts';

/** A statement of a batch, with what travels with it. */
export interface BatchItem {
  readonly statement: Envelope;
  readonly attachments?: Attachments;
}

/** What became of one statement. After `unknown` it is to be submitted again. */
export type BatchOutcome =
  | { readonly state: 'logged'; readonly entry: LoggedEntry }
  | { readonly state: 'refused'; readonly error: LineRefusedError }
  | { readonly state: 'unknown'; readonly error: ApiError };

/** The body of one request. */
export interface BatchRequest {
  readonly count: number;
  readonly body: Bytes;
}

const HEAD = '{"statements":[';
const TAIL = ']}';

/** The fewest requests that hold all submissions in their order, each within the limits of a batch. */
export function* splitBatches(submissions: readonly JsonValue[]): Generator<BatchRequest> {
  let texts: string[] = [];
  let bytes = 0;
  for (const submission of submissions) {
    const text = JSON.stringify(submission);
    // Envelopes are ASCII but for what a signer may have put into a key id.
    const length = encodeUtf8(text).length + 1;
    const isFull =
      texts.length === API_LIMITS.maxBatchStatements ||
      HEAD.length + bytes + length + TAIL.length > API_LIMITS.maxBatchBytes;
    if (isFull && texts.length > 0) {
      yield toRequest(texts);
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += length;
  }
  if (texts.length > 0) yield toRequest(texts);
}

function toRequest(texts: readonly string[]): BatchRequest {
  return { count: texts.length, body: encodeUtf8(`${HEAD}${texts.join(',')}${TAIL}`) };
}

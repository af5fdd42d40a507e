// SPDX-License-Identifier: Apache-2.0
/** The one place where errors become problem documents. */
import { fromEnvelope, RefusedError, WitnessmarkError } from '@witnessmark/core';
import {
  API_LIMITS,
  JSON_MEDIA_TYPE,
  LineRefusedError,
  toProblem,
  type LoggedEntry,
  type LoggedEntryJson,
  type Problem,
  type ProtocolProblemCode,
} from '@witnessmark/api';

/** A request this server cannot read. */
export class ProtocolError extends WitnessmarkError<ProtocolProblemCode> {}

interface OwnWords {
  readonly code: ProtocolProblemCode;
  /** Fastify's words may repeat what was sent; these do not. */
  readonly detail: string;
}

/** Fastify's own refusals of a request, by its error codes (https://fastify.dev/docs/latest/Reference/Errors/). */
const FASTIFY_PROBLEMS: Readonly<Record<string, OwnWords>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'ERR_API_BODY_TOO_LARGE',
    detail: `a request has at most ${API_LIMITS.maxRequestBytes} bytes, a batch ${API_LIMITS.maxBatchBytes}`,
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'ERR_API_MEDIA_TYPE', detail: `requests are ${JSON_MEDIA_TYPE}` },
  FST_ERR_CTP_EMPTY_TYPE: { code: 'ERR_API_MEDIA_TYPE', detail: `requests are ${JSON_MEDIA_TYPE}` },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'ERR_API_BODY_FORMAT',
    detail: 'the request is not as long as it says',
  },
  FST_ERR_BAD_URL: { code: 'ERR_API_NOT_FOUND', detail: 'the path is not well encoded' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'ERR_API_NOT_FOUND', detail: 'the path is too long' },
  // The client went away in the middle of its request; nobody reads the answer.
  ECONNRESET: { code: 'ERR_API_BODY_FORMAT', detail: 'the request broke off' },
};

/** What the caller may know: the rules' words for a "no", nothing about a fault of our own. */
export function problemOf(error: unknown): Problem {
  if (error instanceof LineRefusedError) {
    const refusal = error.refusal === null ? null : formatLoggedEntry(error.refusal);
    return toProblem(error.code, error.message, refusal);
  }
  if (error instanceof RefusedError) return toProblem(error.code, error.message);
  if (error instanceof ProtocolError) return toProblem(error.code, error.message);
  if (error instanceof WitnessmarkError && error.code === 'ERR_API_UNREACHABLE') {
    return toProblem('ERR_API_BUSY', 'the line cannot say now; ask again with the same id');
  }
  const fastifyCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = Object.hasOwn(FASTIFY_PROBLEMS, fastifyCode) ? FASTIFY_PROBLEMS[fastifyCode] : undefined;
  if (known !== undefined) return toProblem(known.code, known.detail);
  return toProblem('ERR_API_INTERNAL', 'a fault of the line; ask again with the same id');
}

function formatLoggedEntry({ index, envelope, proof }: LoggedEntry): LoggedEntryJson {
  return { index, envelope: fromEnvelope(envelope) as LoggedEntryJson['envelope'], proof };
}

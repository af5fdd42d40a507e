// SPDX-License-Identifier: Apache-2.0
/** Problem documents (RFC 9457): every answer that is not a success, with a code and a next step. */
import { describeReasonCode, isReasonCode, type ReasonCode } from '@witnessmark/core';
import type { Problem } from './schemas.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Identifiers, never fetched. */
const PROBLEM_TYPE_BASE = 'https://witnessmark.dev/problems';

/** Problems of the conversation itself; whatever the rules refuse carries a reason code of the catalogue instead. */
export const PROTOCOL_PROBLEMS = {
  ERR_API_BODY_TOO_LARGE: { status: 413, title: 'The request is too large' },
  ERR_API_BODY_FORMAT: { status: 400, title: 'The request is not what this route reads' },
  ERR_API_MEDIA_TYPE: { status: 415, title: 'The request is not JSON' },
  ERR_API_NOT_FOUND: { status: 404, title: 'There is nothing here' },
  ERR_API_METHOD: { status: 405, title: 'This route has another method' },
  ERR_API_BUSY: { status: 503, title: 'The line is busy' },
  ERR_API_INTERNAL: { status: 500, title: 'The line has a fault of its own' },
} as const;

export type ProtocolProblemCode = keyof typeof PROTOCOL_PROBLEMS;

/** Who asked is not entitled: 403. */
const FORBIDDEN_CODES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'LS-501',
  'LS-502',
  'LS-507',
  'ID-101',
  'ID-102',
  'ID-103',
  'ID-104',
  'ID-105',
  'ID-106',
]);
/** Nothing is wrong with the request, and it may succeed later: 503. */
const UNAVAILABLE_CODES: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['LS-302', 'LS-303', 'LS-304']);

export function toProblem(
  code: ReasonCode | ProtocolProblemCode,
  detail: string,
  refusal: Problem['refusal'] = null,
): Problem {
  const type = `${PROBLEM_TYPE_BASE}/${code}`;
  if (!isReasonCode(code)) return { type, ...PROTOCOL_PROBLEMS[code], detail, code, nextStep: null, refusal };
  const { operatorText, nextStep } = describeReasonCode(code);
  return { type, title: operatorText, status: toStatus(code), detail, code, nextStep, refusal };
}

function toStatus(code: ReasonCode): number {
  if (FORBIDDEN_CODES.has(code)) return 403;
  return UNAVAILABLE_CODES.has(code) ? 503 : 409;
}

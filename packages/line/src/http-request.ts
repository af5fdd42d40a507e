// SPDX-License-Identifier: Apache-2.0
/** Reads what a request carries: the strict reader first, then the schema, then the envelopes. */
import { parseStrictJson, toEnvelope, WitnessmarkError, type Envelope } from '@witnessmark/core';
import { REQUEST_JSON_LIMITS, type Attachments, type EnvelopeJson } from '@witnessmark/api';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ProtocolError } from './http-problem.ts';

/** Throws `ERR_API_BODY_FORMAT`. */
export function readBody<T>(request: FastifyRequest, schema: z.ZodType<T>, limits = REQUEST_JSON_LIMITS): T {
  if (!(request.body instanceof Uint8Array)) throw new ProtocolError('ERR_API_BODY_FORMAT', 'the request has no body');
  let value: unknown;
  try {
    value = parseStrictJson(request.body, limits);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new ProtocolError('ERR_API_BODY_FORMAT', `${error.code}: ${error.message}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 5)
    .map(({ path, code }) => `${path.map(String).join('.') || '(root)'}: ${code}`);
  throw new ProtocolError('ERR_API_BODY_FORMAT', `the body breaks its schema at ${issues.join(', ')}`);
}

/** Throws `ERR_API_BODY_FORMAT`. */
export function readEnvelope(value: EnvelopeJson): Envelope {
  try {
    return toEnvelope(value);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new ProtocolError('ERR_API_BODY_FORMAT', `${error.code}: ${error.message}`);
  }
}

export function readAttachments(permit: EnvelopeJson | undefined): Attachments {
  return permit === undefined ? {} : { permit: readEnvelope(permit) };
}

export function parameterOf(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

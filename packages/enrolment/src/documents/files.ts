// SPDX-License-Identifier: Apache-2.0
/** The two files of an enrolment, each of them envelopes and nothing else; what they say is in what was signed. */
import { formatJson, fromEnvelope, parseStrictJson, toEnvelope, WitnessmarkError } from '@witnessmark/core';
import type { Bytes, Envelope, JsonValue } from '@witnessmark/core';
import { z } from 'zod';
import { EnrolmentError } from '../error.ts';

const LIMITS = { maxBytes: 128 * 1024, maxDepth: 8, maxValues: 256 };
const REQUEST_TYPE = 'application/vnd.witnessmark.station-request.v1+json';
const ANSWER_TYPE = 'application/vnd.witnessmark.station-answer.v1+json';

/** What a station asks: to be known by this key, on this machine. */
export interface StationRequest {
  /** A `station-enrolment`, signed with the station key; its payload digest is the fingerprint on paper. */
  readonly enrolment: Envelope;
  /** The `key-enrolment` of the same key, as a change of the trusted root takes it. */
  readonly keyEnrolment: Envelope;
}

/** What the office answers. */
export interface StationAnswer {
  /** A `station-admission`, signed by the person who compared the fingerprint. */
  readonly admission: Envelope;
}

const requestSchema = z.strictObject({
  mediaType: z.literal(REQUEST_TYPE),
  enrolment: z.unknown(),
  keyEnrolment: z.unknown(),
});
const answerSchema = z.strictObject({ mediaType: z.literal(ANSWER_TYPE), admission: z.unknown() });

export function formatStationRequest({ enrolment, keyEnrolment }: StationRequest): Bytes {
  return formatJson({
    mediaType: REQUEST_TYPE,
    enrolment: fromEnvelope(enrolment),
    keyEnrolment: fromEnvelope(keyEnrolment),
  });
}

/** Throws `ERR_ENROLMENT_FORMAT`. */
export function parseStationRequest(bytes: Bytes): StationRequest {
  const { enrolment, keyEnrolment } = read(bytes, requestSchema, 'an enrolment request');
  return { enrolment: readEnvelope(enrolment), keyEnrolment: readEnvelope(keyEnrolment) };
}

export function formatStationAnswer({ admission }: StationAnswer): Bytes {
  return formatJson({ mediaType: ANSWER_TYPE, admission: fromEnvelope(admission) });
}

/** Throws `ERR_ENROLMENT_FORMAT`. */
export function parseStationAnswer(bytes: Bytes): StationAnswer {
  return { admission: readEnvelope(read(bytes, answerSchema, 'the answer to an enrolment').admission) };
}

function read<T>(bytes: Bytes, schema: z.ZodType<T>, what: string): T {
  let value: JsonValue;
  try {
    value = parseStrictJson(bytes, LIMITS);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new EnrolmentError('ERR_ENROLMENT_FORMAT', `the file is not ${what}: ${cause.message}`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new EnrolmentError('ERR_ENROLMENT_FORMAT', `the file is not ${what}`);
  return result.data;
}

function readEnvelope(value: unknown): Envelope {
  try {
    return toEnvelope(value as JsonValue);
  } catch (cause) {
    throw new EnrolmentError('ERR_ENROLMENT_FORMAT', 'the file holds what is no envelope', { cause });
  }
}

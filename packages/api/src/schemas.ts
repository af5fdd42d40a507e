// SPDX-License-Identifier: Apache-2.0
/** The bodies of the HTTP API, one schema each for server, client and OpenAPI; strict: unknown members are refused. */
import { isReasonCode, type ReasonCode } from '@witnessmark/core';
import { CREDENTIAL_KINDS, instantText, MAX_SLOTS, sha256Text, uuid } from '@witnessmark/attestation';
import { z } from 'zod';
import { API_LIMITS } from './limits.ts';
import { UNIT_STATES } from './line-service.ts';

const MAX_BASE64_LENGTH = 96 * 1024;
const MAX_TEXT_LENGTH = 4096;

const name = z.string().min(1).max(128);
const index = z.int().min(0);

/** Decoded, strictly, where the envelope is read. */
const base64 = { contentEncoding: 'base64' } as const;

export const envelopeJson = z.strictObject({
  payload: z.string().max(MAX_BASE64_LENGTH).meta(base64),
  payloadType: name,
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(128), sig: z.string().min(1).max(256).meta(base64) }))
    .min(1)
    .max(16),
});

export const permitRequestBody = z.strictObject({ envelope: envelopeJson });
export const permitResponseBody = z.strictObject({ permit: envelopeJson });

export const submitBody = z.strictObject({ envelope: envelopeJson, permit: envelopeJson.optional() });
export const submitBatchBody = z.strictObject({
  statements: z.array(submitBody).min(1).max(API_LIMITS.maxBatchStatements),
});
export const loggedEntryBody = z.strictObject({
  index,
  envelope: envelopeJson,
  proof: z.string().max(64 * 1024),
});

/** The unsealing as logged, and a content key for each sealed image of the release. */
export const unsealedImagesBody = z.strictObject({
  entry: loggedEntryBody,
  contentKeys: z
    .array(z.strictObject({ image: name, recipientInfo: z.string().max(1024).meta(base64) }))
    .min(1)
    .max(16),
});

export const timeBody = z.strictObject({
  now: instantText,
  breakGlass: z.strictObject({ digest: sha256Text, station: name.nullable() }).nullable(),
});

export const sessionChallengeBody = z.strictObject({ station: name });

/** A PIN is typed by a person; what is longer is none. */
export const badgeSignInBody = z.strictObject({ envelope: envelopeJson, pin: z.string().min(1).max(64) });

export const sessionChallengeAnswer = z.strictObject({
  challenge: sha256Text,
  expiresAt: instantText,
  terms: z.strictObject({
    idleMinutes: z.int().min(1),
    batchUnits: z.int().min(1),
    maxMinutes: z.int().min(1),
    credentials: z.array(z.enum(CREDENTIAL_KINDS)).max(CREDENTIAL_KINDS.length),
  }),
});

export const openSessionsBody = z.strictObject({
  sessions: z
    .array(
      z.strictObject({
        id: uuid,
        digest: sha256Text,
        operator: name,
        credential: z.enum(CREDENTIAL_KINDS),
        station: name,
        openedAt: instantText,
        expiresAt: instantText,
        lastUsedAt: instantText,
        units: z.int().min(0),
      }),
    )
    .max(API_LIMITS.maxOpenSessions),
});

export const badgesBody = z.strictObject({
  badges: z
    .array(
      z.strictObject({
        id: uuid,
        person: name,
        badgeDigest: sha256Text,
        state: z.enum(['enrolled', 'locked']),
        enrolledAt: instantText,
      }),
    )
    .max(API_LIMITS.maxBadges),
});

export const siteRecordsBody = z.strictObject({
  records: z
    .array(
      z.strictObject({
        id: uuid,
        state: name,
        relatedId: name.nullable(),
        station: name.nullable(),
        actor: name,
        at: instantText,
        digest: sha256Text,
        index,
        envelope: envelopeJson,
      }),
    )
    .max(API_LIMITS.maxSiteRecords),
});

export const unitBody = z.strictObject({
  deviceId: sha256Text,
  labelSerial: name,
  sku: name,
  state: z.enum(UNIT_STATES),
  attempts: z.int().min(0),
  releaseId: name,
  station: name,
  head: z.strictObject({ seq: z.int().min(1), digest: sha256Text }),
  openTransaction: uuid.nullable(),
});

export const openStopsBody = z.strictObject({
  stops: z
    .array(
      z.strictObject({
        refusalId: uuid,
        refusalDigest: sha256Text,
        code: z.string().regex(/^[A-Z]{2}-[0-9]{2,3}$/),
        deviceId: sha256Text.nullable(),
        station: name,
        line: name,
        index,
      }),
    )
    .max(API_LIMITS.maxOpenStops),
});

const count = z.int().min(0);

export const stationTalliesBody = z.strictObject({
  stations: z
    .array(
      z.strictObject({
        station: name,
        since: instantText,
        slots: z
          .array(
            z.strictObject({
              slot: z.int().min(1).max(MAX_SLOTS).nullable(),
              begun: count,
              retests: count,
              passed: count,
              failed: count,
              held: count,
              aborted: count,
              refused: count,
              failures: z.array(z.strictObject({ code: name, count })).max(256),
            }),
          )
          .max(MAX_SLOTS + 1),
      }),
    )
    .max(API_LIMITS.maxStations),
});

/** RFC 9457, with our code, the next step for people, and the logged refusal when there is one. */
export const problemBody = z.strictObject({
  type: z.string().max(256),
  title: z.string().max(256),
  status: z.int().min(400).max(599),
  detail: z.string().max(MAX_TEXT_LENGTH),
  code: z.string().max(64),
  nextStep: z.string().max(MAX_TEXT_LENGTH).nullable(),
  refusal: loggedEntryBody.nullable(),
});

/** One result for each statement, in their order: its entry, or why there is none. */
export const batchResultsBody = z.strictObject({
  results: z
    .array(z.strictObject({ entry: loggedEntryBody.nullable(), problem: problemBody.nullable() }))
    .max(API_LIMITS.maxBatchStatements),
});

export const healthBody = z.strictObject({
  status: z.enum(['ok', 'failing']),
  checks: z.array(z.strictObject({ name, ok: z.boolean(), detail: z.string().max(MAX_TEXT_LENGTH) })).max(16),
});

export type EnvelopeJson = z.infer<typeof envelopeJson>;
export type LoggedEntryJson = z.infer<typeof loggedEntryBody>;
export type Problem = z.infer<typeof problemBody>;
export type Health = z.infer<typeof healthBody>;

export type BatchResult = z.infer<typeof batchResultsBody>['results'][number];

/** The problem's code when it is one of the catalogue. */
export function toReasonCode(problem: Problem): ReasonCode | null {
  return isReasonCode(problem.code) ? problem.code : null;
}

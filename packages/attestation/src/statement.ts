// SPDX-License-Identifier: Apache-2.0
/** in-toto Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md). */
import { formatJson, parseStrictJson, type Bytes, type DigestSet, type JsonValue } from '@witnessmark/core';
import { z } from 'zod';
import { readBySchema } from './conformance.ts';
import { AttestationError } from './error.ts';
import { digestSet } from './fields.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** Predicate types are identifiers; nothing is ever fetched from them. */
const PREDICATE_BASE = 'https://witnessmark.dev/spec';

export const PREDICATE_TYPES = {
  operatorSession: `${PREDICATE_BASE}/operator-session/v1`,
  sessionEnd: `${PREDICATE_BASE}/session-end/v1`,
  badgeSignIn: `${PREDICATE_BASE}/badge-sign-in/v1`,
  badgeEvent: `${PREDICATE_BASE}/badge-event/v1`,
  permitRequest: `${PREDICATE_BASE}/permit-request/v1`,
  permit: `${PREDICATE_BASE}/permit/v1`,
  provisioningIntent: `${PREDICATE_BASE}/provisioning-intent/v1`,
  provisioningEvent: `${PREDICATE_BASE}/provisioning-event/v1`,
  refusal: `${PREDICATE_BASE}/refusal/v1`,
  disposition: `${PREDICATE_BASE}/disposition/v1`,
  releaseCandidate: `${PREDICATE_BASE}/release-candidate/v1`,
  releaseApproval: `${PREDICATE_BASE}/release-approval/v1`,
  releaseWithdrawal: `${PREDICATE_BASE}/release-withdrawal/v1`,
  ceremony: `${PREDICATE_BASE}/ceremony/v1`,
  breakGlassOpening: `${PREDICATE_BASE}/break-glass-opening/v1`,
  breakGlassClosing: `${PREDICATE_BASE}/break-glass-closing/v1`,
  breakGlassReview: `${PREDICATE_BASE}/break-glass-review/v1`,
  mediaTransfer: `${PREDICATE_BASE}/media-transfer/v1`,
  debugBundle: `${PREDICATE_BASE}/debug-bundle/v1`,
  counterException: `${PREDICATE_BASE}/counter-exception/v1`,
  gateRefusal: `${PREDICATE_BASE}/gate-refusal/v1`,
  keyEnrolment: `${PREDICATE_BASE}/key-enrolment/v1`,
  trustChange: `${PREDICATE_BASE}/trust-change/v1`,
  trustApproval: `${PREDICATE_BASE}/trust-approval/v1`,
  imageUnsealing: `${PREDICATE_BASE}/image-unsealing/v1`,
  offlineRequest: `${PREDICATE_BASE}/offline-request/v1`,
  offlineAllowance: `${PREDICATE_BASE}/offline-allowance/v1`,
  offlineDelivery: `${PREDICATE_BASE}/offline-delivery/v1`,
  cachePurge: `${PREDICATE_BASE}/cache-purge/v1`,
  stationBuild: `${PREDICATE_BASE}/station-build/v1`,
  stationEnrolment: `${PREDICATE_BASE}/station-enrolment/v1`,
  stationAdmission: `${PREDICATE_BASE}/station-admission/v1`,
  stationRetirement: `${PREDICATE_BASE}/station-retirement/v1`,
  stationStart: `${PREDICATE_BASE}/station-start/v1`,
  goldenUnit: `${PREDICATE_BASE}/golden-unit/v1`,
  goldenCheck: `${PREDICATE_BASE}/golden-check/v1`,
  labelEvent: `${PREDICATE_BASE}/label-event/v1`,
  unitCheck: `${PREDICATE_BASE}/unit-check/v1`,
  timeHierarchy: `${PREDICATE_BASE}/time-hierarchy/v1`,
} as const;

export type PredicateType = (typeof PREDICATE_TYPES)[keyof typeof PREDICATE_TYPES];

export interface Subject {
  readonly name: string;
  readonly uri?: string;
  readonly digest: DigestSet;
}

/** At least one; more only where the predicate's definition says so. */
export type Subjects = readonly [Subject, ...Subject[]];

export interface Statement<Predicate> {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: Subjects;
  readonly predicateType: PredicateType;
  readonly predicate: Predicate;
}

/** A predicate's type and the schema that reads it; each predicate file exports one. */
export interface PredicateDefinition<Predicate> {
  readonly predicateType: PredicateType;
  readonly schema: z.ZodType<Predicate>;
  /** How many subjects such a statement may have; one unless said. */
  readonly maxSubjects?: number;
}

const subjectSchema = z.object({
  name: z.string().max(128),
  uri: z.string().max(512).optional(),
  digest: digestSet,
});

const header = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([subjectSchema], subjectSchema),
  predicateType: z.string().max(256),
  predicate: z.unknown(),
});

/** The bytes to sign for a statement. Throws `TypeError` when `predicate` breaks its own schema, or has too many subjects. */
export function buildStatement<Predicate>(
  definition: PredicateDefinition<Predicate>,
  subject: Subject | Subjects,
  predicate: Predicate,
): Bytes {
  const subjects = 'name' in subject ? [subject] : subject;
  if (subjects.length > maxSubjectsOf(definition)) throw new TypeError('the statement has too many subjects');
  const checked = definition.schema.safeParse(predicate);
  if (!checked.success) throw new TypeError(`the predicate breaks its schema at ${describeIssues(checked.error)}`);
  return formatJson({
    _type: STATEMENT_TYPE,
    subject: subjects,
    predicateType: definition.predicateType,
    predicate: checked.data,
  });
}

/**
 * Reads a statement of one predicate type from bytes whose signature was verified first. Unknown members are ignored
 * (in-toto's parsing rules). Throws `ERR_STATEMENT_FORMAT`, `ERR_STATEMENT_PREDICATE_TYPE` or an `ERR_JSON_*` code.
 */
export function parseStatement<Predicate>(
  definition: PredicateDefinition<Predicate>,
  payload: Bytes,
): Statement<Predicate> {
  return toStatement(definition, parseStatementHeader(payload));
}

/** A statement whose predicate has not been read yet, for readers that expect one of several types. */
export type StatementHeader = z.infer<typeof header>;

/** Reads everything but the predicate; throws as {@link parseStatement} does. */
export function parseStatementHeader(payload: Bytes): StatementHeader {
  const outer = readBySchema(header, parseStrictJson(payload));
  if (!outer.success) throw formatError(outer.error);
  return outer.data;
}

/** Reads the predicate behind a header; throws as {@link parseStatement} does. */
export function toStatement<Predicate>(
  definition: PredicateDefinition<Predicate>,
  outer: StatementHeader,
): Statement<Predicate> {
  if (outer.predicateType !== definition.predicateType) {
    throw new AttestationError('ERR_STATEMENT_PREDICATE_TYPE', `the statement is not a ${definition.predicateType}`);
  }
  if (outer.subject.length > maxSubjectsOf(definition)) {
    throw new AttestationError('ERR_STATEMENT_FORMAT', 'the statement has more subjects than its type allows');
  }
  const predicate = readBySchema(definition.schema, outer.predicate as JsonValue);
  if (!predicate.success) throw formatError(predicate.error);
  return { ...outer, predicate: predicate.data } as Statement<Predicate>;
}

/** The predicate type a payload claims; throws as {@link parseStatement} does. */
export function readPredicateType(payload: Bytes): string {
  return parseStatementHeader(payload).predicateType;
}

function maxSubjectsOf(definition: PredicateDefinition<unknown>): number {
  return definition.maxSubjects ?? 1;
}

/** Issues as path and code only: their messages may carry the offending input. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.') || '(root)'}: ${issue.code}`)
    .join(', ');
}

function formatError(error: z.ZodError): AttestationError {
  return new AttestationError('ERR_STATEMENT_FORMAT', `not a statement we know: ${describeIssues(error)}`);
}

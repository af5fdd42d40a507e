// SPDX-License-Identifier: Apache-2.0
/** The statements a line reads, told apart by predicate type. */
import { sha256Hex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import {
  AttestationError,
  badgeSignIn,
  disposition,
  offlineRequest,
  operatorSession,
  parseStatementHeader,
  permitRequest,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  refusal,
  toStatement,
  type BadgeSignIn,
  type Disposition,
  type OfflineRequest,
  type OperatorSession,
  type PermitRequest,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
  type Statement,
} from '@witnessmark/attestation';
import { LineRefusal } from './error.ts';
import { findSiteRecordRule } from './site-records/index.ts';
import type { SiteRecordRule } from './site-records/rule.ts';

interface Read<Kind extends string, Predicate> {
  readonly kind: Kind;
  /** The id that makes a retry the same request. */
  readonly id: string;
  /** SHA-256 of the payload, lower-case hexadecimal. */
  readonly digest: string;
  /** SHA-256 the statement names as its subject. */
  readonly subject: string;
  readonly predicate: Predicate;
}

export type ReadSession = Read<'session', OperatorSession>;
export type ReadIntent = Read<'intent', ProvisioningIntent>;
export type ReadEvent = Read<'event', ProvisioningEvent>;
export type ReadRefusal = Read<'refusal', Refusal>;
export type ReadDisposition = Read<'disposition', Disposition>;
/** A statement that is no link of a unit's chain; its rule says everything else. */
export interface ReadSiteRecord extends Read<'siteRecord', unknown> {
  readonly rule: SiteRecordRule<unknown>;
}
/** Asks for a session on behalf of somebody with a badge. */
export type ReadBadgeSignIn = Read<'badge sign-in', BadgeSignIn>;
export type ReadPermitRequest = Read<'permit request', PermitRequest>;
export type ReadOfflineRequest = Read<'offline request', OfflineRequest>;
/** What a station asks the line for; answered, and not logged itself. */
export type StationRequest = ReadBadgeSignIn | ReadPermitRequest | ReadOfflineRequest;

/** What the log may hold. */
export type LoggableStatement = ReadSession | ReadIntent | ReadEvent | ReadRefusal | ReadDisposition | ReadSiteRecord;

/**
 * Reads a payload whose signature was verified. Throws `ERR_STATEMENT_*` and `ERR_JSON_*` codes for what is not a
 * statement this line logs.
 */
export function parseLoggable(payload: Bytes): LoggableStatement {
  const header = parseStatementHeader(payload);
  const digest = sha256Hex(payload);
  switch (header.predicateType) {
    case PREDICATE_TYPES.operatorSession: {
      const statement = toStatement(operatorSession, header);
      return read('session', statement.predicate.session.id, digest, statement);
    }
    case PREDICATE_TYPES.provisioningIntent: {
      const statement = toStatement(provisioningIntent, header);
      return read('intent', statement.predicate.event.id, digest, statement);
    }
    case PREDICATE_TYPES.refusal: {
      const statement = toStatement(refusal, header);
      return read('refusal', statement.predicate.id, digest, statement);
    }
    case PREDICATE_TYPES.disposition: {
      const statement = toStatement(disposition, header);
      return read('disposition', statement.predicate.id, digest, statement);
    }
    case PREDICATE_TYPES.provisioningEvent: {
      const statement = toStatement(provisioningEvent, header);
      return read('event', statement.predicate.event.id, digest, statement);
    }
    default: {
      const rule = findSiteRecordRule(header.predicateType);
      if (rule !== undefined) {
        const statement = toStatement(rule.definition, header);
        return { ...read('siteRecord', rule.describe(statement.predicate).id, digest, statement), rule };
      }
      throw new AttestationError('ERR_STATEMENT_PREDICATE_TYPE', 'the statement is not of a type that a line logs');
    }
  }
}

/** The kind as counters and people name it. */
export function kindOf(statement: LoggableStatement): string {
  return statement.kind === 'siteRecord' ? statement.rule.kind : statement.kind;
}

export function parsePermitRequest(payload: Bytes): ReadPermitRequest {
  const statement = toStatement(permitRequest, parseStatementHeader(payload));
  return read('permit request', statement.predicate.requestId, sha256Hex(payload), statement);
}

export function parseOfflineRequest(payload: Bytes): ReadOfflineRequest {
  const statement = toStatement(offlineRequest, parseStatementHeader(payload));
  return read('offline request', statement.predicate.id, sha256Hex(payload), statement);
}

export function parseBadgeSignIn(payload: Bytes): ReadBadgeSignIn {
  const statement = toStatement(badgeSignIn, parseStatementHeader(payload));
  return read('badge sign-in', statement.predicate.requestId, sha256Hex(payload), statement);
}

/** Runs a reader; what it cannot read, though validly signed, is the signer's fault: LS-506. */
export function readSigned<T>(reader: (payload: Bytes) => T, payload: Bytes): T {
  try {
    return reader(payload);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new LineRefusal('LS-506', 'a statement this line knows', `${error.code}: ${error.message}`, error);
  }
}

function read<Kind extends string, Predicate>(
  kind: Kind,
  id: string,
  digest: string,
  statement: Statement<Predicate>,
): Read<Kind, Predicate> {
  return { kind, id, digest, subject: statement.subject[0].digest.sha256, predicate: statement.predicate };
}

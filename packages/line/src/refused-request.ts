// SPDX-License-Identifier: Apache-2.0
/** What a refusal may say about the request it answers: nothing that was only claimed. */
import { sha256Hex, type Envelope } from '@witnessmark/core';
import type { Environment, TrustedKey } from '@witnessmark/attestation';
import type { LoggableStatement, ReadPermitRequest } from './statements.ts';

/** Everybody whose signature did not verify. Never a station: station ids come from the trusted root. */
const UNIDENTIFIED = 'unidentified';

/** What was refused, as far as it is known; nothing here was claimed without a signature that verified. */
export interface RefusedRequest {
  /** The owner of the key that signed, or {@link UNIDENTIFIED}. */
  readonly source: string;
  /** SHA-256 of the source's key; of the request when there is no trusted key. */
  readonly sourceDigest: string;
  /** Id and digest of the request, when its signature verified. */
  readonly request: { readonly id: string; readonly digest: string } | null;
  readonly transactionId: string | null;
  readonly deviceId: string | null;
  readonly labelSerial: string | null;
  readonly operatorId: string | null;
  readonly environment: Environment | null;
}

/** A request whose signature verified. */
export function describeRequest(
  { owner, key }: TrustedKey,
  statement: LoggableStatement | ReadPermitRequest | null,
): RefusedRequest {
  const nothing = { transactionId: null, deviceId: null, labelSerial: null, operatorId: null, environment: null };
  const source = { source: owner, sourceDigest: key.keyid };
  if (statement === null) return { ...source, request: null, ...nothing };
  const request = { id: statement.id, digest: statement.digest };
  switch (statement.kind) {
    case 'permit request':
    case 'intent':
    case 'event': {
      const { predicate } = statement;
      return {
        ...source,
        request,
        transactionId:
          statement.kind === 'permit request'
            ? statement.predicate.transactionId
            : statement.predicate.event.transactionId,
        deviceId: predicate.identity.deviceId,
        labelSerial: predicate.identity.label?.serial ?? null,
        operatorId: predicate.operator.id,
        environment: predicate.environment,
      };
    }
    case 'session':
      return { ...source, request, ...nothing, operatorId: statement.predicate.operator.id };
    case 'siteRecord':
      return { ...source, request, ...nothing };
    case 'refusal':
    case 'disposition':
      return { ...source, request, ...nothing, deviceId: statement.predicate.deviceId };
  }
}

/** A request nobody enrolled has signed. */
export function describeStranger(envelope: Envelope): RefusedRequest {
  return {
    source: UNIDENTIFIED,
    sourceDigest: sha256Hex(envelope.payload),
    request: null,
    transactionId: null,
    deviceId: null,
    labelSerial: null,
    operatorId: null,
    environment: null,
  };
}

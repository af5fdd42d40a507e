// SPDX-License-Identifier: Apache-2.0
/** What a refusal may say about the request it answers: nothing that was only claimed. */
import { sha256Hex, type Envelope } from '@witnessmark/core';
import type { Environment, OfflineDelivery, TrustedKey } from '@witnessmark/attestation';
import type { SpoolClaim } from './offline/refused-place.ts';
import { offlineDeliveryRule } from './site-records/offline-delivery.ts';
import type { LoggableStatement, StationRequest } from './statements.ts';

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
  /** The spool it is about, when it is about one. */
  readonly spool: SpoolClaim | null;
}

/** A request whose signature verified. */
export function describeRequest(
  { owner, key }: TrustedKey,
  statement: LoggableStatement | StationRequest | null,
): RefusedRequest {
  const nothing = {
    ...{ transactionId: null, deviceId: null, labelSerial: null, operatorId: null, environment: null },
    spool: statement === null ? null : findSpool(owner, statement),
  };
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
        spool: nothing.spool,
      };
    }
    case 'offline request':
      return { ...source, request, ...nothing, operatorId: statement.predicate.operator.id };
    case 'session':
      return { ...source, request, ...nothing, operatorId: statement.predicate.operator.id };
    case 'siteRecord':
    case 'badge sign-in':
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
    spool: null,
  };
}

/** As the signed statement says; what it says of a station other than its signer's is refused elsewhere. */
function findSpool(owner: string, statement: LoggableStatement | StationRequest): SpoolClaim | null {
  switch (statement.kind) {
    case 'permit request':
      return { owner: { id: owner, slot: statement.predicate.spool?.slot }, place: null };
    case 'offline request':
      return { owner: { id: owner, slot: statement.predicate.station.slot }, place: null };
    case 'intent':
    case 'event':
    case 'refusal': {
      const { offline, station } = statement.predicate;
      return offline === undefined ? null : { owner: { id: owner, slot: station.slot }, place: offline };
    }
    case 'siteRecord': {
      if (statement.rule !== offlineDeliveryRule) return null;
      return { owner: { id: owner, slot: (statement.predicate as OfflineDelivery).station.slot }, place: null };
    }
    case 'session':
    case 'badge sign-in':
    case 'disposition':
      return null;
  }
}

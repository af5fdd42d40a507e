// SPDX-License-Identifier: Apache-2.0
/** A unit with a durable intent, as the journal holds it: what recovery knows, and the flow too from then on. */
import { isDeepStrictEqual } from 'node:util';
import {
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import {
  parseStatement,
  provisioningEvent,
  provisioningIntent,
  toComponentReferences,
  toRecipeReference,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import { StationError } from './error.ts';
import type { Transaction } from './journal.ts';

export interface OpenUnit {
  readonly transactionId: string;
  readonly intendedAt: Instant;
  readonly intent: ProvisioningIntent;
  readonly intentEnvelope: Envelope;
  readonly permit: Envelope;
  readonly eventId: string;
  readonly manifest: ReleaseManifest;
}

/** The intent, believed only with this station's own signature. Throws `ERR_STATION_JOURNAL_DAMAGED`. */
export function readOpenUnit(transaction: Transaction, stationKey: PublicKey): OpenUnit {
  const first = transaction.records[0];
  if (first?.fact.kind !== 'intended') throw damaged(transaction.id, 'it does not begin with an intent');
  const { intent: intentEnvelope, permit, eventId, manifest } = first.fact;
  const intent = readOwn(transaction.id, intentEnvelope, stationKey, provisioningIntent);
  if (intent.event.transactionId !== transaction.id) throw damaged(transaction.id, 'its intent is of another one');
  if (!describes(manifest, intent)) throw damaged(transaction.id, 'its release is not the one that was intended');
  const { id: transactionId } = transaction;
  return { transactionId, intendedAt: first.at, intent, intentEnvelope, permit, eventId, manifest };
}

export interface ClosingEvent {
  readonly envelope: Envelope;
  readonly event: ProvisioningEvent;
  readonly at: Instant;
}

/** The signed event of a transaction; same conditions. */
export function readClosingEvent({ id, records }: Transaction, stationKey: PublicKey): ClosingEvent {
  for (const { fact, at } of records) {
    if (fact.kind !== 'eventSigned') continue;
    return { envelope: fact.event, event: readOwn(id, fact.event, stationKey, provisioningEvent), at };
  }
  throw damaged(id, 'it holds no event');
}

function readOwn<T>(
  transactionId: string,
  envelope: Envelope,
  stationKey: PublicKey,
  definition: Parameters<typeof parseStatement<T>>[0],
): T {
  try {
    const { payload } = verifyEnvelope(envelope, {
      keys: [stationKey],
      threshold: 1,
      payloadType: STATEMENT_PAYLOAD_TYPE,
    });
    return parseStatement(definition, payload).predicate;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw damaged(transactionId, 'a statement in it is not one this station signed', error);
  }
}

/** Whether recipe and components of the manifest are the ones the signed intent names. */
function describes(manifest: ReleaseManifest, intent: ProvisioningIntent): boolean {
  return (
    manifest.releaseId === intent.release.id &&
    isDeepStrictEqual(toRecipeReference(manifest), intent.recipe) &&
    isDeepStrictEqual(toComponentReferences(manifest), intent.components)
  );
}

function damaged(transactionId: string, what: string, cause?: unknown): StationError {
  return new StationError('ERR_STATION_JOURNAL_DAMAGED', `transaction ${transactionId}: ${what}`, { cause });
}

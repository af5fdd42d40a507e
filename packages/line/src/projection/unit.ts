// SPDX-License-Identifier: Apache-2.0
/** Units: begun by an intent, ended by its event; each is a link of the unit's chain, and work in a session. */
import { deriveLabelSerial, type Identity, type ProvisioningEvent } from '@witnessmark/attestation';
import type { UnitState, ViewChange } from '@witnessmark/store';
import { takePlace } from '../offline/spool-projection.ts';
import type { ReadEvent, ReadIntent } from '../statements.ts';
import { projectUse } from './session.ts';

/** Limits that hold when an entry is admitted and need no repetition when it is replayed. */
export interface ProjectionLimits {
  /** Units that may be begun under the intent's release; absent: no limit. */
  readonly maxUnits?: number;
  /** Whether the intent's session has to be open, with units left. */
  readonly demandsSession?: boolean;
}

const STATE_AFTER: Readonly<Record<ProvisioningEvent['outcome'], UnitState>> = {
  SUCCEEDED: 'passed',
  FAILED: 'failed',
  ABORTED: 'failed',
  INDETERMINATE: 'held',
};

/** The serial a unit carries: the label as read, or the one that will be printed. */
export function toLabelSerial(identity: Identity, sku: string): string {
  return identity.label?.serial ?? deriveLabelSerial(sku, identity.deviceId);
}

export function projectIntent(
  index: number,
  intent: ReadIntent,
  { maxUnits, demandsSession = false }: ProjectionLimits,
): readonly ViewChange[] {
  const { release, station, operator, timing, attempt } = intent.predicate;
  const changes = [
    projectLink(index, intent),
    projectBeginning(index, intent),
    projectUse(operator.sessionDigest.sha256, timing.intendedAt, { whileOpen: demandsSession }),
  ];
  if (attempt === 1) {
    changes.push({
      op: 'count',
      table: 'release_use',
      key: { release_id: release.id, line: station.line },
      by: 1,
      ...(maxUnits === undefined ? {} : { max: maxUnits }),
    });
  }
  return [...changes, ...projectPlace(index, intent)];
}

export function projectEvent(index: number, event: ReadEvent): readonly ViewChange[] {
  const { operator, timing } = event.predicate;
  return [
    projectLink(index, event),
    projectEnding(index, event),
    projectUse(operator.sessionDigest.sha256, timing.signedAt),
    ...projectPlace(index, event),
  ];
}

function projectLink(index: number, link: ReadIntent | ReadEvent): ViewChange {
  const { event, identity, station, operator, attempt } = link.predicate;
  const isEvent = link.kind === 'event';
  return {
    op: 'insert',
    table: 'event',
    row: {
      event_id: event.id,
      device_id: identity.deviceId,
      seq: event.seq,
      kind: link.kind,
      type: event.type,
      outcome: isEvent ? link.predicate.outcome : null,
      code: isEvent ? link.predicate.code : null,
      log_index: index,
      payload_digest: link.digest,
      station: station.id,
      operator: operator.id,
      at: isEvent ? link.predicate.timing.signedAt : link.predicate.timing.intendedAt,
      slot: station.slot ?? null,
      attempt,
    },
  };
}

function projectBeginning(index: number, { predicate, digest }: ReadIntent): ViewChange {
  const { event, identity, product, release, station, attempt } = predicate;
  const begun = {
    label_serial: toLabelSerial(identity, product.sku),
    sku: product.sku,
    state: 'open',
    head_seq: event.seq,
    head_digest: digest,
    attempts: attempt,
    release_id: release.id,
    line: station.line,
    station: station.id,
    open_transaction: event.transactionId,
    open_intent_index: index,
    last_index: index,
  } as const;
  const { deviceId, hardwareUid } = identity;
  if (event.seq === 1) {
    const row = { device_id: deviceId, public_key_digest: null, hardware_uid: hardwareUid.sha256, ...begun };
    return { op: 'insert', table: 'unit', row };
  }
  return {
    op: 'update',
    table: 'unit',
    key: { device_id: deviceId },
    // The head pins the whole chain, so a second station with the same permit finds another one and loses.
    expect: { ...predecessor(event), open_transaction: null },
    set: begun,
  };
}

function projectEnding(index: number, { predicate, digest }: ReadEvent): ViewChange {
  const { event, identity, station, outcome, keys } = predicate;
  const publicKey = keys[0]?.publicKeyDigest.sha256;
  return {
    op: 'update',
    table: 'unit',
    key: { device_id: identity.deviceId },
    expect: { ...predecessor(event), station: station.id, open_transaction: event.transactionId },
    set: {
      state: STATE_AFTER[outcome],
      head_seq: event.seq,
      head_digest: digest,
      ...(publicKey === undefined ? {} : { public_key_digest: publicKey }),
      open_transaction: null,
      open_intent_index: null,
      last_index: index,
    },
  };
}

/** A statement that was made while the line did not answer takes its place in the spool of its station. */
function projectPlace(index: number, { predicate, digest }: ReadIntent | ReadEvent): readonly ViewChange[] {
  const { offline, station } = predicate;
  return offline === undefined ? [] : [takePlace(index, station, offline, digest)];
}

/** What the unit's row must say for a link to be the next one. */
function predecessor(event: ProvisioningEvent['event']): { readonly head_seq: number; readonly head_digest: string } {
  // No row has an empty digest, so a link that names no predecessor never fits.
  return { head_seq: event.seq - 1, head_digest: event.previousEventDigest?.sha256 ?? '' };
}

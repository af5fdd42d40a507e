// SPDX-License-Identifier: Apache-2.0
/**
 * What each entry of the log does to the views. The only writer of views: the line commits exactly these changes with the
 * entry, and a rebuild from the log computes them again (spec/evidence-log.md, "Views").
 */
import { formatInstant, parseEnvelope, parseInstant, type Bytes } from '@witnessmark/core';
import { deriveLabelSerial, type Identity, type ProvisioningEvent } from '@witnessmark/attestation';
import type { UnitState, ViewChange } from '@witnessmark/store';
import {
  findDispositionRule,
  opensStop,
  takesUnitOut,
  toWaitingState,
  type DispositionAction,
} from './dispositions.ts';
import { projectOfflineRefusal, takePlace } from './offline/spool-projection.ts';
import {
  parseLoggable,
  type LoggableStatement,
  type ReadDisposition,
  type ReadEvent,
  type ReadIntent,
  type ReadRefusal,
  type ReadSession,
  type ReadSiteRecord,
} from './statements.ts';

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

const STATE_AFTER_DECISION = {
  allowRetry: 'open',
  quarantineUnit: 'quarantined',
  scrapUnit: 'scrapped',
} as const satisfies Partial<Record<DispositionAction, UnitState>>;

/** The changes of a logged entry, from its bytes alone. Throws the codes of {@link parseLoggable} for a foreign entry. */
export function projectEntry(index: number, entry: Bytes): readonly ViewChange[] {
  return projectStatement(index, parseLoggable(parseEnvelope(entry).payload));
}

export function projectStatement(
  index: number,
  statement: LoggableStatement,
  limits: ProjectionLimits = {},
): readonly ViewChange[] {
  switch (statement.kind) {
    case 'session':
      return [projectSession(index, statement)];
    case 'intent':
      return [...projectIntent(index, statement, limits), ...projectPlace(index, statement)];
    case 'event':
      return [...projectEvent(index, statement), ...projectPlace(index, statement)];
    case 'refusal':
      return [projectRefusal(index, statement), ...projectOfflineRefusal(index, statement.predicate, statement.digest)];
    case 'disposition':
      return projectDisposition(index, statement);
    case 'siteRecord':
      return projectSiteRecord(index, statement);
  }
}

/** The serial a unit carries: the label as read, or the one that will be printed. */
export function toLabelSerial(identity: Identity, sku: string): string {
  return identity.label?.serial ?? deriveLabelSerial(sku, identity.deviceId);
}

/** A statement that was made while the line did not answer takes its place in the spool of its station. */
function projectPlace(index: number, { predicate, digest }: ReadIntent | ReadEvent): readonly ViewChange[] {
  const { offline, station } = predicate;
  return offline === undefined ? [] : [takePlace(index, station, offline, digest)];
}

function projectSession(index: number, { predicate, digest }: ReadSession): ViewChange {
  const { session, operator, credential, station } = predicate;
  return {
    op: 'insert',
    table: 'operator_session',
    row: {
      session_id: session.id,
      operator: operator.id,
      role: operator.role,
      credential: credential.kind,
      credential_key_digest: operator.credentialKeyDigest.sha256,
      station: station.id,
      line: station.line,
      opened_at: session.openedAt,
      expires_at: session.expiresAt,
      idle_minutes: session.idleMinutes,
      batch_units: session.batchUnits,
      units: 0,
      last_used_at: normalise(session.openedAt),
      state: 'open',
      payload_digest: digest,
      log_index: index,
    },
  };
}

/** Work in a session: begun by an intent, ended by an event, which may be after the session itself. */
function projectUse(digest: string, at: string, begun?: { readonly whileOpen: boolean }): ViewChange {
  const use = { op: 'use', table: 'operator_session', digest, at: normalise(at) } as const;
  if (begun === undefined) return { ...use, units: 0 };
  return { ...use, units: 1, ...(begun.whileOpen && { whileOpen: true }) };
}

/** So that times compare as texts. */
function normalise(at: string): string {
  return formatInstant(parseInstant(at));
}

function projectIntent(
  index: number,
  { predicate, digest }: ReadIntent,
  { maxUnits, demandsSession = false }: ProjectionLimits,
): readonly ViewChange[] {
  const { event, identity, product, release, station, operator, timing, attempt } = predicate;
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
  const unit: ViewChange =
    event.seq === 1
      ? {
          op: 'insert',
          table: 'unit',
          row: {
            device_id: identity.deviceId,
            public_key_digest: null,
            hardware_uid: identity.hardwareUid.sha256,
            ...begun,
          },
        }
      : {
          op: 'update',
          table: 'unit',
          key: { device_id: identity.deviceId },
          // The head pins the whole chain, so a second station with the same permit finds another one and loses.
          expect: { ...predecessor(event), open_transaction: null },
          set: begun,
        };
  const link: ViewChange = {
    op: 'insert',
    table: 'event',
    row: {
      event_id: event.id,
      device_id: identity.deviceId,
      seq: event.seq,
      kind: 'intent',
      type: event.type,
      outcome: null,
      code: null,
      log_index: index,
      payload_digest: digest,
      station: station.id,
      operator: operator.id,
      at: timing.intendedAt,
      slot: station.slot ?? null,
      attempt,
    },
  };
  const use = projectUse(operator.sessionDigest.sha256, timing.intendedAt, { whileOpen: demandsSession });
  if (attempt !== 1) return [link, unit, use];
  const count: ViewChange = {
    op: 'count',
    table: 'release_use',
    key: { release_id: release.id, line: station.line },
    by: 1,
    ...(maxUnits === undefined ? {} : { max: maxUnits }),
  };
  return [link, unit, use, count];
}

function projectEvent(index: number, { predicate, digest }: ReadEvent): readonly ViewChange[] {
  const { event, identity, station, operator, timing, outcome, code, keys, attempt } = predicate;
  const publicKey = keys[0]?.publicKeyDigest.sha256;
  return [
    {
      op: 'insert',
      table: 'event',
      row: {
        event_id: event.id,
        device_id: identity.deviceId,
        seq: event.seq,
        kind: 'event',
        type: event.type,
        outcome,
        code,
        log_index: index,
        payload_digest: digest,
        station: station.id,
        operator: operator.id,
        at: timing.signedAt,
        slot: station.slot ?? null,
        attempt,
      },
    },
    {
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
    },
    projectUse(operator.sessionDigest.sha256, timing.signedAt),
  ];
}

function projectRefusal(index: number, { predicate, digest }: ReadRefusal): ViewChange {
  return {
    op: 'insert',
    table: 'refusal',
    row: {
      refusal_id: predicate.id,
      code: predicate.code,
      kind: predicate.kind,
      device_id: predicate.deviceId,
      label_serial: predicate.labelSerial,
      station: predicate.station.id,
      line: predicate.station.line,
      log_index: index,
      payload_digest: digest,
      at: predicate.refusedAt,
      state: opensStop(predicate) ? 'open' : 'closed',
      disposition_id: null,
      slot: predicate.station.slot ?? null,
    },
  };
}

function projectDisposition(index: number, { predicate, digest }: ReadDisposition): readonly ViewChange[] {
  const { id, refusalId, refusalDigest, code, action, deviceId, station, decidedBy, decidedAt } = predicate;
  const decision: ViewChange = {
    op: 'insert',
    table: 'disposition',
    row: {
      disposition_id: id,
      refusal_id: refusalId,
      action,
      code,
      device_id: deviceId,
      station: station.id,
      line: station.line,
      decided_by: decidedBy.id,
      at: decidedAt,
      log_index: index,
      payload_digest: digest,
    },
  };
  if (findDispositionRule(code)?.about === 'stop') {
    const closing: ViewChange = {
      op: 'update',
      table: 'refusal',
      key: { refusal_id: refusalId },
      expect: { state: 'open', payload_digest: refusalDigest.sha256 },
      set: { state: 'closed', disposition_id: id },
    };
    if (!takesUnitOut(action) || deviceId === null) return [decision, closing];
    const ending: ViewChange = {
      op: 'update',
      table: 'unit',
      key: { device_id: deviceId },
      expect: { open_transaction: null },
      set: { state: STATE_AFTER_DECISION[action], last_index: index },
      // A device that was stopped before it was ever begun is no unit yet.
      ifPresent: true,
    };
    return [decision, closing, ending];
  }
  if (!(action in STATE_AFTER_DECISION) || deviceId === null) return [decision];
  const state = STATE_AFTER_DECISION[action as keyof typeof STATE_AFTER_DECISION];
  const lifting: ViewChange = {
    op: 'update',
    table: 'unit',
    key: { device_id: deviceId },
    expect: { state: toWaitingState(code), head_digest: refusalDigest.sha256 },
    set: { state, last_index: index },
  };
  return [decision, lifting];
}

function projectSiteRecord(index: number, record: ReadSiteRecord): readonly ViewChange[] {
  const { rule, digest, subject, predicate } = record;
  const { id, state, relatedId, station, line, actor, at } = rule.describe(predicate);
  const insert: ViewChange = {
    op: 'insert',
    table: 'site_record',
    row: {
      record_id: id,
      kind: rule.kind,
      subject_digest: subject,
      state,
      related_id: relatedId,
      station,
      line,
      actor,
      at,
      log_index: index,
      payload_digest: digest,
    },
  };
  // First what it ends: a constraint may allow only one of its kind.
  return [...(rule.transitions?.(record, index) ?? []), insert];
}

/** What the unit's row must say for a link to be the next one. */
function predecessor(event: ProvisioningEvent['event']): { readonly head_seq: number; readonly head_digest: string } {
  // No row has an empty digest, so a link that names no predecessor never fits.
  return { head_seq: event.seq - 1, head_digest: event.previousEventDigest?.sha256 ?? '' };
}

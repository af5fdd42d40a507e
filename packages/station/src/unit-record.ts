// SPDX-License-Identifier: Apache-2.0
/**
 * What the log says of a unit, read from its evidence file and believed as far as it proves itself: every entry is
 * countersigned by the line, is at its place in a log that never contradicted what this station saw, and the newest record is
 * signed by an enrolled station. Labels are printed from this, and finished units are held against it.
 */
import {
  parseInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  isValidAt,
  labelEvent,
  parseStatement,
  PREDICATE_TYPES,
  provisioningEvent,
  readPredicateType,
  unitCheck,
  type LabelEvent,
  type LiveLabelState,
  type PredicateDefinition,
  type ProvisioningEvent,
} from '@witnessmark/attestation';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { parseLogProof } from '@witnessmark/tlog';
import { StationRefusal } from './error.ts';
import type { SeenHead } from './floor.ts';
import type { LineTrust } from './line-trust.ts';
import { verifyReceipt } from './receipt.ts';

interface Logged<Predicate> {
  readonly predicate: Predicate;
  /** SHA-256 of the payload, lower-case hexadecimal. */
  readonly digest: string;
  readonly logIndex: number;
}

/** The label that counts. */
export interface LiveLabel {
  readonly id: string;
  readonly state: LiveLabelState;
  readonly copy: number;
  /** SHA-256 of its symbol's text. */
  readonly symbolDigest: string;
  /** SHA-256 of the record it was printed from. */
  readonly recordDigest: string;
}

export interface UnitRecord {
  readonly deviceId: string;
  readonly serial: string;
  /** The newest link of the device's chain, which closed a unit. */
  readonly record: Logged<ProvisioningEvent>;
  /** How many labels were made for it. */
  readonly copies: number;
  readonly liveLabel: LiveLabel | null;
  /** SHA-256 of the newest label event's payload. */
  readonly lastLabelEvent: string | null;
  /** SHA-256 of the payload of the newest check that flagged the unit, whether or not it was lifted since. */
  readonly lastFlag: string | null;
  /** The newest head that the file proved. */
  readonly head: SeenHead;
}

interface ReadContext {
  readonly trust: LineTrust;
  readonly lastHead: SeenHead | null;
  readonly at: Instant;
}

interface Entry {
  readonly type: string;
  readonly envelope: Envelope;
  readonly digest: string;
  readonly logIndex: number;
}

/**
 * Throws LS-303 for a file that does not prove itself, LB-108 for a unit whose newest link is still open.
 */
export function readUnitRecord(bytes: Bytes, context: ReadContext): UnitRecord {
  try {
    return read(bytes, context);
  } catch (error) {
    if (error instanceof StationRefusal || !(error instanceof WitnessmarkError)) throw error;
    const observed = `${error.code}: ${error.message}`;
    throw new StationRefusal('LS-303', { expected: 'evidence of a unit that proves itself', observed, cause: error });
  }
}

function read(bytes: Bytes, context: ReadContext): UnitRecord {
  const { deviceId, entries: logged } = parseUnitEvidence(bytes);
  let head = context.lastHead;
  const entries = logged.map(({ envelope, proof }): Entry => {
    const { index } = parseLogProof(proof);
    const { trust, at, lastHead } = context;
    const proven = verifyReceipt({ index, envelope, proof }, { sent: null, author: null, trust, lastHead, at });
    if (head === null || proven.treeSize > head.treeSize) head = proven;
    const type = readPredicateType(envelope.payload);
    return { type, envelope, digest: sha256Hex(envelope.payload), logIndex: index };
  });
  const record = findRecord(entries, deviceId, context.trust);
  if (head === null) throw broken('entries with their proofs', 'none');
  const labels = readAll(labelEvent, entries, PREDICATE_TYPES.labelEvent).filter(({ subject }) => subject === deviceId);
  const checks = readAll(unitCheck, entries, PREDICATE_TYPES.unitCheck);
  return {
    deviceId,
    serial: record.predicate.identity.label?.serial ?? '',
    record,
    copies: labels.filter(({ predicate: { id, labelId } }) => id === labelId).length,
    liveLabel: findLiveLabel(labels.map(({ predicate }) => predicate)),
    lastLabelEvent: labels.at(-1)?.digest ?? null,
    lastFlag: checks.findLast(({ predicate }) => predicate.result === 'flagged')?.digest ?? null,
    head,
  };
}

/** The newest link must be an event, signed by an enrolled station of that name when it was made. */
function findRecord(entries: readonly Entry[], deviceId: string, trust: LineTrust): Logged<ProvisioningEvent> {
  const chain = entries.filter(
    ({ type }) => type === PREDICATE_TYPES.provisioningEvent || type === PREDICATE_TYPES.provisioningIntent,
  );
  const last = chain.at(-1);
  if (last?.type !== PREDICATE_TYPES.provisioningEvent) {
    const observed = last === undefined ? 'none' : 'an intent that is still open';
    throw new StationRefusal('LB-108', { expected: 'the record of a finished unit', observed });
  }
  const { envelope, digest, logIndex } = last;
  const { subject, predicate } = parseStatement(provisioningEvent, envelope.payload);
  if (subject[0].digest.sha256 !== deviceId || predicate.identity.deviceId !== deviceId) {
    throw broken(`records about device ${deviceId.slice(0, 16)}…`, 'one about another device');
  }
  const at = parseInstant(predicate.timing.signedAt);
  const keys = trust.keys.filter(
    (key) => key.role === 'station' && key.owner === predicate.station.id && isValidAt(key, at),
  );
  if (keys.length === 0) throw broken(`an enrolled station ${predicate.station.id}`, 'none');
  const wanted = { keys: keys.map(({ key }) => key), threshold: 1, payloadType: STATEMENT_PAYLOAD_TYPE };
  verifyEnvelope(envelope, wanted);
  return { predicate, digest, logIndex };
}

function readAll<Predicate>(
  definition: PredicateDefinition<Predicate>,
  entries: readonly Entry[],
  wanted: string,
): readonly (Logged<Predicate> & { readonly subject: string })[] {
  return entries
    .filter(({ type }) => type === wanted)
    .map(({ envelope, digest, logIndex }) => {
      const { subject, predicate } = parseStatement(definition, envelope.payload);
      return { predicate, digest, logIndex, subject: subject[0].digest.sha256 };
    });
}

function findLiveLabel(events: readonly LabelEvent[]): LiveLabel | null {
  return events.reduce<LiveLabel | null>((live, { id, action, copy, symbolDigest, record }) => {
    if (action === 'voided') return null;
    if (action === 'scanned') return live === null ? null : { ...live, state: 'scanned' };
    const digests = { symbolDigest: symbolDigest?.sha256 ?? '', recordDigest: record.digest.sha256 };
    return { id, state: 'printed', copy, ...digests };
  }, null);
}

function broken(expected: string, observed: string): StationRefusal {
  return new StationRefusal('LS-303', { expected, observed });
}

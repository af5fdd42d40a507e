// SPDX-License-Identifier: Apache-2.0
/** Units that were made while the line did not answer: under an allowance and delivered, or not quite. */
import { encodeUtf8, formatInstant, sha256Hex, type Instant, type ReasonCode } from '@witnessmark/core';
import {
  offlineAllowance,
  offlineDelivery,
  type OfflineAllowance,
  type OfflineDelivery,
  type SpoolPlace,
} from '@witnessmark/attestation';
import { CALENDAR, CAST, LINE } from '../cast.ts';
import { draftIntent } from '../drafts.ts';
import { DEVICE, play, toMade, type Made, type ScenePlan, type Stage, type VectorCase } from './scene.ts';
import type { LoggedEntry, Making } from '../world.ts';

const MINUTE_MS = 60_000;
const ALLOWED_AT = CALENDAR.sessionOpenedAt + 5 * MINUTE_MS;
const DELIVERED_AT = CALENDAR.intendedAt + 90 * MINUTE_MS;
const PREVIOUS = sha256Hex(encodeUtf8('the statement before in this spool'));

interface OfflinePlan {
  readonly allowance?: Making<OfflineAllowance>;
  readonly delivery?: Making<OfflineDelivery>;
  /** Left out of the file, or never made. */
  readonly isAllowanceHidden?: boolean;
  readonly isDeliveryHidden?: boolean;
  readonly unit?: number;
  /** The records say that the line answered. */
  readonly isUnmarked?: boolean;
  readonly deliveredAt?: Instant;
  readonly allowedAt?: Instant;
}

export const OFFLINE_CASES: readonly VectorCase[] = [
  {
    name: 'made-without-the-line',
    why: 'A19: made under an allowance while the line did not answer, delivered an hour later.',
    verdict: 'VERIFIED',
    code: null,
    policy: 'trial-policy.json',
    make: () => made({}),
  },
  {
    ...refused('EV-313', 'made-without-the-line-under-production', 'As allowed, under a policy that accepts none.', {}),
    policy: 'production-policy.json',
  },
  unknown('EV-213', 'allowance-missing', 'The records name an allowance that the file does not hold.', {
    isAllowanceHidden: true,
  }),
  unknown('EV-213', 'delivery-missing', 'Nothing says when the records came to the line.', { isDeliveryHidden: true }),
  unknown('EV-214', 'dated-after-delivery', 'A18: the records are dated after the delivery that brought them.', {
    deliveredAt: CALENDAR.intendedAt - 2 * MINUTE_MS,
  }),
  refused('EV-107', 'allowance-of-nothing', 'The file has an allowance under which no record of it was made.', {
    isUnmarked: true,
  }),
  refused('EV-314', 'allowance-of-another-station', 'The allowance is for another station.', {
    allowance: { edit: (draft) => ({ ...draft, station: { ...draft.station, id: 'ST-99' } }) },
  }),
  refused('EV-314', 'more-units-than-allowed', 'A19: the fourth unit under an allowance of three.', { unit: 4 }),
  refused('EV-314', 'begun-after-the-allowance', 'A19: begun when the hours of the allowance were over.', {
    allowance: { edit: (draft) => ({ ...draft, notAfter: formatInstant(CALENDAR.intendedAt) }) },
  }),
  refused('EV-314', 'delivered-by-another-station', 'Another key than the station of the records announced them.', {
    delivery: { signers: [CAST.operator.key, CAST.line.key] },
  }),
];

function refused(code: ReasonCode, name: string, why: string, plan: OfflinePlan): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, policy: 'trial-policy.json', make: () => made(plan) };
}

function unknown(code: ReasonCode, name: string, why: string, plan: OfflinePlan): VectorCase {
  const made_ = (): Promise<Made> => made(plan);
  return { name: `${name}_unverified`, why, verdict: 'NOT VERIFIED', code, policy: 'trial-policy.json', make: made_ };
}

async function made(plan: OfflinePlan): Promise<Made> {
  let allowance: LoggedEntry | null = null;
  const place = (seq: number): SpoolPlace => ({
    allowanceDigest: { sha256: allowance?.payloadDigest ?? '' },
    seq,
    previousDigest: { sha256: PREVIOUS },
  });
  const marked: ScenePlan = {
    intent: {
      edit: (draft) => ({
        ...draft,
        permitDigest: { sha256: allowance?.payloadDigest ?? '' },
        offline: { ...place(7), unit: plan.unit ?? 1 },
      }),
    },
    event: { edit: (draft) => ({ ...draft, offline: place(8) }) },
  };
  const played = await play({
    before: async (stage) => {
      allowance = await allow(stage, plan);
      await deliver(stage, allowance, plan);
    },
    ...(plan.isUnmarked === true ? {} : marked),
  });
  return toMade(played.evidence);
}

async function allow(
  stage: Stage,
  { allowance = {}, isAllowanceHidden, allowedAt }: OfflinePlan,
): Promise<LoggedEntry> {
  const { world, unit, session, release } = stage;
  const {
    operator,
    product,
    release: reference,
    station,
  } = draftIntent({
    ids: world.ids,
    device: DEVICE,
    manifest: release.manifest,
    candidateDigest: release.candidateDigest,
    session: session.predicate,
    sessionDigest: session.payloadDigest,
    chain: { seq: 1, previousEventDigest: null },
    attempt: 1,
    at: CALENDAR.intendedAt,
  });
  const predicate: OfflineAllowance = {
    id: world.ids.next(),
    number: 3,
    station: { id: station.id, line: station.line, plant: station.plant },
    product,
    release: reference,
    operatorId: operator.id,
    sessionDigest: operator.sessionDigest,
    maxUnits: 3,
    spool: { seq: 6, digest: { sha256: PREVIOUS } },
    requestDigest: { sha256: sha256Hex(encodeUtf8('the request')) },
    issuedAt: formatInstant(allowedAt ?? ALLOWED_AT),
    notAfter: formatInstant(CALENDAR.intendedAt + 240 * MINUTE_MS),
  };
  const edited = allowance.edit?.(predicate) ?? predicate;
  const making = { subject: stationSubject(), signers: [CAST.line.key], ...allowance };
  const entry = await world.record(unit, offlineAllowance, edited, making);
  if (isAllowanceHidden === true) unit.entries.pop();
  return entry;
}

async function deliver(
  { world, unit }: Stage,
  { payloadDigest }: LoggedEntry,
  { delivery = {}, isDeliveryHidden, deliveredAt }: OfflinePlan,
): Promise<void> {
  const at = deliveredAt ?? DELIVERED_AT;
  const predicate: OfflineDelivery = {
    id: world.ids.next(),
    station: { id: CAST.station.owner, line: LINE.id, plant: LINE.plant },
    allowanceDigest: { sha256: payloadDigest },
    firstSeq: 7,
    lastSeq: 8,
    previousDigest: { sha256: PREVIOUS },
    lastDigest: { sha256: sha256Hex(encodeUtf8('the last statement')) },
    deliveredAt: formatInstant(at),
    clock: {
      ...{ source: 'chrony', offsetMs: 0.4, errorBoundMs: 2, stratum: 3, lastSyncAgeMs: 1200 },
      ...{ monotonicMs: 9_000_000, bootId: 'boot-7', verdict: 'SANE' },
    },
    environment: { simulated: false, rehearsal: false, breakGlass: null },
  };
  const edited = delivery.edit?.(predicate) ?? predicate;
  await world.record(unit, offlineDelivery, edited, { subject: stationSubject(), ...delivery });
  if (isDeliveryHidden === true) unit.entries.pop();
}

function stationSubject(): { name: string; digest: { sha256: string } } {
  return { name: 'station', digest: { sha256: CAST.station.key.publicKey.keyid } };
}

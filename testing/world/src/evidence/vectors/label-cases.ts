// SPDX-License-Identifier: Apache-2.0
/** What came after a unit had passed: its labels, and somebody who looked at it again. */
import { encodeUtf8, formatInstant, sha256Hex, type ReasonCode } from '@witnessmark/core';
import {
  deviceSubject,
  labelEvent,
  unitCheck,
  type LabelEvent,
  type ProvisioningEvent,
  type UnitCheck,
} from '@witnessmark/attestation';
import { CALENDAR, CAST, LINE } from '../cast.ts';
import type { Making } from '../world.ts';
import { edit, scene, type Made, type Stage, type VectorCase } from './scene.ts';

const SECOND_MS = 1000;
const PRINTED_AT = CALENDAR.intendedAt + 60 * SECOND_MS;
const SYMBOL = { sha256: sha256Hex(encodeUtf8('symbol')) };
const LABEL_ID = '01950000-0000-7000-8002-000000000001';

interface LabelPlan {
  readonly printed?: Making<LabelEvent>;
  /** Without one it was not scanned. */
  readonly scanned?: Making<LabelEvent> | null;
  readonly voided?: Making<LabelEvent> | null;
}

export const LABEL_CASES: readonly VectorCase[] = [
  good('label-scanned-back', 'Its label was printed from the record and scanned back.', () => labelled({})),
  good('label-not-scanned-back', 'Nobody has scanned the label yet.', () => labelled({ scanned: null })),
  refused('EV-102', 'label-by-another-station', 'A2: another station than it names signed the label event.', () =>
    labelled({ scanned: null, printed: { signers: [CAST.otherStation.key, CAST.line.key] } }),
  ),
  refused('EV-103', 'label-by-an-expired-key', 'The key of the station that printed had run out.', () =>
    labelled({
      scanned: null,
      printed: {
        edit: (event) => ({ ...event, station: { ...event.station, id: CAST.expiredStation.owner } }),
        signers: [CAST.expiredStation.key, CAST.line.key],
      },
    }),
  ),
  refused('EV-106', 'label-event-left-out', 'The file holds a scan and not the print before it.', () =>
    labelled({ scanned: edit((event) => ({ ...event, previous: SYMBOL })) }),
  ),
  refused('EV-112', 'label-of-another-unit', 'A1: the label that was printed bears another serial.', () =>
    labelled({ scanned: null, printed: edit((event) => ({ ...event, serial: 'GW-210-0000-0000-0000' })) }),
  ),
  refused('EV-112', 'label-voided', 'The label was voided and none took its place.', () => labelled({ voided: {} })),
  refused('EV-113', 'unit-flagged', 'A11: a later check found other content than the record has.', () => checked(null)),
  refused('EV-113', 'unit-flag-lifted-by-the-operator', 'A flag that no supervisor lifted stands.', () =>
    checked([CAST.station.key, CAST.operator.key, CAST.line.key]),
  ),
  good('unit-flag-lifted', 'A flag was lifted by a consistent check that a supervisor signed.', () =>
    checked([CAST.station.key, CAST.supervisor.key, CAST.line.key]),
  ),
];

function labelled({ printed = {}, scanned = {}, voided = null }: LabelPlan): Promise<Made> {
  return scene({
    after: async (stage) => {
      let previous = await log(stage, labelEvent, draftLabel(stage, null), printed);
      const follow = { labelId: LABEL_ID, printer: null } as const;
      if (scanned !== null) {
        const scan = { ...follow, action: 'scanned', labelWas: 'printed' } as const;
        previous = await log(stage, labelEvent, { ...draftLabel(stage, previous, 2), ...scan }, scanned);
      }
      if (voided === null) return;
      const authority = { id: CAST.supervisor.owner, role: 'supervisor' };
      const ending = {
        ...follow,
        action: 'voided',
        labelWas: 'scanned',
        symbolDigest: null,
        reason: 'torn',
        authority,
      } as const;
      const signers = [CAST.station.key, CAST.supervisor.key, CAST.line.key];
      await log(stage, labelEvent, { ...draftLabel(stage, previous, 3), ...ending }, { signers, ...voided });
    },
  });
}

/** A flag, and a consistent check with these signatures, when there are any. */
function checked(lifting: Making<UnitCheck>['signers'] | null): Promise<Made> {
  return scene({
    after: async (stage) => {
      const finding = { code: 'LB-116', expected: 'content as recorded', observed: 'other content' };
      const flag = { result: 'flagged', code: finding.code, findings: [finding] } as const;
      const digest = await log(stage, unitCheck, { ...draftCheck(stage, 1), ...flag, findings: [finding] }, {});
      if (lifting === null || lifting === undefined) return;
      const clears = { clears: { sha256: digest }, authority: { id: CAST.supervisor.owner, role: 'supervisor' } };
      await log(stage, unitCheck, { ...draftCheck(stage, 2), ...clears }, { signers: lifting });
    },
  });
}

async function log<Predicate>(
  { world, unit }: Stage,
  definition: Parameters<typeof world.record<Predicate>>[1],
  draft: Predicate,
  plan: Making<Predicate>,
): Promise<string> {
  const subject = deviceSubject(unit.device.deviceId);
  const signers = [CAST.station.key, CAST.line.key];
  const entry = await world.record(unit, definition, plan.edit?.(draft) ?? draft, { subject, signers, ...plan });
  return entry.payloadDigest;
}

function draftLabel(stage: Stage, previous: string | null, number = 1): LabelEvent {
  const { event, head } = lastRecord(stage);
  return {
    id: LABEL_ID.replace(/1$/, String(number)),
    action: 'printed',
    labelId: LABEL_ID,
    replaces: null,
    labelWas: null,
    copy: 1,
    serial: event.identity.label?.serial ?? '',
    sku: event.product.sku,
    record: head,
    previous: previous === null ? null : { sha256: previous },
    symbolDigest: SYMBOL,
    printer: 'tcp:10.0.0.5:9100',
    reason: null,
    authority: null,
    ...placeOf(event),
    madeAt: formatInstant(PRINTED_AT + number * SECOND_MS),
  };
}

function draftCheck(stage: Stage, number: number): UnitCheck {
  const { event, head } = lastRecord(stage);
  const serial = event.identity.label?.serial ?? '';
  return {
    id: `01950000-0000-7000-8003-00000000000${number}`,
    record: { serial, ...head, logIndex: 1 },
    label: { serial, labelId: null, symbolDigest: SYMBOL },
    labelUnit: null,
    measurements: [{ name: 'firmware', expected: SYMBOL, digest: SYMBOL, result: 'SUCCESS', grade: 'readBack' }],
    protection: 'locked',
    result: 'consistent',
    code: null,
    findings: [],
    clears: null,
    authority: null,
    ...placeOf(event),
    checkedAt: formatInstant(PRINTED_AT + number * SECOND_MS),
  };
}

function placeOf(event: ProvisioningEvent): Pick<LabelEvent, 'station' | 'operator' | 'clock' | 'environment'> {
  const { operator, timing, environment } = event;
  const station = { id: CAST.station.owner, line: LINE.id, plant: LINE.plant };
  return { station, operator, clock: timing.clock, environment };
}

function lastRecord({ unit }: Stage): { readonly event: ProvisioningEvent; readonly head: LabelEvent['record'] } {
  const { head, entries } = unit;
  const entry = entries.find(({ payloadDigest }) => payloadDigest === head?.digest);
  if (head === null || entry === undefined) throw new TypeError('the unit has no record');
  const { predicate } = JSON.parse(new TextDecoder().decode(entry.envelope.payload)) as {
    predicate: ProvisioningEvent;
  };
  return { event: predicate, head: { seq: head.seq, digest: { sha256: head.digest } } };
}

function good(name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name, why, verdict: 'VERIFIED', code: null, policy: 'trial-policy.json', make };
}

function refused(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, policy: 'trial-policy.json', make };
}

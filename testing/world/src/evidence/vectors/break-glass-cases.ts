// SPDX-License-Identifier: Apache-2.0
/** Units that were made while rules were suspended: opened by two people and ended, or not quite. */
import { encodeUtf8, formatInstant, sha256Hex, type ReasonCode } from '@witnessmark/core';
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  type BreakGlassClosing,
  type BreakGlassOpening,
  type BreakGlassReview,
} from '@witnessmark/attestation';
import { CALENDAR, CAST, LINE } from '../cast.ts';
import { edit, play, scene, toMade, type Made, type Stage, type VectorCase } from './scene.ts';
import type { LoggedEntry, Making } from '../world.ts';

const MINUTE_MS = 60_000;
const OPENED_AT = CALENDAR.sessionOpenedAt + 5 * MINUTE_MS;
const RESEALED_AT = CALENDAR.intendedAt + 10 * MINUTE_MS;
const REVIEWED_AT = CALENDAR.intendedAt + 60 * MINUTE_MS;

const OPENING: BreakGlassOpening = {
  id: '01950000-0000-7000-8001-000000000001',
  place: { plant: LINE.plant, line: LINE.id, station: null },
  scope: ['openStop'],
  reason: 'the last board of a customer order, supervisor on the way',
  ticket: 'INC-7',
  requestedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
  confirmedBy: { id: CAST.securityApprover.owner, role: 'approver' },
  openedAt: formatInstant(OPENED_AT),
  minutes: 30,
};

interface BreakGlassPlan {
  readonly opening?: Making<BreakGlassOpening>;
  /** Of the review; without one it was neither resealed nor reviewed. */
  readonly review?: Making<BreakGlassReview> | null;
  /** Which records of the unit's file are left out. */
  readonly isOpeningHidden?: boolean;
  /** The mark of the records; unless said that of the opening. */
  readonly mark?: string | null;
}

export const BREAK_GLASS_CASES: readonly VectorCase[] = [
  {
    name: 'break-glass-reviewed',
    why: 'Two people suspended a rule for half an hour; it was resealed and found justified.',
    verdict: 'VERIFIED',
    code: null,
    policy: 'trial-policy.json',
    make: () => broken({}),
  },
  {
    name: 'break-glass-not-resealed-yet',
    why: 'The file was fetched while break-glass was open; the opening stands in it.',
    verdict: 'VERIFIED',
    code: null,
    policy: 'trial-policy.json',
    make: () => broken({ review: null }),
  },
  {
    ...refused(
      'EV-303',
      'break-glass-reviewed-under-production',
      'A9: opened, resealed and reviewed by the book, under a policy that accepts none.',
      {},
    ),
    policy: 'production-policy.json',
  },
  {
    name: 'break-glass-opening-missing_unverified',
    why: 'The records carry the mark of an opening that the file does not hold.',
    verdict: 'NOT VERIFIED',
    code: 'EV-210',
    policy: 'trial-policy.json',
    make: () => broken({ isOpeningHidden: true, review: null }),
  },
  refused('EV-311', 'break-glass-by-one-person', 'A9: the second person named did not sign.', {
    opening: { signers: [CAST.supervisor.key, CAST.line.key] },
  }),
  refused('EV-311', 'break-glass-by-two-cards-of-one', 'A27: one person signed with two cards.', {
    opening: {
      edit: (opening) => ({
        ...opening,
        requestedBy: { id: CAST.releaseApprover.owner, role: 'approver' },
        confirmedBy: { id: CAST.secondCard.owner, role: 'approver' },
      }),
      signers: [CAST.releaseApprover.key, CAST.secondCard.key, CAST.line.key],
    },
  }),
  refused('EV-311', 'break-glass-by-the-operator', 'The operator is not one who may suspend rules.', {
    opening: {
      edit: (opening) => ({ ...opening, confirmedBy: { id: CAST.operator.owner, role: 'operator' } }),
      signers: [CAST.supervisor.key, CAST.operator.key, CAST.line.key],
    },
  }),
  refused('EV-311', 'break-glass-by-an-expired-key', 'The key of one of the two had run out.', {
    opening: {
      edit: (opening) => ({ ...opening, requestedBy: { id: CAST.expiredSupervisor.owner, role: 'supervisor' } }),
      signers: [CAST.expiredSupervisor.key, CAST.securityApprover.key, CAST.line.key],
    },
  }),
  refused('EV-311', 'break-glass-run-out', 'The unit was begun when the minutes were over.', {
    opening: edit((opening) => ({ ...opening, minutes: 4 })),
  }),
  refused('EV-311', 'break-glass-of-another-station', 'The opening was for another station.', {
    opening: edit((opening) => ({
      ...opening,
      place: { ...opening.place, station: CAST.otherStation.owner },
    })),
  }),
  refused('EV-312', 'break-glass-unjustified', 'The review found no justification.', {
    review: edit((review) => ({ ...review, verdict: 'unjustified', findings: 'the supervisor was on site' })),
  }),
  refused(
    'EV-107',
    'break-glass-of-other-units',
    'An opening stands in the file of a unit that was not made under it.',
    {
      mark: null,
    },
  ),
  {
    ...refused('EV-311', 'break-glass-opened-afterwards', 'The opening was logged after the work it is to excuse.', {}),
    make: async () => {
      const digest = await openingDigest();
      const stage = await play(marked(digest));
      await open(stage, {});
      return toMade(await stage.world.evidence(stage.unit));
    },
  },
];

/** A pass under an opening, which may then be resealed and reviewed. */
async function broken({ opening, review = {}, isOpeningHidden, mark }: BreakGlassPlan): Promise<Made> {
  const digest = mark === undefined ? await openingDigest(opening) : mark;
  return scene({
    ...marked(digest),
    before: async (stage) => {
      await open(stage, opening ?? {});
      if (isOpeningHidden === true) stage.unit.entries.pop();
    },
    after: async (stage) => {
      if (review !== null) await end(stage, digest ?? (await openingDigest(opening)), review);
    },
  });
}

function marked(breakGlass: string | null): Pick<Parameters<typeof scene>[0], 'intent'> {
  return { intent: edit((intent) => ({ ...intent, environment: { ...intent.environment, breakGlass } })) };
}

/** The same in every world: keys and predicate are fixed. */
async function openingDigest(plan: Making<BreakGlassOpening> = {}): Promise<string> {
  const stage = await play();
  return (await open(stage, plan)).payloadDigest;
}

function open({ world, unit }: Stage, plan: Making<BreakGlassOpening>): Promise<LoggedEntry> {
  const subject = { name: 'line', digest: { sha256: sha256Hex(encodeUtf8(LINE.id)) } };
  const signers = [CAST.supervisor.key, CAST.securityApprover.key, CAST.line.key];
  return world.record(unit, breakGlassOpening, plan.edit?.(OPENING) ?? OPENING, { subject, signers, ...plan });
}

async function end({ world, unit }: Stage, digest: string, plan: Making<BreakGlassReview>): Promise<void> {
  const about = { openingId: OPENING.id, openingDigest: { sha256: digest }, place: OPENING.place };
  const subject = { name: 'opening', digest: { sha256: digest } };
  const closing: BreakGlassClosing = {
    id: '01950000-0000-7000-8001-000000000002',
    ...about,
    done: 'one unit was programmed beside an open stop',
    seal: 'S-118',
    resealedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
    resealedAt: formatInstant(RESEALED_AT),
  };
  await world.record(unit, breakGlassClosing, closing, { subject, signers: [CAST.supervisor.key, CAST.line.key] });
  const review: BreakGlassReview = {
    id: '01950000-0000-7000-8001-000000000003',
    ...about,
    verdict: 'justified',
    findings: 'the stop concerned another board',
    reviewedBy: { id: CAST.qualityApprover.owner, role: 'approver' },
    reviewedAt: formatInstant(REVIEWED_AT),
  };
  const signers = [CAST.qualityApprover.key, CAST.line.key];
  await world.record(unit, breakGlassReview, plan.edit?.(review) ?? review, { subject, signers });
}

function refused(code: ReasonCode, name: string, why: string, plan: BreakGlassPlan): VectorCase {
  return {
    name: `${name}_fail`,
    why,
    verdict: 'FAILED',
    code,
    policy: 'trial-policy.json',
    make: () => broken(plan),
  };
}

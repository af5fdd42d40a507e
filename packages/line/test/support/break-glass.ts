// SPDX-License-Identifier: Apache-2.0
/** Break-glass statements of the tests' people, honest unless a test says otherwise. */
import { encodeUtf8, formatInstant, sha256Hex } from '@witnessmark/core';
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  type BreakGlassClosing,
  type BreakGlassOpening,
  type BreakGlassReview,
} from '@witnessmark/attestation';
import { CAST, PLACE, type Name } from './cast.ts';
import { signAs, type Signed } from './signed.ts';
import type { Changes, World } from './world.ts';

const WHOLE_LINE = { ...PLACE, station: null };

export async function makeOpening(
  world: World,
  changes: Changes<BreakGlassOpening> = {},
  { by = ['supervisor', 'approver'], subject }: { by?: readonly Name[]; subject?: string } = {},
): Promise<Signed<BreakGlassOpening>> {
  const predicate: BreakGlassOpening = {
    id: world.newId(),
    place: WHOLE_LINE,
    scope: ['openStop'],
    reason: 'the last board of an order',
    ticket: 'INC-7',
    requestedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
    confirmedBy: { id: CAST.approver.owner, role: 'approver' },
    openedAt: formatInstant(world.clock.now()),
    minutes: 30,
    ...changes,
  };
  return signAs(breakGlassOpening, subject ?? sha256Hex(encodeUtf8(PLACE.line)), predicate, by);
}

export async function makeClosing(
  world: World,
  opening: Signed<BreakGlassOpening>,
  changes: Changes<BreakGlassClosing> = {},
  by: Name = 'supervisor',
): Promise<Signed<BreakGlassClosing>> {
  const predicate: BreakGlassClosing = {
    id: world.newId(),
    openingId: opening.predicate.id,
    openingDigest: { sha256: opening.digest },
    place: opening.predicate.place,
    done: 'one board was programmed',
    seal: null,
    resealedBy: { id: CAST[by].owner, role: CAST[by].role },
    resealedAt: formatInstant(world.clock.now()),
    ...changes,
  };
  return signAs(breakGlassClosing, predicate.openingDigest.sha256, predicate, [by]);
}

export async function makeReview(
  world: World,
  opening: Signed<BreakGlassOpening>,
  changes: Changes<BreakGlassReview> = {},
  by: Name = 'thirdApprover',
): Promise<Signed<BreakGlassReview>> {
  const predicate: BreakGlassReview = {
    id: world.newId(),
    openingId: opening.predicate.id,
    openingDigest: { sha256: opening.digest },
    place: opening.predicate.place,
    verdict: 'justified',
    findings: 'as described',
    reviewedBy: { id: CAST[by].owner, role: CAST[by].role },
    reviewedAt: formatInstant(world.clock.now()),
    ...changes,
  };
  return signAs(breakGlassReview, predicate.openingDigest.sha256, predicate, [by]);
}

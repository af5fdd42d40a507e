// SPDX-License-Identifier: Apache-2.0
import { formatInstant } from '@witnessmark/core';
import type { BreakGlassOpening, OperatorSession } from '@witnessmark/attestation';
import { openScratchStore, type Store } from '@witnessmark/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectEntry } from '../src/index.ts';
import { makeClosing, makeOpening, makeReview } from './support/break-glass.ts';
import { CAST, PLACE } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

const MINUTE_MS = 60_000;

let world: World;
let session: Signed<OperatorSession>;
beforeEach(async () => {
  world = await World.open();
  session = await world.signIn();
});
afterEach(() => world.close());

async function open(changes: Partial<BreakGlassOpening> = {}): Promise<Signed<BreakGlassOpening>> {
  const opening = await makeOpening(world, changes);
  await world.line.submit(opening.envelope);
  return opening;
}

/** Asks for a permit with this mark: `granted`, or the code of the refusal. */
async function ask(number: number, mark: string | null): Promise<string> {
  const environment = { simulated: true, rehearsal: false, breakGlass: mark };
  const { envelope } = await world.permitRequest(toDevice(number), session, { environment });
  return world.line.requestPermit(envelope).then(
    () => 'granted',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function stateOf({ predicate }: Signed<BreakGlassOpening>): Promise<string | undefined> {
  return (await world.store.views.siteRecord(predicate.id))?.state;
}

describe('A9: break-glass', () => {
  it('is opened by two people, marks what is made under it, is resealed and reviewed', async () => {
    const stop = await world.stationRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: toDevice(9).deviceId });
    await world.line.submit(stop.envelope);
    expect(await ask(1, null)).toBe('LS-503');
    const opening = await open();
    expect((await world.line.time()).breakGlass).toEqual({ digest: opening.digest, station: null });

    const environment = { simulated: true, rehearsal: false, breakGlass: opening.digest };
    const request = await world.permitRequest(toDevice(1), session, { environment });
    const permit = await world.permit(request);
    expect(permit.predicate.breakGlass).toBe(opening.digest);
    const intent = await world.intent(request, permit);
    await world.line.submit(intent.envelope, { permit: permit.envelope });

    await world.line.submit((await makeClosing(world, opening)).envelope);
    expect(await stateOf(opening)).toBe('resealed');
    expect((await world.line.time()).breakGlass).toBeNull();
    expect(await ask(2, null)).toBe('LS-503');
    // Begun under the mark, it ends under it, although it is resealed by now.
    const bare = await world.event(intent, { environment: { ...environment, breakGlass: null } });
    expect(await codeOf(world.line.submit(bare.envelope))).toBe('BG-104');
    const other = await world.event(intent, { environment: { ...environment, breakGlass: 'ab'.repeat(32) } });
    expect(await codeOf(world.line.submit(other.envelope))).toBe('BG-105');
    await world.line.submit((await world.event(intent)).envelope);

    await world.line.submit((await makeReview(world, opening)).envelope);
    expect(await stateOf(opening)).toBe('reviewed');
    const records = await world.line.siteRecords('break-glass-opening');
    expect(records).toMatchObject([{ state: 'reviewed', digest: opening.digest, actor: CAST.supervisor.owner }]);
    // The next one may come.
    await open();
  });

  it('refuses a statement without the mark, and the refusal itself carries it', async () => {
    const opening = await open();
    expect(await ask(1, null)).toBe('BG-104');
    expect(await ask(1, 'cd'.repeat(32))).toBe('BG-105');
    const refusals = (await world.payloads()).filter(({ predicateType }) =>
      String(predicateType).endsWith('refusal/v1'),
    );
    expect(refusals).toHaveLength(2);
    for (const { predicate } of refusals)
      expect(predicate).toMatchObject({ environment: { breakGlass: opening.digest } });
  });

  it('ends by the clock, to the millisecond, and still has to be resealed and reviewed', async () => {
    const opening = await open({ minutes: 5 });
    world.clock.advance(5 * MINUTE_MS - 1);
    expect(await ask(1, opening.digest)).toBe('granted');
    world.clock.advance(1);
    expect(await ask(2, opening.digest)).toBe('BG-105');
    expect(await ask(3, null)).toBe('granted');
    expect(await codeOf(world.line.submit((await makeOpening(world)).envelope))).toBe('BG-103');
    await world.line.submit((await makeClosing(world, opening)).envelope);
    expect(await codeOf(world.line.submit((await makeOpening(world)).envelope))).toBe('BG-103');
    await world.line.submit((await makeReview(world, opening)).envelope);
    await open();
  });

  it('is for one station only when it says so', async () => {
    const opening = await open({ place: { ...PLACE, station: CAST.secondStation.owner } });
    expect(await ask(1, null)).toBe('granted');
    expect(await ask(2, opening.digest)).toBe('BG-105');
    const there = await world.signIn('secondStation', 'secondOperator');
    const unmarked = await world.permitRequest(toDevice(3), there, {}, { station: 'secondStation' });
    expect(await codeOf(world.line.requestPermit(unmarked.envelope))).toBe('BG-104');
  });

  it('an intent made before it, under no suspended rule, ends without its mark', async () => {
    const intent = await world.begin(toDevice(1), session);
    const opening = await open();
    const environment = { simulated: true, rehearsal: false, breakGlass: opening.digest };
    const marked = await world.event(intent, { environment });
    expect(await codeOf(world.line.submit(marked.envelope))).toBe('BG-105');
    await world.line.submit((await world.event(intent)).envelope);
  });

  it('a permit from before it does not cover an intent under it, nor one under it an intent after', async () => {
    const before = await world.permitRequest(toDevice(1), session);
    const unmarked = await world.permit(before);
    const opening = await open();
    const environment = { simulated: true, rehearsal: false, breakGlass: opening.digest };
    const late = await world.intent(before, unmarked, { environment });
    expect(await codeOf(world.line.submit(late.envelope, { permit: unmarked.envelope }))).toBe('LS-504');
    const request = await world.permitRequest(toDevice(2), session, { environment });
    const permit = await world.permit(request);
    await world.line.submit((await makeClosing(world, opening)).envelope);
    const intent = await world.intent(request, permit);
    expect(await codeOf(world.line.submit(intent.envelope, { permit: permit.envelope }))).toBe('BG-105');
  });

  it('a late refusal may carry the mark of an opening that is over, and of no other', async () => {
    const opening = await open();
    await world.line.submit((await makeClosing(world, opening)).envelope);
    const environment = { simulated: true, rehearsal: false, breakGlass: opening.digest };
    await world.line.submit((await world.stationRefusal({ environment })).envelope);
    const forged = await world.stationRefusal({ environment: { ...environment, breakGlass: 'ab'.repeat(32) } });
    expect(await codeOf(world.line.submit(forged.envelope))).toBe('BG-105');
  });

  it('I14, I4: is one record however often it is sent, over a restart, and a rebuild of the views says the same', async () => {
    const opening = await makeOpening(world);
    const [first, second] = await Promise.all([
      world.line.submit(opening.envelope),
      world.line.submit(opening.envelope),
    ]);
    expect(second.index).toBe(first.index);
    await world.restart();
    expect((await world.line.time()).breakGlass?.digest).toBe(opening.digest);
    const closing = await makeClosing(world, opening);
    const { index } = await world.line.submit(closing.envelope);
    await world.restart();
    expect((await world.line.submit(closing.envelope)).index).toBe(index);
    expect((await world.line.time()).breakGlass).toBeNull();
    expect(await codeOf(world.line.submit((await makeOpening(world)).envelope))).toBe('BG-103');

    const scratch = openScratchStore();
    try {
      for (let at = 0; at < world.log.size; at += 1) {
        const entry = await world.log.readEntry(at);
        await scratch.commit({
          expected: await scratch.head(),
          entries: [(logIndex) => projectEntry(logIndex, entry)],
          seal: () =>
            Promise.resolve({
              head: { treeSize: at + 1, rootHash: new Uint8Array(32), checkpoint: new Uint8Array(1), committedAt: 0 },
              journal: { firstIndex: at, entryCount: 1, entries: new Uint8Array(1) },
              pruneBelow: 0,
            }),
        });
      }
      expect(await dumpOf(scratch)).toEqual(await dumpOf(world.store));
    } finally {
      await scratch.close();
    }
  });

  it('two openings at once: one wins, the other is told', async () => {
    const openings = [await makeOpening(world), await makeOpening(world)];
    const outcomes = await Promise.allSettled(openings.map(({ envelope }) => world.line.submit(envelope)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'BG-103' });
  });

  it('where rules ask for it, nothing is permitted between its end and its review', async () => {
    await world.close();
    world = await World.open({ rules: { breakGlass: { maxMinutes: 60, permitsNeedReview: true } } });
    session = await world.signIn();
    const opening = await open({ minutes: 5 });
    expect(await ask(1, opening.digest)).toBe('granted');
    world.clock.advance(5 * MINUTE_MS);
    expect(await ask(2, null)).toBe('BG-108');
    await world.line.submit((await makeClosing(world, opening)).envelope);
    expect(await ask(2, null)).toBe('BG-108');
    await world.line.submit((await makeReview(world, opening)).envelope);
    expect(await ask(2, null)).toBe('granted');
  });

  it('cannot be opened at all where the rules give it no minute', async () => {
    await world.close();
    world = await World.open({ rules: { breakGlass: { maxMinutes: 0, permitsNeedReview: false } } });
    expect(await codeOf(world.line.submit((await makeOpening(world, { minutes: 1 })).envelope))).toBe('BG-102');
  });
});

async function dumpOf(store: Pick<Store, 'dump'>): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const { table, text } of store.dump()) rows.push(`${table} ${text}`);
  return rows;
}

describe('an opening is refused', () => {
  const other = (name: 'secondApprover' | 'operator'): { id: string; role: string } => ({
    id: CAST[name].owner,
    role: CAST[name].role,
  });
  type Make = () => ReturnType<typeof makeOpening>;
  const cases: readonly (readonly [string, string, Make])[] = [
    ['signed by one of the two', 'LS-502', () => makeOpening(world, {}, { by: ['supervisor'] })],
    [
      'signed by a third person as well',
      'LS-502',
      () => makeOpening(world, {}, { by: ['supervisor', 'approver', 'secondApprover'] }),
    ],
    ['signed twice by one', 'LS-502', () => makeOpening(world, {}, { by: ['supervisor', 'supervisor'] })],
    [
      'signed by somebody it does not name',
      'BG-101',
      () => makeOpening(world, {}, { by: ['supervisor', 'secondApprover'] }),
    ],
    [
      'A27: that names one person twice',
      'BG-101',
      () => makeOpening(world, { confirmedBy: { id: CAST.supervisor.owner, role: 'supervisor' } }),
    ],
    [
      'confirmed by an operator',
      'BG-101',
      () => makeOpening(world, { confirmedBy: other('operator') }, { by: ['supervisor', 'operator'] }),
    ],
    [
      'that gives a person another role',
      'BG-101',
      () => makeOpening(world, { confirmedBy: { id: CAST.approver.owner, role: 'supervisor' } }),
    ],
    ['for more minutes than the line allows', 'BG-102', () => makeOpening(world, { minutes: 61 })],
    ['for another plant', 'BG-102', () => makeOpening(world, { place: { ...PLACE, plant: 'P2', station: null } })],
    ['for another line', 'LS-502', () => makeOpening(world, { place: { ...PLACE, line: 'L2', station: null } })],
    ['for a station nobody enrolled', 'BG-102', () => makeOpening(world, { place: { ...PLACE, station: 'ST-77' } })],
    ['that names a rule twice', 'BG-102', () => makeOpening(world, { scope: ['openStop', 'openStop'] })],
    ['about another subject', 'BG-102', () => makeOpening(world, {}, { subject: 'cd'.repeat(32) })],
    [
      'begun too long ago',
      'LS-301',
      () => makeOpening(world, { openedAt: formatInstant(Date.UTC(2026, 2, 2, 6) - 10 * MINUTE_MS - 1) }),
    ],
    [
      'begun in the future',
      'LS-301',
      () => makeOpening(world, { openedAt: formatInstant(Date.UTC(2026, 2, 2, 6) + MINUTE_MS) }),
    ],
  ];

  it.each(cases)('%s: %s', async (_, code, make) => {
    const refused = await make();
    expect(await codeOf(world.line.submit(refused.envelope))).toBe(code);
    expect(await world.store.views.recentSiteRecords('break-glass-opening', 1)).toEqual([]);
    // The twin that is by the book.
    await open();
  });

  it('taken at the limits: the most minutes, and the second signature after ten minutes', async () => {
    await open({ minutes: 60, openedAt: formatInstant(world.clock.now() - 10 * MINUTE_MS) });
  });
});

describe('reseal and review are refused', () => {
  let opening: Signed<BreakGlassOpening>;
  beforeEach(async () => {
    opening = await open();
  });

  it.each([
    ['by the operator', 'BG-107', 'operator', {}],
    [
      'in the name of somebody else',
      'BG-107',
      'approver',
      { resealedBy: { id: CAST.supervisor.owner, role: 'supervisor' } },
    ],
    ['of an opening nobody knows', 'BG-106', 'supervisor', { openingId: '01900000-0000-7000-8000-ffffffffffff' }],
    ['of other bytes', 'BG-106', 'supervisor', { openingDigest: { sha256: 'ab'.repeat(32) } }],
    ['of another place', 'BG-106', 'supervisor', { place: { ...PLACE, station: CAST.station.owner } }],
  ] as const)('a reseal %s: %s', async (_, code, by, changes) => {
    expect(await codeOf(world.line.submit((await makeClosing(world, opening, changes, by)).envelope))).toBe(code);
    expect(await stateOf(opening)).toBe('open');
  });

  it('a second reseal, and a review before the reseal: BG-106', async () => {
    expect(await codeOf(world.line.submit((await makeReview(world, opening)).envelope))).toBe('BG-106');
    await world.line.submit((await makeClosing(world, opening)).envelope);
    expect(await codeOf(world.line.submit((await makeClosing(world, opening)).envelope))).toBe('BG-106');
  });

  it.each([
    ['by the approver who opened it', 'approver', {}],
    ['by a supervisor', 'supervisor', {}],
    [
      'in the name of somebody else',
      'secondApprover',
      { reviewedBy: { id: CAST.thirdApprover.owner, role: 'approver' } },
    ],
  ] as const)('a review %s: BG-107', async (_, by, changes) => {
    await world.line.submit((await makeClosing(world, opening)).envelope);
    expect(await codeOf(world.line.submit((await makeReview(world, opening, changes, by)).envelope))).toBe('BG-107');
    expect(await stateOf(opening)).toBe('resealed');
  });
});

// SPDX-License-Identifier: Apache-2.0
/** Who may stand where, and for how long: one person, one station, one open session (A5), across restarts of the line. */
import type { OperatorSession } from '@witnessmark/attestation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAST, STRANGER } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

const MINUTE_MS = 60_000;
const STRICT = {
  credentials: ['piv', 'badge-pin', 'software-key'] as ('piv' | 'badge-pin' | 'software-key')[],
  idleMinutes: 10,
  batchUnits: 2,
  maxWrongPins: 3,
  wrongPinsPerMinute: 10,
};
const HERE = CAST.station.owner;
const THERE = CAST.secondStation.owner;
const ANNA = CAST.operator.owner;
const BORIS = CAST.secondOperator.owner;

let world: World;
beforeEach(async () => {
  world = await World.open({ rules: { signIn: STRICT, refusalsPerMinute: 1000 } });
});
afterEach(() => world.close());

/** Signs in without clearing the way. */
async function begin(
  station: 'station' | 'secondStation' = 'station',
  operator: 'operator' | 'secondOperator' = 'operator',
  supersedes: string | null = null,
): Promise<Signed<OperatorSession>> {
  const at = new Date(world.clock.now());
  const session = {
    id: world.newId(),
    openedAt: at.toISOString(),
    expiresAt: new Date(at.getTime() + 8 * 60 * MINUTE_MS).toISOString(),
    ...(await world.sessionTerms(station)),
    supersedes: supersedes === null ? null : { sha256: supersedes },
  };
  const signed = await world.session({ session }, { station, operator });
  await world.line.submit(signed.envelope);
  return signed;
}

async function askPermit(session: Signed<OperatorSession>, device: number, station?: 'secondStation'): Promise<string> {
  const request = await world.permitRequest(toDevice(device), session, {}, station === undefined ? {} : { station });
  return world.line.requestPermit(request.envelope).then(
    () => 'granted',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function open(): Promise<readonly string[]> {
  return (await world.line.openSessions()).map(({ operator, station }) => `${operator} at ${station}`);
}

/** Reasons of the ends on record, in their order. */
async function endings(): Promise<readonly unknown[]> {
  return (await world.payloads())
    .filter(({ predicateType }) => String(predicateType).includes('session-end'))
    .map(({ predicate }) => (predicate as { reason: string }).reason);
}

describe('A5 two badges at one station', () => {
  it('LS-513: the second person waits until the first signs out', async () => {
    const first = await begin();
    expect(await codeOf(begin('station', 'secondOperator'))).toBe('LS-513');
    expect(await askPermit(first, 1)).toBe('granted');
    const [session] = await world.line.openSessions();
    await world.line.submit((await world.sessionEnd(session!)).envelope);
    const second = await begin('station', 'secondOperator');
    expect(await askPermit(second, 1)).toBe('granted');
    expect(await askPermit(first, 1)).toBe('LS-515');
    expect(await endings()).toEqual(['signedOut']);
  });

  it('is refused on record', async () => {
    await begin();
    await codeOf(begin('station', 'secondOperator'));
    const refusals = (await world.payloads()).filter(({ predicateType }) => String(predicateType).includes('refusal'));
    expect(refusals.map(({ predicate }) => predicate)).toMatchObject([{ code: 'LS-513', operatorId: BORIS }]);
  });

  it('is decided by the database when both come at once', async () => {
    const make = async (operator: 'operator' | 'secondOperator'): Promise<Signed<OperatorSession>> =>
      world.session({}, { operator });
    const both = [await make('operator'), await make('secondOperator')];
    const outcomes = await Promise.allSettled(both.map(({ envelope }) => world.line.submit(envelope)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({ code: 'LS-513' });
    expect(await open()).toHaveLength(1);
  });
});

describe('A5 one badge at two stations', () => {
  it('LS-514, until the holder ends the other session while signing in', async () => {
    const here = await begin();
    expect(await codeOf(begin('secondStation'))).toBe('LS-514');
    expect(await codeOf(begin('secondStation', 'operator', 'ab'.repeat(32)))).toBe('LS-514');
    expect(await askPermit(here, 1)).toBe('granted');
    const there = await begin('secondStation', 'operator', here.digest);
    expect(await open()).toEqual([`${ANNA} at ${THERE}`]);
    expect(await askPermit(here, 1)).toBe('LS-515');
    expect(await askPermit(there, 1, 'secondStation')).toBe('granted');
    expect(await endings()).toEqual(['superseded']);
  });

  it('or signs the end with their own card from anywhere', async () => {
    await begin();
    const [session] = await world.line.openSessions();
    const end = await world.sessionEnd(session!, {}, CAST.operator.key);
    await world.line.submit(end.envelope);
    await begin('secondStation');
    expect(await open()).toEqual([`${ANNA} at ${THERE}`]);
  });

  it('does not end somebody else by naming their session', async () => {
    const other = await begin('station', 'secondOperator');
    expect(await codeOf(begin('station', 'operator', other.digest))).toBe('LS-513');
    expect(await open()).toEqual([`${BORIS} at ${HERE}`]);
  });
});

describe('coming back', () => {
  it('is one open session, not two', async () => {
    const first = await begin();
    const again = await begin();
    expect(await open()).toEqual([`${ANNA} at ${HERE}`]);
    expect(await askPermit(first, 1)).toBe('LS-515');
    expect(await askPermit(again, 1)).toBe('granted');
    expect(await endings()).toEqual(['superseded']);
  });

  it('LS-511 after a pause, LS-512 after a batch; then the work goes on', async () => {
    const first = await begin();
    await world.provision(toDevice(1), first);
    world.clock.advance(STRICT.idleMinutes * MINUTE_MS);
    expect(await askPermit(first, 2)).toBe('granted');
    world.clock.advance(1);
    expect(await askPermit(first, 2)).toBe('LS-511');
    const second = await begin();
    await world.provision(toDevice(2), second);
    await world.begin(toDevice(3), second);
    expect(await askPermit(second, 4)).toBe('LS-512');
    const third = await begin();
    expect(await askPermit(third, 4)).toBe('granted');
    expect(await endings()).toEqual(['idle', 'batch']);
  });

  it('finishes the open unit of a session that has ended', async () => {
    const first = await begin();
    const intent = await world.begin(toDevice(1), first);
    const [session] = await world.line.openSessions();
    await world.line.submit((await world.sessionEnd(session!)).envelope);
    await world.line.submit((await world.event(intent)).envelope);
    expect((await world.store.views.unit(toDevice(1).deviceId))?.state).toBe('passed');
  });

  it('LS-512: two units cannot share the last place of a batch', async () => {
    const session = await begin();
    await world.provision(toDevice(1), session);
    const requests = [await world.permitRequest(toDevice(2), session), await world.permitRequest(toDevice(3), session)];
    const permits = [await world.permit(requests[0]!), await world.permit(requests[1]!)];
    const intents = [await world.intent(requests[0]!, permits[0]!), await world.intent(requests[1]!, permits[1]!)];
    const outcomes = await Promise.allSettled(
      intents.map(({ envelope }, index) => world.line.submit(envelope, { permit: permits[index]!.envelope })),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({ code: 'LS-512' });
  });

  it('lets the next person in when the one before has gone without signing out', async () => {
    await begin();
    world.clock.advance(STRICT.idleMinutes * MINUTE_MS + 1);
    await begin('station', 'secondOperator');
    expect(await open()).toEqual([`${BORIS} at ${HERE}`]);
    expect(await endings()).toEqual(['idle']);
  });
});

describe('a restart of the line', () => {
  it('forgets neither who is signed in, nor who was, nor how much they did', async () => {
    const first = await begin();
    const second = await begin();
    await world.provision(toDevice(1), second);
    await world.restart();
    expect(await askPermit(first, 2)).toBe('LS-515');
    expect(await codeOf(begin('station', 'secondOperator'))).toBe('LS-513');
    expect(await codeOf(begin('secondStation'))).toBe('LS-514');
    await world.provision(toDevice(2), second);
    expect(await askPermit(second, 3)).toBe('LS-512');
  });

  it('forgets challenges, which asks for another', async () => {
    const prepared = await world.session();
    await world.restart();
    expect(await codeOf(world.line.submit(prepared.envelope))).toBe('LS-516');
    await begin();
  });

  it('has in its views what the log says of each session', async () => {
    const first = await begin();
    await world.provision(toDevice(1), first);
    world.clock.advance(MINUTE_MS);
    const second = await begin();
    await world.restart();
    const opened = new Date(world.clock.now()).toISOString();
    expect(await world.store.views.sessionByDigest(first.digest)).toMatchObject({ state: 'ended', units: 1 });
    expect(await world.store.views.openSessionAt(HERE)).toMatchObject({
      payload_digest: second.digest,
      units: 0,
      last_used_at: opened,
    });
  });
});

describe('a challenge', () => {
  it('goes into one session, which may be sent again', async () => {
    const terms = await world.sessionTerms();
    const make = (): Promise<Signed<OperatorSession>> => {
      const openedAt = new Date(world.clock.now());
      const expiresAt = new Date(openedAt.getTime() + MINUTE_MS);
      const times = { openedAt: openedAt.toISOString(), expiresAt: expiresAt.toISOString() };
      return world.session({ session: { id: world.newId(), ...times, ...terms } });
    };
    const first = await make();
    const { index } = await world.line.submit(first.envelope);
    expect((await world.line.submit(first.envelope)).index).toBe(index);
    expect(await codeOf(world.line.submit((await make()).envelope))).toBe('LS-516');
  });

  it('is for one station and three minutes', async () => {
    const elsewhere = await world.sessionTerms('secondStation');
    const borrowed = await world.session({ session: { ...(await world.session()).predicate.session, ...elsewhere } });
    expect(await codeOf(world.line.submit(borrowed.envelope))).toBe('LS-516');
    const old = await world.session();
    world.clock.advance(3 * MINUTE_MS - 1);
    await world.line.submit(old.envelope);
    const older = await world.session();
    world.clock.advance(3 * MINUTE_MS);
    expect(await codeOf(world.line.submit(older.envelope))).toBe('LS-516');
  });

  it('is drawn for stations of the line alone', async () => {
    expect(await codeOf(world.line.sessionChallenge('ST-77'))).toBe('LS-502');
  });

  it('brings no ended session back', async () => {
    const first = await begin();
    await begin();
    const size = world.log.size;
    await world.line.submit(first.envelope);
    expect(world.log.size).toBe(size);
    expect(await askPermit(first, 1)).toBe('LS-515');
  });
});

describe('signing out', () => {
  const cases: readonly (readonly [
    string,
    string,
    (session: Parameters<World['sessionEnd']>[0]) => ReturnType<World['sessionEnd']>,
  ])[] = [
    ['by another station', 'LS-501', (session) => world.sessionEnd(session, {}, CAST.secondStation.key)],
    ['by another operator', 'LS-501', (session) => world.sessionEnd(session, {}, CAST.secondOperator.key)],
    ['by nobody enrolled', 'LS-502', (session) => world.sessionEnd(session, {}, STRANGER)],
    ['as idle, which the line says', 'LS-506', (session) => world.sessionEnd(session, { reason: 'idle' })],
    ['of a session nobody logged', 'LS-501', (session) => world.sessionEnd({ ...session, id: world.newId() })],
    ['under another digest', 'LS-501', (session) => world.sessionEnd({ ...session, digest: 'ab'.repeat(32) })],
    ['in the name of somebody else', 'LS-501', (session) => world.sessionEnd({ ...session, operator: BORIS })],
  ];

  it.each(cases)('%s is refused with %s', async (_, code, make) => {
    await begin();
    const [session] = await world.line.openSessions();
    expect(await codeOf(world.line.submit((await make(session!)).envelope))).toBe(code);
    expect(await open()).toHaveLength(1);
  });

  it('happens once (LS-515), and a retry is the same', async () => {
    await begin();
    const [session] = await world.line.openSessions();
    const end = await world.sessionEnd(session!);
    const { index } = await world.line.submit(end.envelope);
    expect((await world.line.submit(end.envelope)).index).toBe(index);
    expect(await codeOf(world.line.submit((await world.sessionEnd(session!)).envelope))).toBe('LS-515');
  });
});

describe('separation of roles', () => {
  it('LS-520: nobody makes units of a release they approved', async () => {
    const session = await begin();
    const [[id, release]] = [...world.releases.releases] as [[string, object]];
    world.releases.releases.set(id, { ...release, partakers: [ANNA] } as never);
    expect(await askPermit(session, 1)).toBe('LS-520');
    world.releases.releases.set(id, { ...release, partakers: [BORIS] } as never);
    expect(await askPermit(session, 1)).toBe('granted');
  });
});

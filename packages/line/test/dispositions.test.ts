// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '@witnessmark/core';
import type { Disposition, OperatorSession } from '@witnessmark/attestation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAST } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World, type Changes } from './support/world.ts';

const DEVICE = toDevice(1);
let world: World;
let session: Signed<OperatorSession>;
beforeEach(async () => {
  world = await World.open();
  session = await world.signIn();
});
afterEach(() => world.close());

/** A swapped label at the station, found by the line. */
async function swapLabel(): Promise<void> {
  const request = await world.permitRequest(DEVICE, session);
  const { identity } = request.predicate;
  const label = { raw: toDevice(2).serial, symbology: 'd2', serial: toDevice(2).serial, partNumber: null };
  const swapped = await world.permitRequest(DEVICE, session, { identity: { ...identity, label } });
  expect(await codeOf(world.line.requestPermit(swapped.envelope))).toBe('LS-101');
}

async function ask(number: number): Promise<string> {
  const { envelope } = await world.permitRequest(toDevice(number), session);
  return world.line.requestPermit(envelope).then(
    () => 'granted',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function decide(
  changes: Changes<Disposition> = {},
  options: Parameters<World['disposition']>[2] = {},
): Promise<string> {
  const { envelope } = await world.disposition(await world.onlyStop(), changes, options);
  return world.line.submit(envelope).then(
    () => 'decided',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('A1 a label that does not belong to the device', () => {
  it('stops the station, for every unit and over a restart, until a supervisor voids the label', async () => {
    await swapLabel();
    expect(await ask(1)).toBe('LS-503');
    expect(await ask(3)).toBe('LS-503');
    await world.restart();
    expect(await ask(3)).toBe('LS-503');
    expect(await decide({ action: 'voidLabel' })).toBe('decided');
    expect(await world.line.openStops()).toEqual([]);
    // With the right label the device is as good as any.
    expect(await ask(1)).toBe('granted');
  });

  it('stops no other station', async () => {
    await swapLabel();
    const there = await world.signIn('secondStation', 'secondOperator');
    await world.permit(await world.permitRequest(toDevice(3), there, {}, { station: 'secondStation' }));
  });

  it('puts the board aside for good when a supervisor says so, although it never had an event', async () => {
    await swapLabel();
    expect(await decide({ action: 'quarantineUnit' })).toBe('decided');
    expect(await ask(3)).toBe('granted');
    expect(await ask(1)).toBe('HD-02');
    await world.restart();
    expect(await ask(1)).toBe('HD-02');
  });

  it('A71 ends the board when a supervisor scraps it', async () => {
    await swapLabel();
    expect(await decide({ action: 'scrapUnit' })).toBe('decided');
    expect(await ask(1)).toBe('LS-103');
    expect((await world.line.openStops()).map(({ code }) => code)).toEqual(['LS-103']);
    expect(await decide({ action: 'releaseStation' })).toBe('decided');
    expect(await ask(1)).toBe('LS-103');
  });

  it('I11 A71 a unit that had passed is what the decision made of it, in the views as in the log', async () => {
    await world.provision(DEVICE, session);
    for (const action of ['quarantineUnit', 'scrapUnit'] as const) {
      const state = action === 'scrapUnit' ? 'scrapped' : 'quarantined';
      await world.line.submit(
        (await world.stationRefusal({ code: 'LS-102', kind: 'LINE_STOP', deviceId: DEVICE.deviceId })).envelope,
      );
      expect(await decide({ action })).toBe('decided');
      expect((await world.line.unit(DEVICE.deviceId))?.state).toBe(state);
    }
    await world.line.submit(
      (await world.stationRefusal({ code: 'LS-102', kind: 'LINE_STOP', deviceId: DEVICE.deviceId })).envelope,
    );
    // Scrap stays scrap.
    expect(await decide({ action: 'quarantineUnit' })).toBe('LS-507');
    expect((await world.line.unit(DEVICE.deviceId))?.state).toBe('scrapped');
  });

  it('a unit that a station works on is not taken from under it', async () => {
    await world.begin(DEVICE, session);
    await world.line.submit(
      (await world.stationRefusal({ code: 'LS-102', kind: 'LINE_STOP', deviceId: DEVICE.deviceId })).envelope,
    );
    expect(await decide({ action: 'scrapUnit' })).toBe('LS-507');
    expect(await decide({ action: 'releaseStation' })).toBe('decided');
  });

  it('may also be found by the station itself', async () => {
    const refusal = await world.stationRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: DEVICE.deviceId });
    await world.line.submit(refusal.envelope);
    expect(await ask(3)).toBe('LS-503');
    expect(await decide({ action: 'voidLabel' })).toBe('decided');
    expect(await ask(3)).toBe('granted');
  });
});

describe('a decision', () => {
  beforeEach(swapLabel);

  const cases: readonly (readonly [string, string, () => Promise<string>])[] = [
    ['"continue" does not exist', 'LS-507', () => decide({ action: 'releaseStation' })],
    ['nor does another try', 'LS-507', () => decide({ action: 'allowRetry' })],
    ['by an operator', 'LS-507', () => decide({}, { by: 'operator' })],
    ['by a station', 'LS-507', () => decide({}, { by: 'station' })],
    ['by an approver', 'LS-507', () => decide({}, { by: 'approver' })],
    ['in the name of somebody else', 'LS-507', () => decide({ decidedBy: { id: 'sv-other', role: 'supervisor' } })],
    ['with the card of somebody else', 'LS-507', () => decide({}, { signer: CAST.operator.key })],
    ['about another refusal', 'LS-507', () => decide({ refusalId: '01900000-0000-7000-8000-ffffffffffff' })],
    ['about other bytes', 'LS-507', () => decide({ refusalDigest: { sha256: 'ab'.repeat(32) } })],
    ['under another code', 'LS-507', () => decide({ code: 'LS-102' })],
    ['under a code nobody decides about', 'LS-507', () => decide({ code: 'LS-201' })],
    ['under the code of a hold', 'LS-507', () => decide({ code: 'HD-02' })],
    ['about another device', 'LS-507', () => decide({ deviceId: toDevice(2).deviceId })],
    ['about no device', 'LS-507', () => decide({ deviceId: null })],
    ['about another station', 'LS-507', () => decide({ station: { id: 'ST-2', line: 'L1' } })],
    ['for another line', 'LS-502', () => decide({ station: { id: 'ST-1', line: 'L2' } })],
    ['whose subject is something else', 'LS-507', () => decide({}, { subject: 'cd'.repeat(32) })],
    ['made an hour ago', 'LS-301', () => decide({ decidedAt: new Date(world.clock.now() - 3_600_000).toISOString() })],
  ];

  it.each(cases)('%s: %s', async (_, code, run) => {
    expect(await run()).toBe(code);
    expect(await ask(3)).toBe('LS-503');
  });

  it('is made once', async () => {
    const stop = await world.onlyStop();
    const decisions = [
      await world.disposition(stop, { action: 'voidLabel' }),
      await world.disposition(stop, { action: 'quarantineUnit' }),
    ];
    const outcomes = await Promise.allSettled(decisions.map(({ envelope }) => world.line.submit(envelope)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'LS-507' } });
    expect(await ask(1)).toBe('granted');
  });
});

describe('a decision by whoever worked at the station', () => {
  it('is refused: LS-507', async () => {
    // The supervisor's name as operator of the refusal.
    const refusal = await world.stationRefusal({
      code: 'LS-101',
      kind: 'LINE_STOP',
      deviceId: DEVICE.deviceId,
      operatorId: CAST.supervisor.owner,
    });
    await world.line.submit(refusal.envelope);
    expect(await decide({ action: 'voidLabel' })).toBe('LS-507');
  });
});

describe('a unit on hold', () => {
  async function hold(): Promise<Parameters<World['disposition']>[0]> {
    const { envelope } = await world.provision(DEVICE, session, { outcome: 'INDETERMINATE', code: 'UF-06' });
    expect(await world.line.unit(DEVICE.deviceId)).toMatchObject({ state: 'held' });
    expect(await ask(1)).toBe('HD-02');
    expect(await world.line.openStops()).toEqual([]);
    expect(await ask(2)).toBe('granted');
    const digest = sha256Hex(envelope.payload);
    const event = await world.store.views.eventByDigest(digest);
    return {
      refusalId: event!.event_id,
      refusalDigest: { sha256: digest },
      code: 'HD-02',
      deviceId: DEVICE.deviceId,
      station: 'ST-1',
    };
  }

  it.each([
    ['allowRetry', 'open', 'granted'],
    ['quarantineUnit', 'quarantined', 'HD-02'],
    ['scrapUnit', 'scrapped', 'LS-103'],
  ] as const)('after %s is %s', async (action, state, answer) => {
    const { envelope } = await world.disposition(await hold(), { action });
    await world.line.submit(envelope);
    expect(await world.line.unit(DEVICE.deviceId)).toMatchObject({ state });
    expect(await ask(1)).toBe(answer);
  });

  it('is decided about once, by its last event, and not by releasing a station', async () => {
    const about = await hold();
    const submit = async (changes: Changes<Disposition>): Promise<string> =>
      codeOf(world.line.submit((await world.disposition(about, changes)).envelope));
    expect(await submit({ action: 'releaseStation' })).toBe('LS-507');
    expect(await submit({ code: 'HD-03', action: 'allowRetry' })).toBe('LS-507');
    const chain = await world.store.views.chain(DEVICE.deviceId);
    const earlier = { refusalId: chain[0]!.event_id, refusalDigest: { sha256: chain[0]!.payload_digest } };
    expect(await submit({ ...earlier, action: 'allowRetry' })).toBe('LS-507');
    const decisions = [
      await world.disposition(about, { action: 'quarantineUnit' }),
      await world.disposition(about, { action: 'allowRetry' }),
    ];
    const outcomes = await Promise.allSettled(decisions.map(({ envelope }) => world.line.submit(envelope)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await world.line.unit(DEVICE.deviceId)).toMatchObject({ state: 'quarantined' });
  });
});

describe('a refusal reported by a station', () => {
  const cases: readonly (readonly [string, string, () => Promise<string>])[] = [
    ['is logged', 'logged', () => report({})],
    [
      'about its wrong clock is logged whatever it is dated',
      'logged',
      () => report({ code: 'LS-301', kind: 'LINE_STOP', refusedAt: '2030-01-01T00:00:00.000Z' }),
    ],
    ['from the future is not', 'LS-301', () => report({ refusedAt: '2030-01-01T00:00:00.000Z' })],
    ['delivered late is logged', 'logged', () => report({ refusedAt: '2026-03-01T00:00:00.000Z' })],
    ['in the name of another station is not', 'LS-502', () => report({ station: { id: 'ST-2', line: 'L1' } })],
    ['for another line is not', 'LS-502', () => report({ station: { id: 'ST-1', line: 'L2' } })],
    ['with a code nobody knows is not', 'LS-506', () => report({ code: 'LS-999' })],
    ['that makes less of its code is not', 'LS-506', () => report({ code: 'LS-101', kind: 'UNIT_FAIL' })],
    ['about something else than its subject is not', 'LS-506', () => report({}, { subject: DEVICE.deviceId })],
    ['by another line is not', 'LS-502', () => report({}, { station: 'otherLineStation' })],
  ];

  it.each(cases)('%s: %s', async (_, expected, run) => {
    expect(await run()).toBe(expected);
  });

  it.each(['LS-201', 'LS-205', 'LS-301', 'LS-304', 'LS-501', 'UF-03', 'HD-02'] as const)(
    'with %s stops nothing that a decision could lift',
    async (code) => {
      const kind = code.startsWith('LS') ? 'LINE_STOP' : code.startsWith('UF') ? 'UNIT_FAIL' : 'HOLD';
      expect(await report({ code, kind })).toBe('logged');
      expect(await world.line.openStops()).toEqual([]);
      expect(await ask(1)).toBe('granted');
    },
  );

  async function report(...args: Parameters<World['stationRefusal']>): Promise<string> {
    const { envelope } = await world.stationRefusal(...args);
    return world.line.submit(envelope).then(
      () => 'logged',
      (error: unknown) => (error as { code: string }).code,
    );
  }
});

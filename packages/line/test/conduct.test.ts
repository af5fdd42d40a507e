// SPDX-License-Identifier: Apache-2.0
/** How a station conducts itself: units that fail in a row, units that are tried again, and what is counted. */
import {
  provisioningIntent,
  type OperatorSession,
  type ProvisioningEvent,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { afterEach, describe, expect, it } from 'vitest';
import type { LineRules } from '../src/index.ts';
import { CAST } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World, type Changes } from './support/world.ts';

let world: World;
let session: Signed<OperatorSession>;
afterEach(() => world.close());

async function open(rules: Partial<LineRules> = {}): Promise<void> {
  world = await World.open({ rules: { maxFailuresInRow: 3, ...rules } });
  session = await world.signIn();
}

/** One pass of a device in a slot, as far as the line lets it. */
async function pass(
  number: number,
  changes: Changes<ProvisioningEvent> = {},
  { slot, retestReason, station = 'station' }: Pass = {},
): Promise<string> {
  const request = await world.permitRequest(
    toDevice(number),
    station === 'station' ? session : await world.signIn('secondStation', 'secondOperator'),
    { ...(slot !== undefined && { slot }), ...(retestReason !== undefined && { retestReason }) },
    { station },
  );
  const asked = await world.permit(request).catch((error: unknown) => (error as { code: string }).code);
  if (typeof asked === 'string') return asked;
  const begun = await world.intent(request, asked, {}, { station });
  const intent = await world.sign(
    provisioningIntent,
    { name: 'device', digest: { sha256: toDevice(number).deviceId } },
    {
      ...begun.predicate,
      event: { ...begun.predicate.event, reason: retestReason ?? null },
      station: { ...begun.predicate.station, ...(slot !== undefined && { slot }) },
    } satisfies ProvisioningIntent,
    CAST[station].key,
  );
  await world.line.submit(intent.envelope, { permit: asked.envelope });
  const event = await world.event(intent, changes, { station });
  await world.line.submit(event.envelope);
  return event.predicate.outcome;
}

interface Pass {
  readonly slot?: number;
  readonly retestReason?: string;
  readonly station?: 'station' | 'secondStation';
}

const BAD = { outcome: 'FAILED', code: 'UF-03' } as const satisfies Changes<ProvisioningEvent>;
const HELD = { outcome: 'INDETERMINATE', code: 'HD-02' } as const satisfies Changes<ProvisioningEvent>;

async function release(): Promise<string> {
  const { envelope } = await world.disposition(await world.onlyStop(), { action: 'releaseStation' });
  return world.line.submit(envelope).then(
    () => 'released',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('LS-601, A25: units that fail one after the other', () => {
  it('stops the station after the third, over a restart, until a supervisor lets it go on; then counts anew', async () => {
    await open();
    for (const number of [1, 2, 3]) expect(await pass(number, BAD, { slot: 2 })).toBe('FAILED');
    expect(await pass(4)).toBe('LS-601');
    const { stop } = await world.onlyStop();
    expect(stop.code).toBe('LS-601');
    await world.restart();
    expect(await pass(4)).toBe('LS-503');
    const about = await world.onlyStop();
    const byOperator = await world.disposition(about, { action: 'releaseStation' }, { by: 'operator' });
    expect(await codeOf(world.line.submit(byOperator.envelope))).toBe('LS-507');
    const { envelope } = await world.disposition(about, { action: 'releaseStation' });
    await world.line.submit(envelope);
    for (const number of [5, 6]) expect(await pass(number, BAD)).toBe('FAILED');
    expect(await pass(7)).toBe('SUCCEEDED');
  });

  it('names the slots, so that one bad contact shows', async () => {
    await open();
    await pass(1, BAD, { slot: 2 });
    await pass(2, BAD, { slot: 2 });
    await pass(3, { ...BAD, code: 'UF-02' }, { slot: 2 });
    await pass(4);
    const payloads = await world.payloads();
    const last = payloads.at(-1) as { predicate: { code: string; observed: string } };
    expect(last.predicate.code).toBe('LS-601');
    expect(last.predicate.observed).toBe('UF-02 in slot 2, UF-03 in slot 2, UF-03 in slot 2');
  });

  it('counts neither two failures, nor three with a good unit between them, nor units on hold', async () => {
    await open();
    await pass(1, BAD);
    await pass(2, BAD);
    expect(await pass(3)).toBe('SUCCEEDED');
    await pass(4, BAD);
    await pass(5, BAD);
    expect(await pass(6, HELD)).toBe('INDETERMINATE');
    expect(await pass(7)).toBe('SUCCEEDED');
  });

  it('counts a unit that fails again and again once', async () => {
    await open({ maxAttempts: 10 });
    for (let attempt = 1; attempt <= 5; attempt += 1) expect(await pass(1, BAD)).toBe('FAILED');
    expect(await pass(2, BAD)).toBe('FAILED');
    expect(await pass(3, BAD)).toBe('FAILED');
    expect(await pass(4)).toBe('LS-601');
  });

  it('counts boards that did not name themselves, which the station refused', async () => {
    await open();
    for (let scan = 1; scan <= 3; scan += 1) await world.line.submit((await world.stationRefusal()).envelope);
    expect(await pass(1)).toBe('LS-601');
    expect(await release()).toBe('released');
    expect(await pass(1)).toBe('SUCCEEDED');
  });

  it('is a matter of one station, and of the rules', async () => {
    await open();
    for (const number of [1, 2, 3]) await pass(number, BAD);
    expect(await pass(4, {}, { station: 'secondStation' })).toBe('SUCCEEDED');
    await world.close();
    await open({ maxFailuresInRow: 0 });
    for (const number of [1, 2, 3, 4]) await pass(number, BAD);
    expect(await pass(5)).toBe('SUCCEEDED');
  });
});

describe('A6: a unit that is tried again', () => {
  it('LS-607 has a reason where the rules ask for one, and the reason is in its record', async () => {
    await open({ retest: { needsReason: true, maxAttemptsPerStation: 100 } });
    expect(await pass(1, BAD)).toBe('FAILED');
    expect(await pass(1)).toBe('LS-607');
    expect(await pass(1, {}, { retestReason: 'reseated' })).toBe('SUCCEEDED');
    const intents = (await world.payloads()).filter(({ predicateType }) => String(predicateType).includes('intent'));
    const reasons = intents.map(({ predicate }) => (predicate as ProvisioningIntent).event.reason);
    expect(reasons).toEqual([null, 'reseated']);
  });

  it('LS-608 goes to another station for the next attempt when one station has had its share', async () => {
    await open({ retest: { needsReason: false, maxAttemptsPerStation: 2 } });
    expect(await pass(1, BAD)).toBe('FAILED');
    expect(await pass(1, BAD)).toBe('FAILED');
    expect(await pass(1)).toBe('LS-608');
    expect(await pass(2)).toBe('SUCCEEDED');
    expect(await pass(1, {}, { station: 'secondStation' })).toBe('SUCCEEDED');
  });

  it('is counted by station, slot and shift, first attempts apart', async () => {
    await open({ maxAttempts: 10 });
    await pass(1, BAD, { slot: 1 });
    await pass(1, BAD, { slot: 2 });
    await pass(1, {}, { slot: 1 });
    await pass(2, HELD, { slot: 2 });
    await world.line.submit((await world.stationRefusal({ station: { id: 'ST-1', line: 'L1', slot: 2 } })).envelope);
    const [first] = (await world.line.stationTallies()).filter(({ station }) => station === 'ST-1');
    const none = { begun: 0, retests: 0, passed: 0, failed: 0, held: 0, aborted: 0, refused: 0 };
    expect(first?.slots).toEqual([
      { ...none, slot: 1, begun: 2, retests: 1, passed: 1, failed: 1, failures: [{ code: 'UF-03', count: 1 }] },
      {
        ...none,
        slot: 2,
        begun: 2,
        retests: 1,
        failed: 1,
        held: 1,
        refused: 1,
        failures: ['HD-02', 'UF-01', 'UF-03'].map((code) => ({ code, count: 1 })),
      },
    ]);
    world.clock.advance(13 * 3_600_000);
    expect((await world.line.stationTallies()).map(({ slots }) => slots)).toEqual(
      (await world.line.stationTallies()).map(() => []),
    );
  });
});

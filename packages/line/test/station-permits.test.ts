// SPDX-License-Identifier: Apache-2.0
import type { OperatorSession, StationStart } from '@witnessmark/attestation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { after, logBuild, logStart, makeStart } from './support/starts.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

const HOUR_MS = 3_600_000;
const OTHER = { sha256: 'dd'.repeat(32) };

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

describe('permits of stations that are measured', () => {
  let session: Signed<OperatorSession>;

  async function open(maxMeasurementAgeMs = 24 * HOUR_MS): Promise<void> {
    await world.close();
    world = await World.open({ rules: { stations: { measured: 'required', maxMeasurementAgeMs } } });
    session = await world.signIn();
    const { digest } = await logBuild(world);
    build = { digest: { sha256: digest }, version: 1 };
  }
  let build: NonNullable<StationStart['build']>;

  async function ask(startDigest: string | null, number = 1): Promise<string> {
    const named = startDigest === null ? {} : { station: { startDigest: { sha256: startDigest } } };
    const { envelope } = await world.permitRequest(toDevice(number), session, named);
    return world.line.requestPermit(envelope).then(
      () => 'granted',
      (error: unknown) => (error as { code: string }).code,
    );
  }

  it('are given to the newest start alone (LS-408, LS-409)', async () => {
    await open();
    expect(await ask(null)).toBe('LS-408');
    expect(await ask(OTHER.sha256)).toBe('LS-408');
    const first = await logStart(world, { build });
    expect(await ask(first.digest)).toBe('granted');
    const second = await logStart(world, { ...after(first), build });
    expect(await ask(first.digest, 2)).toBe('LS-409');
    expect(await ask(null, 3)).toBe('LS-408');
    expect(await ask(second.digest, 4)).toBe('granted');
  });

  it('are not given on an old measurement (LS-408)', async () => {
    await open(HOUR_MS / 2);
    const { digest } = await logStart(world, { build });
    world.clock.advance(HOUR_MS / 2);
    session = await world.signIn();
    expect(await ask(digest)).toBe('granted');
    world.clock.advance(1);
    expect(await ask(digest, 2)).toBe('LS-408');
  });

  it('are not given without an approved build (LS-404)', async () => {
    await open();
    expect(await codeOf(world.line.submit((await makeStart(world, {}, { station: 'secondStation' })).envelope))).toBe(
      'LS-404',
    );
  });

  it('go on being asked for a start where one was given, though the rules leave it open', async () => {
    session = await world.signIn();
    expect(await ask(null)).toBe('granted');
    const { digest } = await logStart(world);
    expect(await ask(null, 2)).toBe('LS-408');
    expect(await ask(digest, 3)).toBe('granted');
  });

  it('cover an intent of the same start and no other (LS-504)', async () => {
    session = await world.signIn();
    const { digest } = await logStart(world);
    const startDigest = { sha256: digest };
    const request = await world.permitRequest(toDevice(1), session, { station: { startDigest } });
    const permit = await world.permit(request);
    expect(permit.predicate.startDigest).toEqual(startDigest);
    const bare = await world.intent(request, permit);
    expect(await codeOf(world.line.submit(bare.envelope, { permit: permit.envelope }))).toBe('LS-504');
    const station = { ...bare.predicate.station, startDigest };
    const intent = await world.intent(request, permit, { station });
    await world.line.submit(intent.envelope, { permit: permit.envelope });
    // What was begun is finished, though the station was measured anew meanwhile; and under its own start.
    await logStart(world, {
      ...after({ digest, index: 1 }),
      known: { head: null, lastReceipt: null, pending: [intent.digest] },
    });
    const other = await world.event(intent, { station: bare.predicate.station });
    expect(await codeOf(world.line.submit(other.envelope))).toBe('LS-506');
    await world.line.submit((await world.event(intent)).envelope);
  });
});

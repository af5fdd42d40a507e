// SPDX-License-Identifier: Apache-2.0
import { STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import type { OperatorSession } from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAST, PLACE, STRANGER, toTrustedRoot } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World, type Changes } from './support/world.ts';

let world: World;
let session: Signed<OperatorSession>;
beforeAll(async () => {
  world = await World.open({ rules: { refusalsPerMinute: 1000 } });
  session = await world.signIn();
});
afterAll(() => world.close());

describe('whoever signs', () => {
  it('is the station, whatever the statement claims', async () => {
    const { predicate } = await world.permit(await world.permitRequest(toDevice(1), session));
    expect(predicate.station).toEqual({ id: CAST.station.owner, ...PLACE });
  });

  const cases: readonly (readonly [string, (envelope: Envelope) => Envelope | Promise<Envelope>])[] = [
    ['nobody enrolled', ({ payloadType, payload }) => signEnvelope(payloadType, payload, [STRANGER])],
    [
      'a station whose key ran out',
      ({ payloadType, payload }) => signEnvelope(payloadType, payload, [CAST.expiredStation.key]),
    ],
    [
      'a station of another line',
      ({ payloadType, payload }) => signEnvelope(payloadType, payload, [CAST.otherLineStation.key]),
    ],
    ['an operator', ({ payloadType, payload }) => signEnvelope(payloadType, payload, [CAST.operator.key])],
    ['the line itself', ({ payloadType, payload }) => signEnvelope(payloadType, payload, [CAST.evidence.key])],
    [
      'two at once',
      ({ payloadType, payload }) => signEnvelope(payloadType, payload, [CAST.station.key, CAST.secondStation.key]),
    ],
    ['a key under the id of another', (envelope) => forge(envelope)],
    [
      'a key without an id',
      (envelope) => ({ ...envelope, signatures: [{ keyid: '', sig: envelope.signatures[0]!.sig }] }),
    ],
    [
      'nobody any more: the payload was changed',
      (envelope) => ({ ...envelope, payload: changeLastByte(envelope.payload) }),
    ],
    ['a statement of another type', ({ payload }) => signEnvelope('text/plain', payload, [CAST.station.key])],
  ];

  it.each(cases)('LS-502 when the signer is %s', async (_, change) => {
    const { envelope } = await world.permitRequest(toDevice(2), session);
    expect(await codeOf(world.line.requestPermit(await change(envelope)))).toBe('LS-502');
    const { envelope: refusal } = await world.stationRefusal();
    expect(await codeOf(world.line.submit(await change(refusal)))).toBe('LS-502');
  });

  it('LS-502 for a station that was removed from the trusted root of the repository', async () => {
    const request = await world.permitRequest(toDevice(3), session, {}, { station: 'secondStation' });
    world.releases.trustedRoot = toTrustedRoot(2, ['secondStation']);
    // Taken over with the releases, so from the next permit on.
    await world.permit(await world.permitRequest(toDevice(4), session));
    expect(await codeOf(world.line.requestPermit(request.envelope))).toBe('LS-502');
    // An older trusted root brings nobody back.
    world.releases.trustedRoot = toTrustedRoot(1);
    await world.permit(await world.permitRequest(toDevice(5), session));
    expect(await codeOf(world.line.requestPermit(request.envelope))).toBe('LS-502');
  });

  it('LS-506 for a validly signed text that is no statement', async () => {
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, new Uint8Array([0x7b]), [CAST.station.key]);
    expect(await codeOf(world.line.requestPermit(envelope))).toBe('LS-506');
    expect(await codeOf(world.line.submit(envelope))).toBe('LS-506');
    const { envelope: request } = await world.permitRequest(toDevice(6), session);
    expect(await codeOf(world.line.submit(request))).toBe('LS-506');
    expect(await codeOf(world.line.requestPermit((await world.stationRefusal()).envelope))).toBe('LS-506');
  });
});

describe('signing in', () => {
  it('takes an operator with the card that signs', async () => {
    await world.signOut(CAST.station.owner, CAST.operator.owner);
    const { index } = await world.line.submit((await world.session()).envelope);
    expect(await world.store.views.sessionByDigest((await world.session()).digest)).toBeUndefined();
    expect(index).toBeGreaterThan(0);
  });

  const hours = (count: number): string => new Date(world.clock.now() + count * 3_600_000).toISOString();
  const operator = {
    id: CAST.operator.owner,
    role: 'operator',
    credentialKeyDigest: { sha256: CAST.operator.key.publicKey.keyid },
  };
  const cases: readonly (readonly [string, string, () => Promise<Signed<OperatorSession>>])[] = [
    [
      'with a card of another role',
      'LS-501',
      () => world.session({ operator: { ...operator, id: 'sv-kim' } }, { operator: 'supervisor' }),
    ],
    ['with the card of somebody else', 'LS-501', () => world.session({}, { signer: CAST.secondOperator.key })],
    [
      'under the name of somebody else',
      'LS-501',
      () => world.session({ operator: { ...operator, id: CAST.secondOperator.owner } }),
    ],
    [
      'with a statement about another card',
      'LS-501',
      () => world.session({ operator: { ...operator, credentialKeyDigest: { sha256: 'ab'.repeat(32) } } }),
    ],
    [
      'for longer than a shift',
      'LS-501',
      () => signedIn({ expiresAt: new Date(world.clock.now() + 12 * 3_600_000 + 1).toISOString() }),
    ],
    ['for no time at all', 'LS-501', () => signedIn({ expiresAt: hours(0) })],
    ['with a clock an hour ahead', 'LS-301', () => signedIn({ openedAt: hours(1), expiresAt: hours(2) })],
    [
      'as if it had begun before its challenge was drawn',
      'LS-516',
      () => signedIn({ openedAt: hours(-1), expiresAt: hours(1) }),
    ],
    ['without a challenge of the line', 'LS-516', () => signedIn({ challenge: 'ab'.repeat(32) })],
    ['for a longer pause than the line allows', 'LS-501', () => signedIn({ idleMinutes: 12 * 60 + 1 })],
    ['for more units than the line allows', 'LS-501', () => signedIn({ batchUnits: 1001 })],
    ['with a file, as if it were a card', 'LS-519', () => world.session({ credential: { kind: 'piv' } })],
    [
      'by the word of a person, as if it were a badge',
      'LS-501',
      () => world.session({ credential: { kind: 'badge-pin', badgeDigest: { sha256: 'ab'.repeat(32) } } }),
    ],
    ['at a station of another line', 'LS-502', () => world.session({ station: { id: 'ST-9', line: 'L2' } })],
    ['at a station nobody enrolled', 'LS-502', () => world.session({ station: { id: 'ST-77', line: PLACE.line } })],
    ['at a station whose key ran out', 'LS-502', () => world.session({ station: { id: 'ST-3', line: PLACE.line } })],
  ];

  it.each(cases)('%s is refused with %s', async (_, code, sign) => {
    expect(await codeOf(world.line.submit((await sign()).envelope))).toBe(code);
  });

  it('lasts exactly a shift at most', async () => {
    const expiresAt = new Date(world.clock.now() + 12 * 3_600_000).toISOString();
    await world.signOut(CAST.station.owner, CAST.operator.owner);
    await world.line.submit((await signedIn({ expiresAt })).envelope);
  });

  async function signedIn(times: Changes<OperatorSession['session']>): Promise<Signed<OperatorSession>> {
    const terms = await world.sessionTerms();
    return world.session({
      session: { id: world.newId(), openedAt: hours(0), expiresAt: hours(8), ...terms, ...times },
    });
  }
});

function changeLastByte(payload: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(payload);
  changed[changed.length - 1] = changed[changed.length - 1] === 0x7d ? 0x20 : 0x7d;
  return changed;
}

async function forge(envelope: Envelope): Promise<Envelope> {
  const { signatures } = await signEnvelope(envelope.payloadType, envelope.payload, [CAST.secondStation.key]);
  return { ...envelope, signatures: [{ keyid: CAST.station.key.publicKey.keyid, sig: signatures[0]!.sig }] };
}

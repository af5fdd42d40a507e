// SPDX-License-Identifier: Apache-2.0
/** Badge and PIN: checked and vouched for by the line alone, counted on disk, locked on record. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatInstant } from '@witnessmark/core';
import { badgeEvent, badgeSignIn, type BadgeEvent, type BadgeSignIn } from '@witnessmark/attestation';
import type { Signer } from '@witnessmark/custody';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadgeFiles, badgeDigest, makePinRecord } from '../src/index.ts';
import { CAST, PLACE } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

const BADGE = '3310';
const PIN = '284917';
const LEE = 'op-lee';
const DIGEST = badgeDigest(PLACE.line, BADGE);

let world: World;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wm-badges-'));
  world = await World.open({ rules: { refusalsPerMinute: 1000 }, line: { badges: new BadgeFiles(directory) } });
});
afterEach(async () => {
  await world.close();
  rmSync(directory, { recursive: true });
});

async function decide(
  action: BadgeEvent['action'],
  changes: Partial<BadgeEvent> = {},
  signer: Signer = CAST.supervisor.key,
): Promise<Signed<BadgeEvent>> {
  const [known] = (await world.line.badges()).filter((badge) => badge.badgeDigest === DIGEST);
  const event: BadgeEvent = {
    id: world.newId(),
    action,
    person: LEE,
    badgeDigest: { sha256: DIGEST },
    enrolmentId: action === 'enrol' ? null : (known?.id ?? world.newId()),
    pinRecordDigest: null,
    line: PLACE.line,
    decidedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
    reason: 'test',
    at: formatInstant(world.clock.now()),
    ...changes,
  };
  return world.sign(badgeEvent, { name: 'badge', digest: event.badgeDigest }, event, signer);
}

async function enrol(changes: Partial<BadgeEvent> = {}): Promise<void> {
  const { digest, bytes } = await makePinRecord(DIGEST, PIN, new Uint8Array(16).fill(7));
  await new BadgeFiles(directory).keep(digest, bytes);
  await world.line.submit((await decide('enrol', { pinRecordDigest: { sha256: digest }, ...changes })).envelope);
}

async function request(
  changes: Partial<BadgeSignIn> = {},
  signer: Signer = CAST.station.key,
): Promise<Signed<BadgeSignIn>> {
  const asked: BadgeSignIn = {
    requestId: world.newId(),
    badge: BADGE,
    station: { id: CAST.station.owner, line: PLACE.line },
    endsOther: false,
    durationMinutes: 480,
    requestedAt: formatInstant(world.clock.now()),
    ...changes,
  };
  return world.sign(badgeSignIn, { name: 'station', digest: { sha256: signer.publicKey.keyid } }, asked, signer);
}

async function signIn(pin = PIN, changes: Partial<BadgeSignIn> = {}, signer?: Signer): Promise<string> {
  const { envelope } = await request(changes, signer);
  return world.line.signInWithBadge(envelope, pin).then(
    () => 'signed in',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function open(): Promise<readonly string[]> {
  return (await world.line.openSessions()).map(
    ({ operator, station, credential }) => `${operator} ${station} ${credential}`,
  );
}

describe('a badge', () => {
  it('opens a session that the line signs and that says so', async () => {
    await enrol();
    const { envelope } = await world.line.signInWithBadge((await request()).envelope, PIN);
    expect(envelope.signatures.map(({ keyid }) => keyid)).toEqual([CAST.evidence.key.publicKey.keyid]);
    expect(await open()).toEqual([`${LEE} ${CAST.station.owner} badge-pin`]);
    const [session] = (await world.payloads()).filter(({ predicateType }) =>
      String(predicateType).includes('operator-session'),
    );
    expect(session?.['predicate']).toMatchObject({
      operator: { id: LEE, credentialKeyDigest: { sha256: CAST.evidence.key.publicKey.keyid } },
      credential: { kind: 'badge-pin', badgeDigest: { sha256: DIGEST } },
    });
    expect(JSON.stringify(await world.payloads())).not.toMatch(new RegExp(`"${BADGE}"|${PIN}`));
  });

  it('makes units like a card, under its own grade', async () => {
    await enrol();
    await signIn();
    const [session] = await world.line.openSessions();
    const row = await world.store.views.sessionByDigest(session!.digest);
    const statement = await world.line.openSessions();
    expect(statement).toHaveLength(1);
    const signed = {
      digest: session!.digest,
      predicate: {
        session: { openedAt: session!.openedAt },
        operator: { id: LEE, role: 'operator', credentialKeyDigest: { sha256: row!.credential_key_digest } },
        credential: { kind: 'badge-pin' },
      },
    } as never;
    await world.provision(toDevice(1), signed);
    expect((await world.line.openSessions())[0]?.units).toBe(1);
  });

  it('is the same session for a request that is repeated', async () => {
    await enrol();
    const { envelope } = await request();
    const first = await world.line.signInWithBadge(envelope, PIN);
    expect((await world.line.signInWithBadge(envelope, PIN)).index).toBe(first.index);
  });

  it('A5 is at one station, unless its holder ends the other session', async () => {
    await enrol();
    await signIn();
    const there = { station: { id: CAST.secondStation.owner, line: PLACE.line } };
    expect(await signIn(PIN, there, CAST.secondStation.key)).toBe('LS-514');
    expect(await signIn(PIN, { ...there, endsOther: true }, CAST.secondStation.key)).toBe('signed in');
    expect(await open()).toEqual([`${LEE} ${CAST.secondStation.owner} badge-pin`]);
  });

  it('LS-519 counts only where the rules of the line say so', async () => {
    await enrol();
    const credentials: ('piv' | 'badge-pin')[] = ['piv'];
    const strict = await World.open({
      rules: { signIn: { credentials, idleMinutes: 30, batchUnits: 100, maxWrongPins: 3, wrongPinsPerMinute: 10 } },
      line: { badges: new BadgeFiles(directory) },
    });
    expect(await codeOf(strict.line.signInWithBadge((await request()).envelope, PIN))).toBe('LS-519');
    await strict.close();
  });
});

describe('a PIN', () => {
  beforeEach(() => enrol());

  it('LS-517, LS-518: is wrong three times, then the badge is locked, for whoever knows it too', async () => {
    expect(await signIn('284918')).toBe('LS-517');
    expect(await signIn('284918')).toBe('LS-517');
    expect(await signIn('284918')).toBe('LS-518');
    expect(await signIn()).toBe('LS-518');
    expect(await world.line.badges()).toMatchObject([{ person: LEE, state: 'locked' }]);
    const events = (await world.payloads()).filter(({ predicateType }) =>
      String(predicateType).includes('badge-event'),
    );
    expect(events.map(({ predicate }) => (predicate as BadgeEvent).action)).toEqual(['enrol', 'lock']);
    await world.line.submit((await decide('unlock')).envelope);
    expect(await signIn()).toBe('signed in');
  });

  it('has no more tries after a restart', async () => {
    await signIn('284918');
    await signIn('284918');
    await world.restart();
    expect(await signIn('284918')).toBe('LS-518');
  });

  it('has all its tries again after a good one', async () => {
    for (let round = 0; round < 3; round += 1) {
      expect(await signIn('284918')).toBe('LS-517');
      expect(await signIn()).toBe('signed in');
    }
  });

  it('LS-518: may be tried so often a minute at one station, whatever the badge', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect(await signIn(PIN, { badge: `x${tries}` })).toBe('LS-517');
    expect(await signIn()).toBe('LS-518');
    world.clock.advance(60_000);
    expect(await signIn()).toBe('signed in');
  });

  it('is kept salted and slow to try, in files only the line reads', () => {
    const [file] = readdirSync(directory);
    const text = readFileSync(join(directory, file!), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ badgeDigest: DIGEST, cost: { N: 32_768, r: 8, p: 1 } });
    expect(text).not.toContain(PIN);
    expect(statSync(join(directory, file!)).mode & 0o077).toBe(0);
  });

  it('counts every try when the count on disk cannot be read', async () => {
    writeFileSync(join(directory, `${DIGEST}.tries`), 'many');
    expect(await signIn()).toBe('LS-518');
  });

  it('is that of the enrolment: another record in its place is none', async () => {
    const [file] = readdirSync(directory);
    const other = await makePinRecord(DIGEST, '975310', new Uint8Array(16).fill(9));
    writeFileSync(join(directory, file!), other.bytes);
    expect(await signIn('975310')).toBe('ERR_LINE_BADGES');
    rmSync(join(directory, file!));
    expect(await signIn()).toBe('LS-517');
  });

  it.each(['12345', '1234567890123', '28491a', '111111', '123456', '987654'])('%s is no PIN', async (pin) => {
    await expect(makePinRecord(DIGEST, pin, new Uint8Array(16))).rejects.toMatchObject({ code: 'ERR_LINE_BADGES' });
  });

  it.each(['284917', '284917284917'])('%s is one', async (pin) => {
    await makePinRecord(DIGEST, pin, new Uint8Array(16));
  });
});

describe('a request', () => {
  beforeEach(() => enrol());
  const hour = 3_600_000;
  const cases: readonly (readonly [string, string, () => Promise<string>])[] = [
    ['by an operator', 'LS-502', () => signIn(PIN, {}, CAST.operator.key)],
    ['by another station', 'LS-502', () => signIn(PIN, {}, CAST.secondStation.key)],
    ['by the line itself', 'LS-502', () => signIn(PIN, {}, CAST.evidence.key)],
    ['for a station of another line', 'LS-502', () => signIn(PIN, { station: { id: CAST.station.owner, line: 'L2' } })],
    ['an hour old', 'LS-301', () => signIn(PIN, { requestedAt: formatInstant(world.clock.now() - hour) })],
  ];
  it.each(cases)('%s is refused with %s', async (_, code, ask) => {
    expect(await ask()).toBe(code);
    expect(await open()).toEqual([]);
  });
});

describe('a decision about a badge', () => {
  const record = { pinRecordDigest: { sha256: 'ab'.repeat(32) } };
  const submit = async (made: Promise<Signed<BadgeEvent>>): Promise<string> =>
    made
      .then(({ envelope }) => world.line.submit(envelope))
      .then(
        () => 'logged',
        (error: unknown) => (error as { code: string }).code,
      );
  const cases: readonly (readonly [string, string, () => Promise<Signed<BadgeEvent>>])[] = [
    ['by an operator', 'LS-522', () => decide('enrol', record, CAST.operator.key)],
    ['by a station', 'LS-522', () => decide('enrol', record, CAST.station.key)],
    ['for oneself', 'LS-522', () => decide('enrol', { ...record, person: CAST.supervisor.owner })],
    ['without a PIN record', 'LS-522', () => decide('enrol')],
    ['for somebody who approves releases', 'LS-521', () => decide('enrol', { ...record, person: CAST.approver.owner })],
    ['to lock it, which the line does', 'LS-522', () => decide('lock')],
    ['to unlock what nobody has', 'LS-522', () => decide('unlock')],
    ['of another line', 'LS-502', () => decide('enrol', { ...record, line: 'L2' })],
  ];
  it.each(cases)('%s is refused with %s', async (_, code, make) => {
    expect(await submit(make())).toBe(code);
  });

  it('gives one badge to one person', async () => {
    await enrol();
    expect(await submit(decide('enrol', { ...record, person: 'op-kim' }))).toBe('LS-522');
    expect(await submit(decide('unlock'))).toBe('LS-522');
    expect(await submit(decide('revoke', { person: 'op-kim' }))).toBe('LS-522');
  });

  it('revokes it: its holder is signed out, and it may be given to somebody else', async () => {
    await enrol();
    await signIn();
    expect(await submit(decide('revoke'))).toBe('logged');
    expect(await open()).toEqual([]);
    expect(await signIn()).toBe('LS-517');
    await enrol({ person: 'op-kim' });
    await signIn();
    expect(await open()).toEqual([`op-kim ${CAST.station.owner} badge-pin`]);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { formatInstant, RefusedError, sha256Hex, type ReasonCode } from '@witnessmark/core';
import { BREAK_GLASS_SCOPES, deriveLabelSerial, type BreakGlassScope } from '@witnessmark/attestation';
import type { OperatorSessionRow, RefusalRow, UnitRow } from '@witnessmark/store';
import { beforeAll, describe, expect, it } from 'vitest';
import { admit } from '../src/admission.ts';
import type { AdmissionFacts, Claim } from '../src/claim.ts';
import { findReleaseInForce, type ReleaseInForce } from '../src/release-book.ts';
import { toLineRules, type LineRules } from '../src/rules.ts';
import { CAST, PLACE, START } from './support/cast.ts';
import { PRODUCT, TestReleases, toManifest, toRule } from './support/release.ts';
import { toDevice } from './support/world.ts';

const DEVICE = toDevice(1);
const OTHER = toDevice(2);
const RULES = toLineRules({ ...PLACE, maxClockOffsetMs: 5000, maxAttempts: 3 });
const STATION = CAST.station.owner;
const OPERATOR = CAST.operator;

const CLAIM: Claim = {
  subject: DEVICE.deviceId,
  identity: {
    deviceId: DEVICE.deviceId,
    scheme: 'spi-nor-uid',
    hardwareUid: { sha256: DEVICE.hardwareUid },
    label: { raw: DEVICE.serial, symbology: 'd2', serial: DEVICE.serial, partNumber: null },
    identityMatch: 'MATCH',
    anchors: ['hardwareUid'],
  },
  product: PRODUCT,
  operator: {
    id: OPERATOR.owner,
    role: 'operator',
    credentialKeyDigest: { sha256: OPERATOR.key.publicKey.keyid },
    credential: 'software-key',
    sessionDigest: { sha256: '77'.repeat(32) },
    authenticatedAt: formatInstant(START - 1000),
  },
  releaseId: null,
  at: START,
  clock: {
    source: 'line',
    offsetMs: 0,
    errorBoundMs: 1,
    stratum: null,
    lastSyncAgeMs: 0,
    monotonicMs: 0,
    bootId: 'b',
    verdict: 'SANE',
  },
  environment: { simulated: true, rehearsal: false, breakGlass: null },
};

const SESSION: OperatorSessionRow = {
  session_id: '01900000-0000-7000-8000-000000000001',
  operator: OPERATOR.owner,
  role: 'operator',
  credential: 'software-key',
  credential_key_digest: OPERATOR.key.publicKey.keyid,
  station: STATION,
  line: PLACE.line,
  opened_at: formatInstant(START - 1000),
  expires_at: formatInstant(START + 1000),
  idle_minutes: 30,
  batch_units: 100,
  units: 0,
  last_used_at: formatInstant(START - 1000),
  state: 'open',
  payload_digest: '77'.repeat(32),
  log_index: 0,
};

const OPERATOR_KEY = {
  role: 'operator',
  owner: OPERATOR.owner,
  scope: PLACE.line,
  custody: 'software',
  custodyGrade: 'asserted',
  isRehearsal: false,
  token: null,
  key: OPERATOR.key.publicKey,
  validFrom: START - 10_000,
  validUntil: Infinity,
} as const;

const UNIT: UnitRow = {
  device_id: DEVICE.deviceId,
  label_serial: DEVICE.serial,
  public_key_digest: null,
  hardware_uid: DEVICE.hardwareUid,
  sku: PRODUCT.sku,
  state: 'failed',
  head_seq: 2,
  head_digest: 'ef'.repeat(32),
  attempts: 1,
  release_id: 'gw-1.4.0',
  line: PLACE.line,
  station: STATION,
  open_transaction: null,
  open_intent_index: null,
  last_index: 2,
};

const STOP: RefusalRow = {
  refusal_id: '01900000-0000-7000-8000-000000000002',
  code: 'LS-101',
  kind: 'LINE_STOP',
  device_id: OTHER.deviceId,
  label_serial: null,
  station: STATION,
  line: PLACE.line,
  log_index: 1,
  payload_digest: 'aa'.repeat(32),
  at: formatInstant(START),
  state: 'open',
  disposition_id: null,
  slot: null,
};

const OPENING = 'b9'.repeat(32);
const STRICT_CLOCK = { ...RULES, acceptClock: ['SANE'] } satisfies AdmissionFacts['rules'];

function withMark(breakGlass: string): Claim {
  return { ...CLAIM, environment: { ...CLAIM.environment, breakGlass } };
}

function degraded(verdict: Claim['clock']['verdict'] = 'DEGRADED'): Claim {
  return { ...withMark(OPENING), clock: { ...CLAIM.clock, verdict } };
}

function suspending(...scope: readonly BreakGlassScope[]): AdmissionFacts['breakGlass'] {
  return { digest: OPENING, scope: new Set(scope) };
}

let inForce: ReleaseInForce;
let facts: AdmissionFacts;

beforeAll(async () => {
  const book = await (await TestReleases.create()).current(START);
  inForce = findReleaseInForce(book, PRODUCT, START);
  facts = {
    now: START,
    rules: RULES,
    station: STATION,
    openStop: null,
    start: null,
    conduct: { failures: [], goldenChecks: [] },
    past: { attemptsHere: 0, testUnit: null },
    session: { row: SESSION, key: OPERATOR_KEY },
    unit: null,
    labelOwner: null,
    decision: null,
    release: inForce,
    unitsBegun: 0,
    counterFloor: 0,
    breakGlass: null,
    waitsForReview: false,
  };
});

function withLabel(serial: string, identityMatch: Claim['identity']['identityMatch'] = 'MATCH'): Claim {
  const label = { raw: serial, symbology: 'd2', serial, partNumber: null };
  return { ...CLAIM, identity: { ...CLAIM.identity, label, identityMatch } };
}

function codeOf(claim: Claim, changed: Partial<AdmissionFacts> = {}): ReasonCode | 'granted' {
  try {
    admit(claim, { ...facts, ...changed });
    return 'granted';
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

function withManifest(changes: Parameters<typeof toManifest>[0]): Partial<AdmissionFacts> {
  return { release: { ...inForce, release: { ...inForce.release, manifest: toManifest(changes) } } };
}

function withSession(row: Partial<OperatorSessionRow>): Partial<AdmissionFacts> {
  return { session: { ...facts.session, row: { ...SESSION, ...row } } };
}

describe('admission', () => {
  it('grants a new device its first link and attempt', () => {
    expect(admit(CLAIM, facts)).toEqual({
      inForce,
      labelSerial: DEVICE.serial,
      chain: { nextSeq: 1, previousEventDigest: null },
      attempt: 1,
    });
  });

  it('grants a failed unit its next link and attempt, and begins to count anew under another release', () => {
    expect(admit(CLAIM, { ...facts, unit: UNIT })).toMatchObject({
      chain: { nextSeq: 3, previousEventDigest: { sha256: UNIT.head_digest } },
      attempt: 2,
    });
    expect(admit(CLAIM, { ...facts, unit: { ...UNIT, release_id: 'gw-1.3.0', attempts: 9 } }).attempt).toBe(1);
  });

  it('grants a device without a label the serial that will be printed', () => {
    const claim: Claim = { ...CLAIM, identity: { ...CLAIM.identity, label: null, identityMatch: 'NOT_READ' } };
    expect(admit(claim, facts).labelSerial).toBe(deriveLabelSerial(PRODUCT.sku, DEVICE.deviceId));
  });

  const before = (milliseconds: number): string => formatInstant(START - milliseconds);
  const inSession = (changes: Partial<OperatorSessionRow>): ReasonCode | 'granted' =>
    codeOf(CLAIM, { session: { row: { ...SESSION, ...changes }, key: OPERATOR_KEY } });
  const withPartaker = (person: string): ReasonCode | 'granted' => {
    const release = { ...inForce.release, partakers: [...inForce.release.partakers, person] };
    return codeOf(CLAIM, { release: { ...inForce, release } });
  };
  const ONLY_CARDS: LineRules = { ...RULES, signIn: { ...RULES.signIn, credentials: ['piv'] } };
  const withUid = (value: Uint8Array): ReasonCode | 'granted' =>
    codeOf({ ...CLAIM, identity: { ...CLAIM.identity, hardwareUid: { sha256: sha256Hex(value) } } });
  const cases: readonly (readonly [string, ReasonCode | 'granted', () => ReasonCode | 'granted'])[] = [
    // Clock (A17, A18)
    ['a station 5 s behind', 'granted', () => codeOf({ ...CLAIM, at: START - 5000 })],
    ['A17 a station set back', 'LS-301', () => codeOf({ ...CLAIM, at: START - 5001 })],
    ['a station 5 s ahead', 'granted', () => codeOf({ ...CLAIM, at: START + 5000 })],
    ['A18 a station set forward', 'LS-301', () => codeOf({ ...CLAIM, at: START + 5001 })],
    [
      'a clock that calls itself insane',
      'LS-301',
      () => codeOf({ ...CLAIM, clock: { ...CLAIM.clock, verdict: 'INSANE' } }),
    ],
    ['a degraded clock', 'granted', () => codeOf({ ...CLAIM, clock: { ...CLAIM.clock, verdict: 'DEGRADED' } })],
    [
      'a degraded clock where only sane ones count',
      'LS-301',
      () =>
        codeOf(
          { ...CLAIM, clock: { ...CLAIM.clock, verdict: 'DEGRADED' } },
          { rules: { ...RULES, acceptClock: ['SANE'] } },
        ),
    ],
    // Stop and session
    ['a station with an open stop', 'LS-503', () => codeOf(CLAIM, { openStop: STOP })],
    ['a session nobody logged', 'LS-501', () => codeOf(CLAIM, { session: { ...facts.session, row: null } })],
    ['A5 a session of another station', 'LS-501', () => codeOf(CLAIM, withSession({ station: 'ST-2' }))],
    ['A5 a session of somebody else', 'LS-501', () => codeOf(CLAIM, withSession({ operator: 'op-ben' }))],
    [
      'a session of another card',
      'LS-501',
      () => codeOf(CLAIM, withSession({ credential_key_digest: 'bb'.repeat(32) })),
    ],
    [
      'a session in its last millisecond',
      'granted',
      () => codeOf(CLAIM, withSession({ expires_at: formatInstant(START + 1) })),
    ],
    ['a session that just ran out', 'LS-501', () => codeOf(CLAIM, withSession({ expires_at: formatInstant(START) }))],
    ['a card nobody enrolled', 'LS-501', () => codeOf(CLAIM, { session: { ...facts.session, key: null } })],
    [
      'a card that was revoked',
      'LS-501',
      () => codeOf(CLAIM, { session: { ...facts.session, key: { ...OPERATOR_KEY, validUntil: START } } }),
    ],
    [
      'a card enrolled for another role',
      'LS-501',
      () => codeOf(CLAIM, { session: { ...facts.session, key: { ...OPERATOR_KEY, role: 'supervisor' } } }),
    ],
    ['A5 a session that has ended', 'LS-515', () => inSession({ state: 'ended' })],
    ['a session after half an hour of pause', 'granted', () => inSession({ last_used_at: before(1_800_000) })],
    ['a session with one unit left', 'granted', () => inSession({ units: 99 })],
    ['a release somebody else approved', 'granted', () => withPartaker('ap-zoe')],
    ['A5 a session nobody worked in for half an hour', 'LS-511', () => inSession({ last_used_at: before(1_800_001) })],
    ['A5 a session with its units begun', 'LS-512', () => inSession({ units: 100 })],
    ['a session that asked for fewer units', 'LS-512', () => inSession({ units: 3, batch_units: 3 })],
    [
      'a session that asked for a shorter pause',
      'LS-511',
      () => inSession({ idle_minutes: 1, last_used_at: before(60_001) }),
    ],
    ['a session by badge under the card of a person', 'LS-501', () => inSession({ credential: 'badge-pin' })],
    ['a kind of sign-in that is not accepted any more', 'LS-519', () => codeOf(CLAIM, { rules: ONLY_CARDS })],
    ['a person who approved the release', 'LS-520', () => withPartaker(OPERATOR.owner)],
    // Device
    ['a hardware id of zeros', 'UF-01', () => withUid(new Uint8Array(8))],
    ['a hardware id of sixty-four 0xff', 'UF-01', () => withUid(new Uint8Array(64).fill(0xff))],
    ['a hardware id of equal bytes', 'UF-01', () => withUid(new Uint8Array(8).fill(0x5a))],
    ['a hardware id that counts', 'UF-01', () => withUid(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]))],
    ['a hardware id that nearly counts', 'granted', () => withUid(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 9]))],
    ['a statement about another device', 'LS-506', () => codeOf({ ...CLAIM, subject: OTHER.deviceId })],
    [
      'a device id with another hardware id',
      'LS-506',
      () => codeOf(CLAIM, { unit: { ...UNIT, hardware_uid: 'cc'.repeat(32) } }),
    ],
    // Break-glass (A9)
    ['a mark without an opening', 'BG-105', () => codeOf(withMark(OPENING))],
    ['the mark of the opening in force', 'granted', () => codeOf(withMark(OPENING), { breakGlass: suspending() })],
    ['the mark of another opening', 'BG-105', () => codeOf(withMark('99'.repeat(32)), { breakGlass: suspending() })],
    ['no mark while an opening is in force', 'BG-104', () => codeOf(CLAIM, { breakGlass: suspending() })],
    ['an open stop beside it', 'LS-503', () => codeOf(withMark(OPENING), { openStop: STOP, breakGlass: suspending() })],
    [
      'an open stop that it suspends',
      'granted',
      () => codeOf(withMark(OPENING), { openStop: STOP, breakGlass: suspending('openStop') }),
    ],
    [
      'attempts beyond the limit that it suspends',
      'granted',
      () => codeOf(withMark(OPENING), { unit: { ...UNIT, attempts: 99 }, breakGlass: suspending('attemptLimit') }),
    ],
    [
      'a degraded clock where only a sane one counts',
      'LS-301',
      () => codeOf(degraded(), { rules: STRICT_CLOCK, breakGlass: suspending() }),
    ],
    [
      'a degraded clock that it suspends',
      'granted',
      () => codeOf(degraded(), { rules: STRICT_CLOCK, breakGlass: suspending('degradedClock') }),
    ],
    [
      'an insane clock, which nothing suspends',
      'LS-301',
      () => codeOf(degraded('INSANE'), { breakGlass: suspending(...BREAK_GLASS_SCOPES) }),
    ],
    [
      'a scrapped unit, which nothing suspends',
      'LS-103',
      () => codeOf(withMark(OPENING), { decision: 'scrapped', breakGlass: suspending(...BREAK_GLASS_SCOPES) }),
    ],
    [
      'A24 a full quota, which nothing suspends',
      'LS-206',
      () =>
        codeOf(withMark(OPENING), {
          release: { ...inForce, rule: { ...inForce.rule, maxUnits: 100 } },
          unitsBegun: 100,
          breakGlass: suspending(...BREAK_GLASS_SCOPES),
        }),
    ],
    ['an opening that waits for its review', 'granted', () => codeOf(CLAIM, { waitsForReview: true })],
    [
      'an opening that waits for its review, where rules ask for it first',
      'BG-108',
      () =>
        codeOf(CLAIM, {
          waitsForReview: true,
          rules: { ...RULES, breakGlass: { ...RULES.breakGlass, permitsNeedReview: true } },
        }),
    ],
    // Label (A1, A2, A4)
    ['a label the station itself calls wrong', 'LS-101', () => codeOf(withLabel(DEVICE.serial, 'MISMATCH'))],
    ['a label that was not read but is there', 'LS-101', () => codeOf(withLabel(DEVICE.serial, 'NOT_READ'))],
    ['two labels at once', 'LS-101', () => codeOf(withLabel(DEVICE.serial, 'AMBIGUOUS'))],
    [
      'a match without a label',
      'LS-101',
      () => codeOf({ ...CLAIM, identity: { ...CLAIM.identity, label: null, identityMatch: 'MATCH' } }),
    ],
    ['A2 the label of another device', 'LS-101', () => codeOf(withLabel(OTHER.serial))],
    ['A1 a label from the roll of another SKU', 'LS-101', () => codeOf(withLabel(toDevice(1, 'GW-220').serial))],
    ['A4 a serial with a look-alike letter', 'LS-101', () => codeOf(withLabel(DEVICE.serial.replace(/.$/, 'O')))],
    ['A4 a serial in small letters', 'LS-101', () => codeOf(withLabel(DEVICE.serial.toLowerCase()))],
    [
      'a label that another device carries',
      'LS-101',
      () => codeOf(CLAIM, { labelOwner: { ...UNIT, device_id: OTHER.deviceId } }),
    ],
    ['the label of the device itself', 'granted', () => codeOf(CLAIM, { labelOwner: UNIT, unit: UNIT })],
    [
      'a device that carries another label',
      'LS-101',
      () => codeOf(CLAIM, { unit: { ...UNIT, label_serial: OTHER.serial } }),
    ],
    ['an assigned label', 'granted', () => codeOf(withLabel('SN-0001'), withManifest({ labelRule: 'assigned' }))],
    [
      'no label where one is assigned',
      'LS-101',
      () =>
        codeOf(
          { ...CLAIM, identity: { ...CLAIM.identity, label: null, identityMatch: 'NOT_READ' } },
          withManifest({ labelRule: 'assigned' }),
        ),
    ],
    // Unit (A7, A23, A71)
    ['A7 a unit that passed', 'LS-102', () => codeOf(CLAIM, { unit: { ...UNIT, state: 'passed' } })],
    ['A71 a scrapped unit', 'LS-103', () => codeOf(CLAIM, { unit: { ...UNIT, state: 'scrapped' } })],
    ['A71 a device scrapped before its first event', 'LS-103', () => codeOf(CLAIM, { decision: 'scrapped' })],
    ['a unit in quarantine', 'HD-02', () => codeOf(CLAIM, { unit: { ...UNIT, state: 'quarantined' } })],
    ['a device quarantined before its first event', 'HD-02', () => codeOf(CLAIM, { decision: 'quarantined' })],
    ['a unit on hold', 'HD-02', () => codeOf(CLAIM, { unit: { ...UNIT, state: 'held' } })],
    [
      'A23 a unit begun at another station',
      'LS-105',
      () => codeOf(CLAIM, { unit: { ...UNIT, state: 'open', station: 'ST-2', open_transaction: 'x' } }),
    ],
    [
      'a unit begun here and not closed',
      'HD-02',
      () => codeOf(CLAIM, { unit: { ...UNIT, state: 'open', open_transaction: 'x' } }),
    ],
    [
      'a unit a supervisor let try again',
      'granted',
      () => codeOf(CLAIM, { unit: { ...UNIT, state: 'open', attempts: 99 } }),
    ],
    // Release (A14, A36)
    ['no rule', 'LS-205', () => codeOf(CLAIM, { release: new RefusedError('LS-205', '') })],
    ['a withdrawn release', 'LS-203', () => codeOf(CLAIM, { release: new RefusedError('LS-203', '') })],
    ['a release without approvals', 'LS-202', () => codeOf(CLAIM, { release: new RefusedError('LS-202', '') })],
    ['metadata that ran out', 'TR-102', () => codeOf(CLAIM, { release: new RefusedError('TR-102', '') })],
    ['A36 a counter at the floor', 'granted', () => codeOf(CLAIM, { counterFloor: 4 })],
    ['A36 a counter below the floor', 'LS-204', () => codeOf(CLAIM, { counterFloor: 5 })],
    ['A14 a station that holds another release', 'LS-203', () => codeOf({ ...CLAIM, releaseId: 'gw-1.3.0' })],
    ['a station that holds the release in force', 'granted', () => codeOf({ ...CLAIM, releaseId: 'gw-1.4.0' })],
    // Attempts and quota (A24, A25)
    ['A25 the last allowed attempt', 'granted', () => codeOf(CLAIM, { unit: { ...UNIT, attempts: 2 } })],
    ['A25 one attempt more', 'HD-03', () => codeOf(CLAIM, { unit: { ...UNIT, attempts: 3 } })],
    ['A24 the last unit of an order', 'granted', () => codeOf(CLAIM, { ...quota(100), unitsBegun: 99 })],
    ['A24 one unit more', 'LS-206', () => codeOf(CLAIM, { ...quota(100), unitsBegun: 100 })],
    [
      'A24 another attempt of a unit that counts already',
      'granted',
      () => codeOf(CLAIM, { ...quota(100), unitsBegun: 100, unit: UNIT }),
    ],
  ];

  it.each(cases)('%s: %s', (_, expected, run) => {
    expect(run()).toBe(expected);
  });

  function quota(maxUnits: number): Partial<AdmissionFacts> {
    return { release: { ...inForce, rule: toRule({ maxUnits }) } };
  }

  it('names clock trouble before anything a wrong clock could cause', () => {
    const release = new RefusedError('TR-102', 'ran out');
    const everything = { openStop: STOP, session: { row: null, key: null }, release };
    expect(codeOf({ ...withLabel(OTHER.serial), at: START - 60_000 }, everything)).toBe('LS-301');
    expect(codeOf(withLabel(OTHER.serial), everything)).toBe('LS-503');
    expect(codeOf(withLabel(OTHER.serial), { ...everything, openStop: null })).toBe('LS-501');
    expect(codeOf(withLabel(OTHER.serial), { release })).toBe('LS-101');
    expect(codeOf(CLAIM, { release })).toBe('TR-102');
  });
});

describe('the release in force', () => {
  it('is the one a rule names, for this very product', async () => {
    const releases = await TestReleases.create();
    const find = async (query: Partial<typeof PRODUCT> | object = {}): Promise<ReleaseInForce> =>
      findReleaseInForce(await releases.current(START), { ...PRODUCT, ...query }, START);
    expect((await find()).reference).toMatchObject({ id: 'gw-1.4.0', releaseCounter: 4 });
    await expect(find({ sku: 'GW-999' })).rejects.toMatchObject({ code: 'LS-205' });
    await expect(find({ hwVersion: 'Z' })).rejects.toMatchObject({ code: 'LS-205' });
    await expect(find({ hwModel: 'OTHER' })).rejects.toMatchObject({ code: 'LS-205' });
    releases.rules = [toRule({ releaseId: 'gw-9' })];
    await expect(find()).rejects.toMatchObject({ code: 'LS-202' });
    releases.releases.set('gw-9', new RefusedError('LS-201', 'other bytes'));
    await expect(find()).rejects.toMatchObject({ code: 'LS-201' });
    releases.rules = [toRule()];
    releases.withdrawn = [{ releaseId: 'gw-1.4.0', reason: 'bug', withdrawnAt: formatInstant(START) }];
    await expect(find()).rejects.toMatchObject({ code: 'LS-203' });
  });
});

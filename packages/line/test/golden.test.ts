// SPDX-License-Identifier: Apache-2.0
/** Golden and known-bad units: who registers which devices, that they are never product, and what a station must prove. */
import { formatInstant } from '@witnessmark/core';
import {
  goldenCheck,
  goldenUnit,
  type GoldenCheck,
  type GoldenUnit,
  type OperatorSession,
} from '@witnessmark/attestation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineRules } from '../src/index.ts';
import { CAST, PLACE, type Name } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { toDevice, World, type Changes } from './support/world.ts';

const GOOD = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const GOLDEN = toDevice(1);
const KNOWN_BAD = toDevice(2);
const BOTH: LineRules['goldenCheck'] = { kinds: ['golden', 'knownBad'], maxAgeMs: 3_600_000, perSlot: false };

let world: World;
let session: Signed<OperatorSession>;
beforeEach(() => open());
afterEach(() => world.close());

async function open(rules: Partial<LineRules> = {}): Promise<void> {
  world = await World.open({ rules });
  session = await world.signIn();
}

async function reopen(rules: Partial<LineRules>): Promise<void> {
  await world.close();
  await open(rules);
}

async function register(changes: Changes<GoldenUnit> = {}, by: Name = 'supervisor', subject?: string): Promise<string> {
  const device = changes.kind === 'knownBad' ? KNOWN_BAD : GOLDEN;
  const predicate: GoldenUnit = {
    id: world.newId(),
    action: 'register',
    registrationId: null,
    kind: 'golden',
    deviceId: device.deviceId,
    hardwareUid: { sha256: device.hardwareUid },
    labelSerial: device.serial,
    content: { address: 0, length: 4096, digest: { sha256: GOOD } },
    site: PLACE,
    reason: 'station check',
    person: { id: CAST[by].owner, role: CAST[by].role },
    registeredAt: formatInstant(world.clock.now()),
    ...changes,
  };
  const about = { name: 'device', digest: { sha256: subject ?? predicate.deviceId } };
  const { envelope } = await world.sign(goldenUnit, about, predicate, CAST[by].key);
  return outcomeOf(world.line.submit(envelope).then(() => predicate.id));
}

async function check(changes: Changes<GoldenCheck> = {}, by: Name = 'station'): Promise<string> {
  const kind = changes.kind ?? 'golden';
  const rows = await world.line.siteRecords('golden-unit');
  const predicate: GoldenCheck = {
    id: world.newId(),
    station: { id: CAST.station.owner, ...PLACE },
    operatorId: CAST.operator.owner,
    kind,
    registrationId: rows.find(({ state }) => state === kind)?.id ?? null,
    deviceId: (kind === 'golden' ? GOLDEN : KNOWN_BAD).deviceId,
    observed: { sha256: kind === 'golden' ? GOOD : OTHER },
    result: 'asExpected',
    code: kind === 'golden' ? null : 'UF-03',
    finding: 'read back',
    checkedAt: formatInstant(world.clock.now()),
    clock: world.clockEvidence,
    environment: { simulated: true, rehearsal: false, breakGlass: null },
    ...changes,
  };
  const subject = { name: 'unit', digest: { sha256: predicate.deviceId ?? CAST[by].key.publicKey.keyid } };
  const { envelope } = await world.sign(goldenCheck, subject, predicate, CAST[by].key);
  return outcomeOf(world.line.submit(envelope).then(() => 'logged'));
}

async function ask(number: number, slot?: number): Promise<string> {
  const { envelope } = await world.permitRequest(toDevice(number), session, slot === undefined ? {} : { slot });
  return outcomeOf(world.line.requestPermit(envelope).then(() => 'granted'));
}

async function outcomeOf(promise: Promise<string>): Promise<string> {
  return promise.catch((error: unknown) => (error as { code: string }).code);
}

describe('A10: a registered unit', () => {
  it('LS-610 is never product: neither in use nor retired, nor after a restart', async () => {
    const id = await register();
    expect(await ask(1)).toBe('LS-610');
    await world.restart();
    expect(await ask(1)).toBe('LS-610');
    expect(await register({ action: 'retire', registrationId: id })).not.toMatch(/^LS/);
    expect(await ask(1)).toBe('LS-610');
    expect(await ask(3)).toBe('granted');
    const rows = await world.line.siteRecords('golden-unit');
    expect(rows.map(({ state }) => state)).toEqual(['retired', 'retired']);
  });

  it('LS-610 nor is what bears its label', async () => {
    await register({ labelSerial: toDevice(3).serial });
    expect(await ask(3)).toBe('LS-610');
    expect(await ask(4)).toBe('granted');
  });

  it('LS-507 is registered by a supervisor alone, in their own name', async () => {
    expect(await register({}, 'operator')).toBe('LS-507');
    expect(await register({}, 'station')).toBe('LS-507');
    expect(await register({ person: { id: 'sv-other', role: 'supervisor' } })).toBe('LS-507');
    expect(await register()).not.toMatch(/^LS/);
  });

  it('LS-611 cannot be one that passed, is being worked on, or is registered already', async () => {
    await world.provision(GOLDEN, session);
    expect(await register()).toBe('LS-611');
    await world.begin(KNOWN_BAD, session);
    expect(await register({ kind: 'knownBad' })).toBe('LS-611');
    const third = toDevice(3);
    const other = { deviceId: third.deviceId, hardwareUid: { sha256: third.hardwareUid }, labelSerial: third.serial };
    expect(await register({ ...other, labelSerial: GOLDEN.serial })).toBe('LS-611');
    expect(await register(other)).not.toMatch(/^LS/);
    expect(await register({ ...other, kind: 'golden' })).toBe('LS-611');
  });

  it('LS-611 is retired by its own registration, once', async () => {
    const id = await register();
    expect(await register({ action: 'retire', registrationId: world.newId() })).toBe('LS-611');
    expect(await register({ action: 'retire', registrationId: id })).not.toMatch(/^LS/);
    expect(await register({ action: 'retire', registrationId: id })).toBe('LS-611');
  });

  it('LS-506 is what its statement is about, and LS-502 a unit of this line', async () => {
    expect(await register({}, 'supervisor', 'ee'.repeat(32))).toBe('LS-506');
    expect(await register({ registrationId: world.newId() })).toBe('LS-506');
    expect(await register({ action: 'retire' })).toBe('LS-506');
    expect(await register({ site: { plant: 'P9', line: PLACE.line } })).toBe('LS-502');
    expect(await register({ site: { plant: PLACE.plant, line: 'L9' } })).toBe('LS-502');
  });
});

describe('a golden check', () => {
  it('LS-612 is due at the start of a shift where the rules say so, with every kind, and again later', async () => {
    await reopen({ goldenCheck: BOTH });
    await register();
    await register({ kind: 'knownBad' });
    expect(await ask(3)).toBe('LS-612');
    expect(await check()).toBe('logged');
    expect(await ask(3)).toBe('LS-612');
    expect(await check({ kind: 'knownBad' })).toBe('logged');
    expect(await ask(3)).toBe('granted');
    await world.restart();
    expect(await ask(4)).toBe('granted');
    world.clock.advance(BOTH.maxAgeMs);
    expect(await ask(5)).toBe('granted');
    world.clock.advance(1);
    expect(await ask(6)).toBe('LS-612');
  });

  it("is no station's duty that the rules say nothing about", async () => {
    expect(await ask(3)).toBe('granted');
  });

  it('LS-613 stops the station when it fails, whatever the rules, until one succeeds', async () => {
    await register({ kind: 'knownBad' });
    const passing = { kind: 'knownBad', observed: { sha256: GOOD }, result: 'unexpected', code: null } as const;
    expect(await check(passing)).toBe('logged');
    expect(await ask(3)).toBe('LS-613');
    await world.restart();
    expect(await ask(3)).toBe('LS-613');
    expect(await check({ kind: 'knownBad' })).toBe('logged');
    expect(await ask(3)).toBe('granted');
  });

  it('LS-613 stops it as well when no device, or another one, was in the fixture', async () => {
    const missing = {
      registrationId: null,
      deviceId: null,
      observed: null,
      result: 'unexpected',
      code: 'UF-01',
    } as const;
    expect(await check(missing)).toBe('logged');
    expect(await ask(3)).toBe('LS-613');
  });

  it('is asked of each slot where the rules say so', async () => {
    await reopen({ goldenCheck: { ...BOTH, kinds: ['golden'], perSlot: true } });
    await register();
    const station = { id: CAST.station.owner, ...PLACE };
    expect(await check({ station: { ...station, slot: 1 } })).toBe('logged');
    expect(await ask(3, 1)).toBe('granted');
    expect(await ask(4, 2)).toBe('LS-612');
    expect(await ask(4)).toBe('LS-612');
    const bad = { result: 'unexpected', code: 'UF-03', observed: { sha256: OTHER } } as const;
    expect(await check({ station: { ...station, slot: 2 }, ...bad })).toBe('logged');
    expect(await ask(5, 1)).toBe('granted');
    expect(await ask(6, 2)).toBe('LS-613');
  });

  it.each([
    ['a golden unit that held something else', { observed: { sha256: OTHER } }],
    ['a golden unit that was not read', { observed: null }],
    ['a golden unit with a code', { code: 'UF-03' }],
    ['a unit nobody registered', { registrationId: null }],
    ['another device than the registered one', { deviceId: toDevice(9).deviceId }],
    ['a known-bad unit that held the image', { kind: 'knownBad', observed: { sha256: GOOD } }],
    ['a known-bad unit that was silent', { kind: 'knownBad', code: 'UF-06' }],
  ] as const)('LS-506 cannot have succeeded with %s', async (_, changes) => {
    await register();
    await register({ kind: 'knownBad' });
    expect(await check(changes as Changes<GoldenCheck>)).toBe('LS-506');
  });

  it('LS-506 cannot succeed with a unit that is out of use', async () => {
    const id = await register();
    await register({ action: 'retire', registrationId: id });
    expect(await check({ registrationId: id })).toBe('LS-506');
  });

  it('LS-502 is said by the station itself', async () => {
    await register();
    expect(await check({}, 'secondStation')).toBe('LS-502');
    expect(await check({}, 'operator')).toBe('LS-502');
    expect(await check({ station: { id: CAST.station.owner, plant: 'P9', line: PLACE.line } })).toBe('LS-502');
    expect(await ask(3)).toBe('granted');
  });
});

// SPDX-License-Identifier: Apache-2.0
/** Label events and checks of finished units as the line admits them: one lie each. */
import { encodeUtf8, formatInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  labelEvent,
  unitCheck,
  type LabelEvent,
  type OperatorSession,
  type UnitCheck,
} from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAST, PLACE, type Name } from './support/cast.ts';
import { PRODUCT } from './support/release.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, toOperator, World, type Device } from './support/world.ts';

const DIGEST = { sha256: sha256Hex(encodeUtf8('symbol')) };
const BY_SUPERVISOR = { authority: { id: CAST.supervisor.owner, role: 'supervisor' }, reason: 'torn' };

let world: World;
let session: Signed<OperatorSession>;
let device: Device;
let head: { seq: number; digest: { sha256: string } };
let lastDigest: string | null;

beforeEach(async () => {
  world = await World.open();
  session = await world.signIn();
  device = toDevice(1);
  const event = await world.provision(device, session);
  head = { seq: 2, digest: { sha256: sha256Hex(event.envelope.payload) } };
  lastDigest = null;
});
afterEach(() => world.close());

function draft(changes: Partial<LabelEvent> = {}): LabelEvent {
  const id = world.newId();
  return {
    id,
    action: 'printed',
    labelId: id,
    replaces: null,
    labelWas: null,
    copy: 1,
    serial: device.serial,
    sku: PRODUCT.sku,
    record: head,
    previous: lastDigest === null ? null : { sha256: lastDigest },
    symbolDigest: DIGEST,
    printer: 'tcp:printer:9100',
    reason: null,
    authority: null,
    station: { id: CAST.station.owner, ...PLACE },
    operator: toOperator(session),
    madeAt: formatInstant(world.clock.now()),
    clock: world.clockEvidence,
    environment: { simulated: true, rehearsal: false, breakGlass: null },
    ...changes,
  };
}

async function sign(event: LabelEvent, by: readonly Name[] = ['station']): Promise<Envelope> {
  const payload = buildStatement(labelEvent, deviceSubject(device.deviceId), event);
  return signEnvelope(
    STATEMENT_PAYLOAD_TYPE,
    payload,
    by.map((name) => CAST[name].key),
  );
}

async function log(event: LabelEvent, by: readonly Name[] = ['station']): Promise<LabelEvent> {
  const envelope = await sign(event, by);
  await world.line.submit(envelope);
  lastDigest = sha256Hex(envelope.payload);
  return event;
}

const scanOf = (label: LabelEvent, changes: Partial<LabelEvent> = {}): LabelEvent =>
  draft({ action: 'scanned', labelId: label.id, labelWas: 'printed', printer: null, ...changes });
const reprintOf = (label: LabelEvent, changes: Partial<LabelEvent> = {}): LabelEvent =>
  draft({ action: 'reprinted', replaces: label.id, labelWas: 'printed', copy: 2, ...BY_SUPERVISOR, ...changes });
const voidOf = (label: LabelEvent, changes: Partial<LabelEvent> = {}): LabelEvent =>
  draft({
    action: 'voided',
    labelId: label.id,
    labelWas: 'printed',
    printer: null,
    symbolDigest: null,
    ...BY_SUPERVISOR,
    ...changes,
  });

describe('the life of a label', () => {
  it('is printed, scanned, reprinted, voided and printed again, and the views rebuild from the log', async () => {
    const first = await log(draft());
    await log(scanOf(first));
    const second = await log(reprintOf(first, { labelWas: 'scanned' }), ['station', 'supervisor']);
    await log(voidOf(second, { copy: 2 }), ['station', 'supervisor']);
    await log(draft({ copy: 3 }));
    const states = (await world.store.views.siteRecordsAbout(device.deviceId)).map(({ state }) => state);
    expect(states).toEqual(['replaced', 'done', 'voided', 'done', 'printed']);
  });

  it('is logged once, however often it is sent', async () => {
    const envelope = await sign(draft());
    const [first, second] = [await world.line.submit(envelope), await world.line.submit(envelope)];
    expect(second.index).toBe(first.index);
  });

  it.each<[string, string, () => Partial<LabelEvent>]>([
    ['another serial', 'LB-115', () => ({ serial: 'GW-210-0000-0000-0000' })],
    ['another part number', 'LB-115', () => ({ sku: 'GW-215' })],
    ['an earlier record', 'LB-108', () => ({ record: { ...head, seq: 1 } })],
    ['another record', 'LB-108', () => ({ record: { seq: 2, digest: DIGEST } })],
    ['a wrong number', 'LB-114', () => ({ copy: 2 })],
    ['a predecessor that is none', 'LB-114', () => ({ previous: DIGEST })],
    ['a printer and no label of its own', 'LS-506', () => ({ labelId: world.newId() })],
    ['nothing that was printed', 'LS-506', () => ({ symbolDigest: null })],
    ['a reason nobody has to give', 'LB-113', () => ({ reason: 'why not' })],
    ['another station', 'LS-502', () => ({ station: { id: 'ST-2', ...PLACE } })],
    ['a session of nobody', 'LS-501', () => ({ operator: { ...toOperator(session), sessionDigest: DIGEST } })],
    ['the clock of yesterday', 'LS-301', () => ({ madeAt: formatInstant(world.clock.now() - 86_400_000) })],
  ])('names %s: %s', async (_, code, changes) => {
    expect(await codeOf(world.line.submit(await sign(draft(changes()))))).toBe(code);
  });

  it('has no unit without a record, and none of a unit that failed (LB-108)', async () => {
    device = toDevice(2);
    expect(await codeOf(world.line.submit(await sign(draft())))).toBe('LB-108');
    const failed = await world.provision(device, session, { outcome: 'FAILED', code: 'UF-03' });
    head = { seq: 2, digest: { sha256: sha256Hex(failed.envelope.payload) } };
    expect(await codeOf(world.line.submit(await sign(draft())))).toBe('LB-108');
  });

  it('has one label that counts (LB-109), and others no longer do (LB-110)', async () => {
    const first = await log(draft());
    expect(await codeOf(world.line.submit(await sign(draft({ copy: 2 }))))).toBe('LB-109');
    await log(reprintOf(first), ['station', 'supervisor']);
    for (const stale of [scanOf(first), voidOf(first, { copy: 1 })]) {
      const by: readonly Name[] = stale.authority === null ? ['station'] : ['station', 'supervisor'];
      expect(await codeOf(world.line.submit(await sign(stale, by)))).toBe('LB-110');
    }
  });

  it('is scanned back once (LB-114)', async () => {
    const first = await log(draft());
    await log(scanOf(first));
    expect(await codeOf(world.line.submit(await sign(scanOf(first, { labelWas: 'scanned' }))))).toBe('LB-114');
    expect(await codeOf(world.line.submit(await sign(scanOf(first))))).toBe('LB-114');
  });

  it.each<[string, string, Partial<LabelEvent>, readonly Name[]]>([
    ['by nobody', 'LS-502', {}, ['station']],
    ['by somebody else', 'LB-113', {}, ['station', 'operator']],
    [
      'by a person of another role',
      'LB-113',
      { authority: { id: 'ap-ada', role: 'approver' } },
      ['station', 'approver'],
    ],
    ['without a reason', 'LB-113', { reason: null }, ['station', 'supervisor']],
  ])('is reprinted %s: %s', async (_, code, changes, by) => {
    const first = await log(draft());
    expect(await codeOf(world.line.submit(await sign(reprintOf(first, changes), by)))).toBe(code);
  });

  it('is reprinted for an operator where the rules of the line say so, and not elsewhere (LB-113)', async () => {
    const byOperator = { authority: { id: CAST.operator.owner, role: 'operator' } };
    const first = await log(draft());
    expect(await codeOf(world.line.submit(await sign(voidOf(first, byOperator), ['station', 'operator'])))).toBe(
      'LB-113',
    );
    await log(reprintOf(first, byOperator), ['station', 'operator']);
  });

  it('is never the second that counts, when two are sent at once', async () => {
    const both = await Promise.all([sign(draft()), sign(draft())]);
    const results = await Promise.allSettled(both.map((envelope) => world.line.submit(envelope)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the check of a finished unit', () => {
  function check(changes: Partial<UnitCheck> = {}): UnitCheck {
    return {
      id: world.newId(),
      record: { serial: device.serial, ...head, logIndex: 2 },
      label: { serial: device.serial, labelId: null, symbolDigest: DIGEST },
      labelUnit: null,
      measurements: [{ name: 'application', expected: DIGEST, digest: DIGEST, result: 'SUCCESS', grade: 'readBack' }],
      protection: 'locked',
      result: 'consistent',
      code: null,
      findings: [],
      clears: null,
      authority: null,
      station: { id: CAST.station.owner, ...PLACE },
      operator: toOperator(session),
      checkedAt: formatInstant(world.clock.now()),
      clock: world.clockEvidence,
      environment: { simulated: true, rehearsal: false, breakGlass: null },
      ...changes,
    };
  }
  const FLAG: Partial<UnitCheck> = {
    result: 'flagged',
    code: 'LB-116',
    findings: [{ code: 'LB-116', expected: 'one', observed: 'another' }],
  };

  async function signCheck(predicate: UnitCheck, by: readonly Name[] = ['station']): Promise<Envelope> {
    const payload = buildStatement(unitCheck, deviceSubject(device.deviceId), predicate);
    return signEnvelope(
      STATEMENT_PAYLOAD_TYPE,
      payload,
      by.map((name) => CAST[name].key),
    );
  }

  it.each<[string, string, Partial<UnitCheck>]>([
    ['a flag without a finding', 'LS-506', { result: 'flagged' }],
    ['a finding without a flag', 'LS-506', { findings: FLAG.findings! }],
    ['a code that is not that of the finding', 'LS-506', { ...FLAG, code: 'LB-117' }],
    [
      'a code nobody knows',
      'LS-506',
      { ...FLAG, code: 'XX-1', findings: [{ code: 'XX-1', expected: '', observed: '' }] },
    ],
    ['consistency that nobody looked at', 'LS-506', { measurements: [] }],
    ['consistency without a record', 'LS-506', { record: null }],
    ['a lifting nobody decides', 'LS-506', { clears: DIGEST }],
    ['no record of a device that has one', 'LB-108', { ...FLAG, record: null }],
    ['another record', 'LB-108', { record: { serial: 'GW-210-X', seq: 2, digest: DIGEST, logIndex: 2 } }],
    [
      'a unit nobody knows as that of the label',
      'LB-108',
      { ...FLAG, labelUnit: { deviceId: DIGEST.sha256, record: { serial: 'X', seq: 2, digest: DIGEST, logIndex: 1 } } },
    ],
  ])('that claims %s is refused: %s', async (_, code, changes) => {
    expect(await codeOf(world.line.submit(await signCheck(check(changes))))).toBe(code);
  });

  it('quarantines, and is lifted by name and by a supervisor (LB-120)', async () => {
    const flag = await signCheck(check(FLAG));
    await world.line.submit(flag);
    expect((await world.line.unit(device.deviceId))?.state).toBe('quarantined');
    const lifting = {
      clears: { sha256: sha256Hex(flag.payload) },
      authority: { id: CAST.supervisor.owner, role: 'supervisor' },
    };
    const by: readonly Name[] = ['station', 'supervisor'];
    const wrong: readonly [Partial<UnitCheck>, readonly Name[]][] = [
      [{ ...lifting, clears: DIGEST }, by],
      [{ ...lifting, authority: { id: CAST.operator.owner, role: 'operator' } }, ['station', 'operator']],
      [{ ...lifting, authority: { id: CAST.supervisor.owner, role: 'operator' } }, by],
    ];
    for (const [changes, signers] of wrong) {
      expect(await codeOf(world.line.submit(await signCheck(check(changes), signers)))).toBe('LB-120');
    }
    await world.line.submit(await signCheck(check(lifting), by));
    expect((await world.line.unit(device.deviceId))?.state).toBe('passed');
    expect(await codeOf(world.line.submit(await signCheck(check(lifting), by)))).toBe('LB-120');
  });
});

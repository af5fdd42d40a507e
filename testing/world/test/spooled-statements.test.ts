// SPDX-License-Identifier: Apache-2.0
/** What a line says to spooled statements that a station, or somebody with its key, brings it in another way than a station does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  toEnvelope,
  type Envelope,
  type JsonValue,
  type ReasonCode,
} from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  offlineAllowance,
  offlineDelivery,
  parseStatement,
  provisioningIntent,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { LineRefusedError } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import { SimBench } from '../src/sim/sim-bench.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { LINE, PLANT } from '../src/sim/sim-people.ts';

let factory: SimFactory;
/** Intent, event, intent, event – of two units – as the station left them. */
let spooled: readonly Envelope[];

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { offline: { maxUnits: 3, maxHours: 2 }, refusalsPerMinute: 10_000 } });
  const bench = await SimBench.open(factory, { worksOffline: true });
  await bench.program(factory.makeBoard());
  const { line } = factory.wire;
  factory.wire.line = null;
  for (let unit = 0; unit < 2; unit += 1) await bench.program(factory.makeBoard());
  factory.wire.line = line;
  const text = new TextDecoder().decode(bench.disk.get('spool/records'));
  spooled = text
    .split('\n')
    .slice(1, -1)
    .map((record) => toEnvelope((JSON.parse(record.slice(65)) as { statement: JsonValue }).statement));
});

afterAll(async () => {
  await factory.close();
});

async function codeOf(submission: Promise<unknown>): Promise<ReasonCode | null> {
  try {
    await submission;
    return null;
  } catch (error) {
    if (error instanceof LineRefusedError) return error.code;
    throw error;
  }
}

function at(place: number): Envelope {
  return spooled[place] as Envelope;
}

function announce(firstSeq: number, lastSeq: number): Promise<ReasonCode | null> {
  const { key } = factory.people.stations['ST-07'];
  const first = parseStatement(provisioningIntent, at(0).payload).predicate.offline;
  if (first === undefined) throw new TypeError('the first statement has no place');
  const delivery = {
    id: factory.newId(),
    station: { id: 'ST-07', line: LINE, plant: PLANT },
    allowanceDigest: first.allowanceDigest,
    firstSeq,
    lastSeq,
    previousDigest: firstSeq === 1 ? null : { sha256: sha256Hex(at(firstSeq - 2).payload) },
    lastDigest: { sha256: sha256Hex(at(lastSeq - 1).payload) },
    deliveredAt: formatInstant(factory.clock.now()),
    clock: {
      ...{ source: 'chrony', offsetMs: 0, errorBoundMs: 1, stratum: 3, lastSyncAgeMs: 10 },
      ...{ monotonicMs: 9_000_000, bootId: 'boot-1', verdict: 'SANE' as const },
    },
    environment: { simulated: true, rehearsal: false, breakGlass: null },
  };
  const payload = buildStatement(
    offlineDelivery,
    { name: 'station', digest: { sha256: key.publicKey.keyid } },
    delivery,
  );
  return codeOf(signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]).then((envelope) => factory.wire.submit(envelope)));
}

/** The same intent with something changed, signed with the station's own key. */
async function forged(change: (intent: ProvisioningIntent) => ProvisioningIntent): Promise<ReasonCode | null> {
  const { predicate } = parseStatement(provisioningIntent, at(0).payload);
  const intent = change({ ...predicate, event: { ...predicate.event, id: factory.newId() } });
  const payload = buildStatement(provisioningIntent, deviceSubject(intent.identity.deviceId), intent);
  const { key } = factory.people.stations['ST-07'];
  return codeOf(factory.wire.submit(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key])));
}

async function clearStops(): Promise<void> {
  for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
}

describe('a line and spooled statements', () => {
  it('LS-317: none is taken before its delivery was announced', async () => {
    expect(await codeOf(factory.wire.submit(at(0)))).toBe('LS-317');
  });

  it('LS-315: not beyond what the allowance says, whoever signed', async () => {
    expect(await announce(1, 4)).toBeNull();
    const place = (intent: ProvisioningIntent): NonNullable<ProvisioningIntent['offline']> => {
      if (intent.offline === undefined) throw new TypeError('no place');
      return intent.offline;
    };
    expect(await forged((intent) => ({ ...intent, offline: { ...place(intent), unit: 2 } }))).toBe('LS-315');
  });

  it('what was refused is accounted for by its refusal: the next place is free, the same one is not', async () => {
    await clearStops();
    // The forged statement above took the first place; the true one comes too late for it.
    expect(await codeOf(factory.wire.submit(at(0)))).toBe('LS-314');
    expect((await factory.line.store.views.spool('ST-07'))?.seq).toBe(1);
  });

  it('LS-313: what follows another statement than the one that was taken breaks the spool', async () => {
    expect(await codeOf(factory.wire.submit(at(1)))).toBe('LS-313');
    expect((await factory.line.store.views.spool('ST-07'))?.state).toBe('broken');
    expect((await factory.line.line.openStops()).map(({ code }) => code)).toContain('LS-313');
  });

  it('LS-502: nobody but the line makes an allowance', async () => {
    const digest = parseStatement(provisioningIntent, at(0).payload).predicate.offline?.allowanceDigest.sha256 ?? '';
    const row = await factory.line.store.views.siteRecordByDigest(digest);
    const { envelope } = await factory.line.line
      .siteRecords('offline-allowance')
      .then((records) => records[0] as { envelope: Envelope });
    expect(row?.kind).toBe('offline-allowance');
    const { key } = factory.people.stations['ST-07'];
    const { predicate } = parseStatement(offlineAllowance, envelope.payload);
    const more = { ...predicate, id: factory.newId(), number: predicate.number + 1, maxUnits: 64 };
    const subject = { name: 'station', digest: { sha256: key.publicKey.keyid } };
    const payload = buildStatement(offlineAllowance, subject, more);
    const copied = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]);
    expect(await codeOf(factory.wire.submit(copied))).toBe('LS-502');
  });
});

describe('a line and the order of a spool', () => {
  let bench: SimBench;

  beforeAll(async () => {
    await clearStops();
    bench = await SimBench.open(factory, { name: 'ST-08', worksOffline: true });
    await bench.program(factory.makeBoard());
  });

  it('LS-312: a number that jumps names what is between', async () => {
    const { line } = factory.wire;
    factory.wire.line = null;
    for (let unit = 0; unit < 2; unit += 1) await bench.program(factory.makeBoard());
    factory.wire.line = line;
    const text = new TextDecoder().decode(bench.disk.get('spool/records'));
    const own = text
      .split('\n')
      .slice(1, -1)
      .map((record) => toEnvelope((JSON.parse(record.slice(65)) as { statement: JsonValue }).statement));
    const refused = await factory.wire.submit(own[2] as Envelope).catch((error: unknown) => error as LineRefusedError);
    expect(refused).toMatchObject({ code: 'LS-312' });
    expect((refused as LineRefusedError).message).toContain('records 1 to 2 of ST-08');
  });
});

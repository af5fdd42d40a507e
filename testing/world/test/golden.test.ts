// SPDX-License-Identifier: Apache-2.0
/** A10: proving a station with its golden and known-bad units, over the real driver and the real line. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import { buildStatement, deviceSubject, goldenUnit, type GoldenKind } from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { GoldenRegister, type GoldenCheckResult } from '@witnessmark/station';
import { SimBench } from '../src/sim/sim-bench.ts';
import type { SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { LINE, PLANT, type Person } from '../src/sim/sim-people.ts';

const ADDRESS = 0x1000;

let factory: SimFactory;
let bench: SimBench;
let golden: SimBoard;
let knownBad: SimBoard;

beforeAll(async () => {
  factory = await SimFactory.open({ withLock: false });
  bench = await SimBench.open(factory);
  golden = await prepareBoard(factory.image);
  knownBad = await prepareBoard(broken(factory.image));
  await factory.wire.submit(await registration(golden, 'golden'));
  await factory.wire.submit(await registration(knownBad, 'knownBad'));
});
afterAll(() => factory.close());
/** Whatever a test showed, the station is proven before the next. */
beforeEach(async () => {
  await check(golden, 'golden');
  await check(knownBad, 'knownBad');
});

/** At a bench, without any line. */
async function prepareBoard(content: Uint8Array): Promise<SimBoard> {
  const board = factory.makeBoard();
  await rewrite(board, content);
  return board;
}

async function rewrite(board: SimBoard, image: Uint8Array): Promise<void> {
  bench.fixture.bay.insert(board.chip);
  expect((await bench.fixture.driver.program({ address: ADDRESS, image })).state).toBe('DONE');
}

/** One bit off. */
function broken(image: Uint8Array): Uint8Array {
  return image.map((byte, at) => (at === 99 ? byte ^ 1 : byte));
}

async function registration(
  { chip, deviceId, serial }: SimBoard,
  kind: GoldenKind,
  person: Person = factory.people.supervisor,
): Promise<Envelope> {
  const payload = buildStatement(goldenUnit, deviceSubject(deviceId), {
    id: factory.newId(),
    action: 'register',
    registrationId: null,
    kind,
    deviceId,
    hardwareUid: { sha256: sha256Hex(chip.uniqueId) },
    labelSerial: serial,
    content: { address: ADDRESS, length: factory.image.length, digest: { sha256: sha256Hex(factory.image) } },
    site: { plant: PLANT, line: LINE },
    reason: 'station check',
    person: { id: person.owner, role: person.role },
    registeredAt: formatInstant(factory.clock.now()),
  });
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [person.key]);
}

async function readRegister(): Promise<GoldenRegister> {
  const records = await factory.line.line.siteRecords('golden-unit');
  const envelopes = records.map(({ envelope }) => envelope);
  return GoldenRegister.read(envelopes, factory.lineTrust);
}

async function check(board: SimBoard | null, kind: GoldenKind): Promise<GoldenCheckResult> {
  bench.fixture.bay.insert(board?.chip ?? null);
  return bench.station.checkGolden({ kind, register: await readRegister() });
}

describe('a golden check', () => {
  it('succeeds with the golden unit that passes and the known-bad unit that fails, and writes to neither', async () => {
    const before = [golden, knownBad].map(({ chip }) => chip.snapshot().memory);
    expect(await check(golden, 'golden')).toMatchObject({ result: 'asExpected', code: null });
    expect(await check(knownBad, 'knownBad')).toMatchObject({ result: 'asExpected', code: null });
    expect([golden, knownBad].map(({ chip }) => chip.snapshot().memory)).toEqual(before);
    expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
  });

  it('LS-613 fails when units are swapped, missing, or not registered, and stops the station until it succeeds', async () => {
    const scenes: readonly (readonly [SimBoard | null, GoldenKind, string])[] = [
      [knownBad, 'golden', 'the known-bad unit'],
      [golden, 'knownBad', 'the golden unit'],
      [factory.makeBoard(), 'golden', 'not registered'],
      [null, 'golden', 'a device that names itself'],
    ];
    for (const [board, kind, finding] of scenes) {
      const result = await check(board, kind);
      expect(result).toMatchObject({ result: 'unexpected', code: 'LS-613' });
      expect(result.finding).toContain(finding);
      expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'stopped', code: 'LS-613' });
      await check(kind === 'golden' ? golden : knownBad, kind);
      expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    }
  });

  it('LS-613 fails when the known-bad unit passes, and when the golden one has gone bad', async () => {
    await rewrite(knownBad, factory.image);
    expect(await check(knownBad, 'knownBad')).toMatchObject({ result: 'unexpected', code: 'LS-613' });
    await rewrite(knownBad, broken(factory.image));
    expect(await check(knownBad, 'knownBad')).toMatchObject({ result: 'asExpected' });
    await rewrite(golden, broken(factory.image));
    expect(await check(golden, 'golden')).toMatchObject({ result: 'unexpected', code: 'LS-613' });
    await rewrite(golden, factory.image);
    expect(await check(golden, 'golden')).toMatchObject({ result: 'asExpected' });
  });

  it('LS-613 fails, and is on record, when the link breaks while the unit is read', async () => {
    bench.fixture.bay.insert(golden.chip);
    bench.fixture.bay.dropLinkAfter(0);
    const result = await bench.station.checkGolden({ kind: 'golden', register: await readRegister() });
    expect(result).toMatchObject({ result: 'unexpected', code: 'LS-613' });
    expect(result.record.index).toBeGreaterThan(0);
  });

  it("LS-501 is somebody's who is signed in", async () => {
    const unattended = await SimBench.open(factory, { name: 'ST-08', isUnattended: true });
    unattended.fixture.bay.insert(golden.chip);
    const attempt = unattended.station.checkGolden({ kind: 'golden', register: await readRegister() });
    await expect(attempt).rejects.toMatchObject({ code: 'LS-501' });
  });
});

describe('a golden unit at a station', () => {
  it('LS-610 is refused by the station itself, and by the line for a station that does not know', async () => {
    const register = await readRegister();
    let wasAsked = false;
    const { wire } = factory;
    const asking = await SimBench.open(factory, {
      name: 'ST-08',
      ports: {
        golden: register,
        line: {
          requestPermit: (request) => {
            wasAsked = true;
            return wire.requestPermit(request);
          },
          submit: (statement, attachments) => wire.submit(statement, attachments),
          time: () => wire.time(),
          unitEvidence: (unit) => wire.unitEvidence(unit),
        },
      },
    });
    expect(await asking.program(golden)).toMatchObject({ phase: 'stopped', code: 'LS-610' });
    expect(wasAsked).toBe(false);
    const product = factory.makeBoard();
    expect(await asking.program(product, golden.serial)).toMatchObject({ phase: 'stopped', code: 'LS-610' });
    expect(await bench.program(knownBad)).toMatchObject({ phase: 'stopped', code: 'LS-610' });
    expect((await bench.program(product)).phase).toBe('passed');
  });

  it('LS-303 is believed with the signatures of the line and of a supervisor alone', async () => {
    const [record] = await factory.line.line.siteRecords('golden-unit');
    const { signatures = [], ...rest } = record?.envelope ?? {};
    const read = (envelope: unknown): unknown => GoldenRegister.read([envelope as Envelope], factory.lineTrust);
    expect(() => read({ ...rest, signatures })).not.toThrow();
    for (const signature of signatures) {
      const lacking = { ...rest, signatures: signatures.filter((one) => one !== signature) };
      expect(() => read(lacking)).toThrow(expect.objectContaining({ code: 'LS-303' }));
    }
    const byApprover = await registration(factory.makeBoard(), 'golden', factory.people.approvers[0]);
    expect(() => read(byApprover)).toThrow(expect.objectContaining({ code: 'LS-303' }));
  });
});

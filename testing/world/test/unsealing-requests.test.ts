// SPDX-License-Identifier: Apache-2.0
/** What a line asks before it hands out a content key: each rule with the request that breaks it and nothing else. */
import { encodeBase64, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  imageUnsealing,
  parseStatement,
  provisioningIntent,
  type ImageUnsealing,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import type { Attachments, UnsealedImages } from '@witnessmark/api';
import { newTransportKey } from '@witnessmark/boundary';
import { generateSoftwareKey, generateSoftwareKeyAgreement, signEnvelope, type Signer } from '@witnessmark/custody';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { makeFixture } from '../src/sim/sim-device.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { hirePeople, type People } from '../src/sim/sim-people.ts';
import { delegateTo } from '../src/sim/sim-wire.ts';

type FactoryOptions = NonNullable<Parameters<typeof SimFactory.open>[0]>;

interface Asked {
  readonly predicate: ImageUnsealing;
  readonly statement: Envelope;
  readonly permit: Envelope;
}

let factory: SimFactory;
let people: People;

beforeEach(async () => {
  people = { ...hirePeople(), unsealing: generateSoftwareKeyAgreement() };
  factory = await SimFactory.open({ people });
});

afterEach(async () => {
  await factory.close();
});

/** A request as an honest station makes it, held back before it reaches the line. */
async function askHonestly(): Promise<Asked> {
  const held: Asked[] = [];
  const unseal = (statement: Envelope, { permit }: Attachments): Promise<UnsealedImages> => {
    const { predicate } = parseStatement(imageUnsealing, statement.payload);
    held.push({ predicate, statement, permit: permit! });
    return Promise.reject(new Error('held back'));
  };
  const bench = await SimBench.open(factory, { ports: { unsealing: { line: { unseal }, newTransportKey } } });
  await expect(bench.program(factory.makeBoard())).rejects.toThrow('held back');
  return held[0]!;
}

function sign(
  predicate: ImageUnsealing,
  signer: Signer = people.stations['ST-07'].key,
  subject = predicate.identity.deviceId,
): Promise<Envelope> {
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(imageUnsealing, deviceSubject(subject), predicate), [
    signer,
  ]);
}

async function refusalOf(asking: Promise<UnsealedImages>): Promise<string> {
  return asking.then(
    ({ contentKeys }) => `${contentKeys.length} content keys`,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

const OTHER_DIGEST = { sha256: 'cd'.repeat(32) };

describe('an unsealing', () => {
  it('is answered when every rule holds, and again for the same statement', async () => {
    const { statement, permit } = await askHonestly();
    const { line } = factory.line;
    const first = await line.unseal(statement, { permit });
    const again = await line.unseal(statement, { permit });
    expect(first.contentKeys.map(({ image }) => image)).toEqual(['images/R-1.bin']);
    expect(again.entry.index).toBe(first.entry.index);
  });

  it('I14: asked twice at one moment, it is one record', async () => {
    const { statement, permit } = await askHonestly();
    const { line, log } = factory.line;
    const before = log.size;
    const answers = await Promise.all([1, 2, 3].map(() => line.unseal(statement, { permit })));
    expect(new Set(answers.map(({ entry }) => entry.index)).size).toBe(1);
    expect(log.size).toBe(before + 1);
  });

  const changes: readonly (readonly [string, string, (predicate: ImageUnsealing) => Partial<ImageUnsealing>])[] = [
    [
      'for another transaction than the permit',
      'LS-504',
      () => ({ transactionId: '01900000-0000-7000-8000-00000000abcd' }),
    ],
    ['with a permit it does not name', 'LS-504', () => ({ permitDigest: OTHER_DIGEST })],
    ['for another release', 'LS-504', ({ release }) => ({ release: { ...release, candidateDigest: OTHER_DIGEST } })],
    ['by the name of another station', 'LS-502', ({ station }) => ({ station: { ...station, id: 'ST-08' } })],
    ['for another line', 'LS-502', ({ station }) => ({ station: { ...station, line: 'L4' } })],
    ['by another operator', 'LS-504', ({ operator }) => ({ operator: { ...operator, id: 'op-4471' } })],
    [
      'in a session nobody logged',
      'LS-501',
      ({ operator }) => ({ operator: { ...operator, sessionDigest: OTHER_DIGEST } }),
    ],
    ['with a clock that is wrong', 'LS-301', ({ clock }) => ({ clock: { ...clock, verdict: 'INSANE' } })],
    ['of an old time', 'LS-301', () => ({ requestedAt: '2027-03-04T11:00:00.000Z' })],
    [
      'for images the release has not',
      'LS-506',
      ({ images }) => ({ images: [...images, { ...images[0]!, name: 'images/x' }] }),
    ],
    ['for another envelope', 'LS-506', ({ images }) => ({ images: [{ ...images[0]!, sealedDigest: OTHER_DIGEST }] })],
    ['with a transport key that is none', 'LS-506', () => ({ transportKey: 'AAAA' })],
    [
      'with a transport key that signs',
      'LS-506',
      () => ({ transportKey: encodeBase64(generateSoftwareKey('ed25519').publicKey.spki) }),
    ],
  ];
  it.each(changes)('A8: %s is refused', async (_, code, change) => {
    const { predicate, permit } = await askHonestly();
    const statement = await sign({ ...predicate, ...change(predicate) });
    const { line, log } = factory.line;
    const before = log.size;
    expect(await refusalOf(line.unseal(statement, { permit }))).toBe(code);
    // The refusal, and nothing else.
    expect(log.size).toBe(before + 1);
    expect(await refusalOf(line.unseal(await sign(predicate), { permit }))).toBe('1 content keys');
  });

  it('A8: without a permit, signed by somebody else, or about another device is refused', async () => {
    const { predicate, permit, statement } = await askHonestly();
    const { line } = factory.line;
    expect(await refusalOf(line.unseal(statement, {}))).toBe('LS-504');
    expect(await refusalOf(line.unseal(await sign(predicate, people.operators['ST-07'].key), { permit }))).toBe(
      'LS-502',
    );
    expect(await refusalOf(line.unseal(await sign(predicate, people.stations['ST-08'].key), { permit }))).toBe(
      'LS-502',
    );
    expect(
      await refusalOf(line.unseal(await sign(predicate, generateSoftwareKey('ecdsa-sha2-nistp256')), { permit })),
    ).toBe('LS-502');
    const elsewhere = await sign(predicate, people.stations['ST-07'].key, 'ef'.repeat(32));
    expect(await refusalOf(line.unseal(elsewhere, { permit }))).toBe('LS-506');
  });

  it('A8: with a permit that ran out is refused', async () => {
    const { predicate, permit } = await askHonestly();
    factory.clock.advance(121_000);
    const late = { ...predicate, requestedAt: new Date(factory.clock.now()).toISOString() };
    expect(await refusalOf(factory.line.line.unseal(await sign(late), { permit }))).toBe('LS-504');
  });

  it('A8: a second one for the same pass is refused, one after the other and at once', async () => {
    const { predicate, permit, statement } = await askHonestly();
    const { line } = factory.line;
    const others = [1, 2].map((number) => sign({ ...predicate, id: `01900000-0000-7000-8000-00000000000${number}` }));
    const [second, third] = await Promise.all(others);
    const answers = await Promise.all([statement, second!].map((asked) => refusalOf(line.unseal(asked, { permit }))));
    expect(answers.toSorted()).toEqual(['1 content keys', 'BX-213']);
    expect(await refusalOf(line.unseal(third!, { permit }))).toBe('BX-213');
  });

  it('of a release that was withdrawn after the permit is refused', async () => {
    const { statement, permit } = await askHonestly();
    await factory.releases.withdraw('R-1', factory.clock.now());
    factory.clock.advance(60_000);
    const { predicate } = parseStatement(imageUnsealing, statement.payload);
    const late = { ...predicate, requestedAt: new Date(factory.clock.now()).toISOString() };
    expect(await refusalOf(factory.line.line.unseal(await sign(late), { permit }))).toBe('LS-203');
  });
});

describe('a line or a station that is not set up for it', () => {
  async function reopen(options: FactoryOptions): Promise<void> {
    await factory.close();
    factory = await SimFactory.open(options);
  }

  it('BX-205: a line whose key is not a recipient hands nothing out, and logs no unsealing', async () => {
    await reopen({ people, wrapUnsealing: () => generateSoftwareKeyAgreement() });
    const { statement, permit, predicate } = await askHonestly();
    expect(await refusalOf(factory.line.line.unseal(statement, { permit }))).toBe('BX-205');
    expect(await factory.line.store.views.siteRecord(predicate.id)).toBeUndefined();
  });

  it('BX-206: a station that cannot open sealed images refuses before it touches the device', async () => {
    const board = factory.makeBoard();
    const { driver } = makeFixture(board);
    const station = await factory.startStation({ files: new CrashFs(), driver, opensSealed: false });
    await station.signIn(await factory.session('ST-07', true));
    const result = await station.programUnit({ job: JOB, label: { raw: board.serial, symbology: 'd2' } });
    expect([result.phase, result.code, result.deviceId]).toEqual(['stopped', 'BX-206', null]);
  });

  it('BX-204: a line that requires sealed releases refuses one in clear, and takes a sealed one', async () => {
    await reopen({ people: hirePeople(), rules: { sealing: 'required' } });
    const refused = await (await SimBench.open(factory)).program(factory.makeBoard());
    expect([refused.phase, refused.code]).toEqual(['stopped', 'BX-204']);
    await reopen({ people, rules: { sealing: 'required' } });
    expect((await (await SimBench.open(factory)).program(factory.makeBoard())).phase).toBe('passed');
  });

  it('LS-506: there is nothing to unseal of a release in clear', async () => {
    const { predicate } = await askHonestly();
    await reopen({ people: hirePeople() });
    const held: { readonly intent: ProvisioningIntent; readonly permit: Envelope }[] = [];
    const { line } = factory.line;
    const bench = await SimBench.open(factory);
    factory.wire.line = {
      ...delegateTo(line),
      submit: (statement, { permit } = {}) => {
        held.push({ intent: parseStatement(provisioningIntent, statement.payload).predicate, permit: permit! });
        return Promise.reject(new Error('held back'));
      },
    };
    await bench.program(factory.makeBoard());
    const { intent, permit } = held[0]!;
    const { identity, product, release, operator, permitDigest, timing, environment, event } = intent;
    const { transactionId } = event;
    const about = { identity, product, release, operator, permitDigest, environment, transactionId };
    const forged = { ...predicate, ...about, requestedAt: timing.intendedAt, clock: timing.clock };
    const signed = await sign(forged, factory.people.stations['ST-07'].key);
    expect(await refusalOf(line.unseal(signed, { permit }))).toBe('LS-506');
  });
});

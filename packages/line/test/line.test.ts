// SPDX-License-Identifier: Apache-2.0
import { formatEnvelope, sha256Hex, verifyEnvelope, type Bytes } from '@witnessmark/core';
import { parseStatement, refusal, type OperatorSession } from '@witnessmark/attestation';
import { LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import { verifyLogProof, parseLogProof } from '@witnessmark/tlog';
import { CustodyError, type Signer } from '@witnessmark/custody';
import { StoreError, type Store } from '@witnessmark/store';
import { afterEach, describe, expect, it } from 'vitest';
import { CAST, LOG_SIGNER } from './support/cast.ts';
import { TestReleases, toManifest, toRule } from './support/release.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

let world: World;
let session: Signed<OperatorSession>;
afterEach(() => world.close());

async function open(options: Parameters<typeof World.open>[0] = {}): Promise<void> {
  world = await World.open(options);
  session = await world.signIn();
}

async function refused(promise: Promise<unknown>): Promise<LineRefusedError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LineRefusedError) return error;
  throw new Error(`expected a refusal, found ${String(error)}`, { cause: error });
}

describe('a unit', () => {
  it('goes from permit to passed; each answer carries a proof of the entry with both signatures', async () => {
    await open();
    const device = toDevice(1);
    const { index, envelope, proof } = await world.provision(device, session);
    expect(await world.line.unit(device.serial)).toEqual({
      deviceId: device.deviceId,
      labelSerial: device.serial,
      sku: 'GW-210',
      state: 'passed',
      attempts: 1,
      releaseId: 'gw-1.4.0',
      station: 'ST-1',
      head: { seq: 2, digest: sha256Hex(envelope.payload) },
      openTransaction: null,
    });
    expect(await world.line.unit(device.deviceId)).toEqual(await world.line.unit(device.serial));
    expect(await world.line.unit('GW-210-0000-0000-0000')).toBeNull();
    const keys = [CAST.station.key.publicKey, CAST.evidence.key.publicKey];
    verifyEnvelope(envelope, { keys, threshold: 2, payloadType: envelope.payloadType });
    const checkpoint = verifyLogProof(formatEnvelope(envelope), parseLogProof(proof), LOG_SIGNER.verifierKey);
    expect(checkpoint.treeSize).toBe(index + 1);
  });

  it('A7 is refused when it passed already, and the station stops until a supervisor decides', async () => {
    await open();
    const device = toDevice(1);
    await world.provision(device, session);
    const again = await refused(world.line.requestPermit((await world.permitRequest(device, session)).envelope));
    expect(again).toMatchObject({ code: 'LS-102' });
    const next = async (): Promise<string> =>
      codeOf(world.line.requestPermit((await world.permitRequest(toDevice(2), session)).envelope));
    expect(await next()).toBe('LS-503');
    const decision = await world.disposition(await world.onlyStop(), { action: 'releaseStation' });
    await world.line.submit(decision.envelope);
    await world.permit(await world.permitRequest(toDevice(2), session));
    expect(await world.line.unit(device.serial)).toMatchObject({ state: 'passed' });
  });

  it('A25 may fail as often as the rules allow; then a supervisor decides', async () => {
    await open({ rules: { maxAttempts: 2 } });
    const device = toDevice(1);
    await world.provision(device, session, { outcome: 'FAILED', code: 'UF-02' });
    const { envelope, index } = await world.provision(device, session, { outcome: 'FAILED', code: 'UF-03' });
    expect(await world.line.unit(device.serial)).toMatchObject({ state: 'failed', attempts: 2 });
    const request = await world.permitRequest(device, session);
    expect(await codeOf(world.line.requestPermit(request.envelope))).toBe('HD-03');
    expect(await world.line.openStops()).toEqual([]);
    const event = await world.store.views.eventByDigest(sha256Hex(envelope.payload));
    const decision = await world.disposition(
      {
        refusalId: event!.event_id,
        refusalDigest: { sha256: event!.payload_digest },
        code: 'HD-03',
        deviceId: device.deviceId,
        station: 'ST-1',
      },
      { action: 'allowRetry' },
    );
    expect((await world.line.submit(decision.envelope)).index).toBeGreaterThan(index);
    await world.provision(device, session);
    expect(await world.line.unit(device.serial)).toMatchObject({ state: 'passed', attempts: 3 });
  });

  it('A24 is one of at most as many as were ordered, also when three ask at once', async () => {
    const releases = await TestReleases.create();
    releases.rules = [toRule({ maxUnits: 2 })];
    await open({ releases });
    const asked = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const request = await world.permitRequest(toDevice(number), session);
        return { request, permit: await world.permit(request) };
      }),
    );
    const intents = await Promise.all(asked.map(({ request, permit }) => world.intent(request, permit)));
    const outcomes = await Promise.allSettled(
      intents.map(({ envelope }, position) =>
        world.line.submit(envelope, { permit: asked[position]!.permit.envelope }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LS-206' } });
    expect(await world.store.views.releaseUse('gw-1.4.0', 'L1')).toBe(2);
  });

  it('A36 is never programmed with a release counter below one seen before, restart or not', async () => {
    const releases = await TestReleases.create(toManifest(), toManifest({ releaseId: 'gw-1.3.0', releaseCounter: 3 }));
    await open({ releases });
    await world.provision(toDevice(1), session);
    releases.rules = [toRule({ releaseId: 'gw-1.3.0' })];
    const ask = async (): Promise<string> =>
      codeOf(world.line.requestPermit((await world.permitRequest(toDevice(2), session)).envelope));
    expect(await ask()).toBe('LS-204');
    await world.restart();
    expect(await ask()).toBe('LS-204');
    releases.rules = [toRule()];
    await world.permit(await world.permitRequest(toDevice(2), session));
  });
});

describe('A23 two stations on one device', () => {
  it('one wins, the other is refused by the database, whatever was looked up before', async () => {
    await open();
    const there = await world.signIn('secondStation', 'secondOperator');
    for (const number of [1, 2, 3, 4]) {
      const device = toDevice(number);
      const requests = [
        await world.permitRequest(device, session),
        await world.permitRequest(device, there, {}, { station: 'secondStation' }),
      ] as const;
      const permits = await Promise.all(requests.map((request) => world.permit(request)));
      const intents = [
        await world.intent(requests[0], permits[0]!),
        await world.intent(requests[1], permits[1]!, {}, { station: 'secondStation' }),
      ];
      const order = number % 2 === 0 ? [0, 1] : [1, 0];
      const outcomes = await Promise.allSettled(
        order.map((at) => world.line.submit(intents[at]!.envelope, { permit: permits[at]!.envelope })),
      );
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'LS-105' } });
      const winner = order[0] === 0 ? 'ST-1' : 'ST-2';
      expect(await world.line.unit(device.deviceId)).toMatchObject({ station: winner, head: { seq: 1 } });
      await world.line.submit((await world.disposition(await world.onlyStop(), { action: 'releaseStation' })).envelope);
    }
  });

  it('A2 one assigned label for two devices at once: one of them gets it', async () => {
    const manifest = toManifest({ labelRule: 'assigned' });
    await open({ releases: await TestReleases.create(manifest) });
    const begin = async (number: number): Promise<() => Promise<unknown>> => {
      const device = toDevice(number);
      const { identity } = (await world.permitRequest(device, session)).predicate;
      const label = { raw: 'SN-1', symbology: 'd2', serial: 'SN-1', partNumber: null };
      const request = await world.permitRequest(device, session, { identity: { ...identity, label } });
      const permit = await world.permit(request);
      const intent = await world.intent(request, permit, {}, { manifest });
      return () => world.line.submit(intent.envelope, { permit: permit.envelope });
    };
    const outcomes = await Promise.allSettled([await begin(1), await begin(2)].map((submit) => submit()));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'LS-101' } });
  });
});

describe('I14 the same request', () => {
  it('gets the same permit', async () => {
    await open();
    const request = await world.permitRequest(toDevice(1), session);
    const permits = await Promise.all([1, 2, 3].map(() => world.line.requestPermit(request.envelope)));
    expect(new Set(permits.map((permit) => Buffer.from(formatEnvelope(permit)).toString())).size).toBe(1);
    expect(await world.line.requestPermit(request.envelope)).toEqual(permits[0]);
  });

  it('with other content is refused with LS-505', async () => {
    await open();
    const request = await world.permitRequest(toDevice(1), session);
    await world.permit(request);
    const other = await world.permitRequest(toDevice(2), session, { requestId: request.predicate.requestId });
    expect(await codeOf(world.line.requestPermit(other.envelope))).toBe('LS-505');
  });

  it('is logged once and answered alike: session, intent, event, refusal, disposition; also after a restart', async () => {
    await open();
    const device = toDevice(1);
    const request = await world.permitRequest(device, session);
    const permit = await world.permit(request);
    const intent = await world.intent(request, permit);
    const stop = await world.stationRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: toDevice(9).deviceId });
    const submissions = [
      { envelope: session.envelope },
      { envelope: intent.envelope, attachments: { permit: permit.envelope } },
      { envelope: (await world.event(intent)).envelope },
      { envelope: stop.envelope },
    ];
    const first: LoggedEntry[] = [];
    for (const { envelope, attachments } of submissions) first.push(await world.line.submit(envelope, attachments));
    const decision = await world.disposition(await world.onlyStop(), { action: 'voidLabel' });
    submissions.push({ envelope: decision.envelope });
    first.push(await world.line.submit(decision.envelope));
    const size = world.log.size;

    const repeat = async (): Promise<void> => {
      for (const [position, { envelope }] of submissions.entries()) {
        // Even the permit is not needed again: the answer is in the log.
        const { index, envelope: logged } = await world.line.submit(envelope);
        expect({ index, envelope: logged }).toEqual({
          index: first[position]!.index,
          envelope: first[position]!.envelope,
        });
      }
      expect(world.log.size).toBe(size);
    };
    await repeat();
    world.clock.advance(10 * 3_600_000);
    await world.restart();
    await repeat();
  });

  it('sent five times at once is logged once', async () => {
    await open();
    const intent = await world.begin(toDevice(1), session);
    const event = await world.event(intent);
    const size = world.log.size;
    const entries = await Promise.all([1, 2, 3, 4, 5].map(() => world.line.submit(event.envelope)));
    expect(new Set(entries.map(({ index }) => index))).toEqual(new Set([size]));
    expect(world.log.size).toBe(size + 1);
  });

  it('id for another statement is refused with LS-505, and the first one stands', async () => {
    await open();
    const first = await world.begin(toDevice(1), session);
    const request = await world.permitRequest(toDevice(2), session);
    const permit = await world.permit(request);
    const { predicate } = await world.intent(request, permit);
    const thief = await world.intent(request, permit, { event: { ...predicate.event, id: first.predicate.event.id } });
    expect(await codeOf(world.line.submit(thief.envelope, { permit: permit.envelope }))).toBe('LS-505');
    const again = await world.session({
      session: {
        ...session.predicate.session,
        id: session.predicate.session.id,
        expiresAt: session.predicate.session.openedAt,
      },
    });
    expect(await codeOf(world.line.submit(again.envelope))).toBe('LS-505');
    expect(await world.store.views.event(first.predicate.event.id)).toMatchObject({ payload_digest: first.digest });
  });
});

describe('I9 I3 when records cannot be stored', () => {
  it('LS-302: no new unit begins on a full disk, the open one is finished, and nothing else changed', async () => {
    await open();
    const intent = await world.begin(toDevice(1), session);
    const request = await world.permitRequest(toDevice(2), session);
    const permit = await world.permit(request);
    const next = await world.intent(request, permit);
    const size = world.log.size;
    world.freeBytes = 100 * 1024 * 1024;
    expect(await codeOf(world.line.requestPermit((await world.permitRequest(toDevice(3), session)).envelope))).toBe(
      'LS-302',
    );
    expect(await codeOf(world.line.submit(next.envelope, { permit: permit.envelope }))).toBe('LS-302');
    expect(await world.line.unit(toDevice(2).deviceId)).toBeNull();
    expect(await world.line.checkHealth()).toMatchObject({ status: 'failing' });
    // The refusals themselves are closing work, and so is the event.
    expect(world.log.size).toBe(size + 2);
    await world.line.submit((await world.event(intent)).envelope);
    world.freeBytes = 0;
    expect(await codeOf(world.line.submit((await world.stationRefusal()).envelope))).toBe('LS-302');
    expect(world.log.size).toBe(size + 3);
    world.freeBytes = 1e12;
    await world.line.submit(next.envelope, { permit: permit.envelope });
    expect(await world.line.checkHealth()).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['although it is stored', true],
    ['and it is not stored', false],
  ])(
    'says "unknown" when a commit fails %s, LS-302 from then on, and the truth after a restart',
    async (_, isStored) => {
      let breaks = false;
      const wrapStore = (store: Store): Store => ({
        views: store.views,
        head: () => store.head(),
        journal: () => store.journal(),
        dump: () => store.dump(),
        close: () => store.close(),
        commit: async (request) => {
          if (!breaks) return store.commit(request);
          if (isStored) await store.commit(request);
          throw new StoreError('ERR_STORE_IO', 'the disk does not answer');
        },
      });
      await open({ wrapStore });
      const intent = await world.begin(toDevice(1), session);
      const event = await world.event(intent);
      const size = world.log.size;
      breaks = true;
      expect(await codeOf(world.line.submit(event.envelope))).toBe('ERR_API_UNREACHABLE');
      expect(await codeOf(world.line.submit((await world.stationRefusal()).envelope))).toBe('LS-302');
      expect(await codeOf(world.line.requestPermit((await world.permitRequest(toDevice(2), session)).envelope))).toBe(
        'LS-302',
      );
      expect(await world.line.checkHealth()).toMatchObject({ status: 'failing' });
      breaks = false;
      await world.restart();
      expect(world.log.size).toBe(isStored ? size + 1 : size);
      expect((await world.line.submit(event.envelope)).index).toBe(size);
      expect(await world.line.unit(toDevice(1).deviceId)).toMatchObject({ state: 'passed' });
    },
  );

  it('LS-304 when the evidence key does not answer; nothing is logged', async () => {
    let isAway = false;
    const signer: Signer = {
      publicKey: CAST.evidence.key.publicKey,
      custody: 'software',
      sign: (message: Bytes) =>
        isAway
          ? Promise.reject(new CustodyError('ERR_CUSTODY_SIGN', 'the token is gone'))
          : CAST.evidence.key.sign(message),
    };
    await open({ line: { signer } });
    const size = world.log.size;
    isAway = true;
    expect(await codeOf(world.line.submit((await world.stationRefusal()).envelope))).toBe('LS-304');
    expect(await codeOf(world.line.requestPermit((await world.permitRequest(toDevice(1), session)).envelope))).toBe(
      'LS-304',
    );
    expect(world.log.size).toBe(size);
    isAway = false;
    await world.line.submit((await world.stationRefusal()).envelope);
  });

  it('A17 LS-301 when the clock of the line itself went back', async () => {
    await open();
    world.clock.advance(-60_000);
    const error = await refused(world.line.submit((await world.stationRefusal()).envelope));
    expect(error).toMatchObject({ code: 'LS-301', refusal: null });
  });
});

describe('I12 a refusal', () => {
  it('is evidence: signed by the line, logged, about the device, with the digest of what was refused', async () => {
    await open();
    const request = await world.permitRequest(toDevice(1), session, { releaseId: 'gw-0.9' });
    const error = await refused(world.line.requestPermit(request.envelope));
    const { envelope, index } = error.refusal!;
    verifyEnvelope(envelope, { keys: [CAST.evidence.key.publicKey], threshold: 1, payloadType: envelope.payloadType });
    expect(await world.log.readEntry(index)).toEqual(formatEnvelope(envelope));
    const { predicate, subject } = parseStatement(refusal, envelope.payload);
    expect(subject[0].digest.sha256).toBe(toDevice(1).deviceId);
    expect(predicate).toMatchObject({
      id: request.predicate.requestId,
      kind: 'LINE_STOP',
      code: 'LS-203',
      deviceId: toDevice(1).deviceId,
      requestDigest: { sha256: request.digest },
      station: { id: 'ST-1', line: 'L1' },
      operatorId: 'op-anna',
      expected: 'release gw-1.4.0',
      observed: 'gw-0.9',
    });
  });

  it('of the same request is the same one; asked again when things changed, the request is granted', async () => {
    const releases = await TestReleases.create();
    await open({ releases });
    releases.rules = [];
    const request = await world.permitRequest(toDevice(1), session);
    const first = await refused(world.line.requestPermit(request.envelope));
    expect(first.code).toBe('LS-205');
    const size = world.log.size;
    expect((await refused(world.line.requestPermit(request.envelope))).refusal!.index).toBe(first.refusal!.index);
    await world.restart();
    expect((await refused(world.line.requestPermit(request.envelope))).refusal!.index).toBe(first.refusal!.index);
    expect(world.log.size).toBe(size);
    releases.rules = [toRule()];
    await world.permit(request);
  });

  it('of a request that came twice at once is logged once, for both', async () => {
    await open();
    const { envelope } = await world.permitRequest(toDevice(1), session, { releaseId: 'gw-0.9' });
    const size = world.log.size;
    const errors = await Promise.all([1, 2, 3].map(() => refused(world.line.requestPermit(envelope))));
    expect(errors.map(({ code, refusal: entry }) => [code, entry?.index])).toEqual(
      [1, 2, 3].map(() => ['LS-203', size]),
    );
    expect(world.log.size).toBe(size + 1);
  });

  it('with another reason for the same request is another one', async () => {
    const releases = await TestReleases.create();
    await open({ releases });
    releases.rules = [];
    const request = await world.permitRequest(toDevice(1), session);
    const first = await refused(world.line.requestPermit(request.envelope));
    world.clock.advance(60_000);
    const second = await refused(world.line.requestPermit(request.envelope));
    expect([first.code, second.code]).toEqual(['LS-205', 'LS-301']);
    expect(second.refusal!.index).toBe(first.refusal!.index + 1);
  });

  it('with more to say than fits is cut between two characters', async () => {
    await open();
    const request = await world.permitRequest(toDevice(1), session);
    const permit = await world.permit(request);
    const components = Array.from({ length: 9 }, (_, at) => ({
      name: `${'😀'.repeat(120)}${'x'.repeat(at)}`,
      slot: '0x0',
      image: { name: 'images/other.bin', digest: { sha256: 'cd'.repeat(32) }, length: 1 },
    }));
    const intent = await world.intent(request, permit, { components });
    const error = await refused(world.line.submit(intent.envelope, { permit: permit.envelope }));
    const { observed } = parseStatement(refusal, error.refusal!.envelope.payload).predicate;
    expect(observed).toHaveLength(1000);
    expect(observed.isWellFormed()).toBe(true);
  });

  it('about somebody who could not be identified says nothing they claimed', async () => {
    await open();
    const { envelope } = await world.permitRequest(toDevice(1), session);
    const stranger = { ...envelope, signatures: [{ keyid: 'f'.repeat(64), sig: envelope.signatures[0]!.sig }] };
    const error = await refused(world.line.requestPermit(stranger));
    const { predicate, subject } = parseStatement(refusal, error.refusal!.envelope.payload);
    expect(subject[0].digest.sha256).toBe(sha256Hex(envelope.payload));
    expect(predicate).toMatchObject({
      code: 'LS-502',
      deviceId: null,
      operatorId: null,
      station: { id: 'unidentified' },
    });
  });

  it('A65 in a flood is summed up, and the sum is logged when its minute is over', async () => {
    await open({ rules: { refusalsPerMinute: 3 } });
    const { envelope } = await world.permitRequest(toDevice(1), session);
    const stranger = { ...envelope, signatures: [{ keyid: 'f'.repeat(64), sig: envelope.signatures[0]!.sig }] };
    const size = world.log.size;
    for (let count = 0; count < 20; count += 1) {
      const error = await refused(world.line.requestPermit(stranger));
      expect(error.refusal === null).toBe(count >= 3);
    }
    expect(world.log.size).toBe(size + 3);
    // Another source still has its own measure.
    expect(
      (
        await refused(
          world.line.requestPermit((await world.permitRequest(toDevice(1), session, { releaseId: 'x' })).envelope),
        )
      ).refusal,
    ).not.toBeNull();
    await world.line.summarizeRefusals();
    expect(world.log.size).toBe(size + 4);
    world.clock.advance(60_000);
    await world.line.summarizeRefusals();
    expect(world.log.size).toBe(size + 5);
    expect((await world.payloads()).at(-1)!['predicate']).toMatchObject({
      kind: 'REFUSED',
      code: 'LS-502',
      station: { id: 'unidentified' },
      observed: expect.stringContaining('17 more from') as string,
    });
    expect(await world.line.openStops()).toEqual([]);
  });

  it('that opens a stop is never summed up while none is open', async () => {
    const releases = await TestReleases.create();
    releases.rules = [];
    await open({ rules: { refusalsPerMinute: 1 }, releases });
    await refused(world.line.requestPermit((await world.permitRequest(toDevice(1), session)).envelope));
    expect(
      (await refused(world.line.requestPermit((await world.permitRequest(toDevice(2), session)).envelope))).refusal,
    ).toBeNull();
    const { identity } = (await world.permitRequest(toDevice(3), session)).predicate;
    const swapped = await world.permitRequest(toDevice(3), session, {
      identity: { ...identity, identityMatch: 'MISMATCH' },
    });
    const stop = await refused(world.line.requestPermit(swapped.envelope));
    expect(stop).toMatchObject({ code: 'LS-101', refusal: { index: world.log.size - 1 } });
    expect(await world.line.openStops()).toHaveLength(1);
  });
});

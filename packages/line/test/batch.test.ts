// SPDX-License-Identifier: Apache-2.0
/** Batches (spec/http-api.md): once, in order, each statement answered for itself, whatever becomes of the others. */
import { join } from 'node:path';
import { formatEnvelope, formatInstant, fromEnvelope, type Envelope } from '@witnessmark/core';
import type { OperatorSession, ProvisioningEvent, ProvisioningIntent } from '@witnessmark/attestation';
import { API_LIMITS, HttpLineService, type BatchItem, type BatchOutcome, type Problem } from '@witnessmark/api';
import { StoreError, type Store } from '@witnessmark/store';
import { parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLineServer, type LineServer } from '../src/index.ts';
import { LOG_SIGNER } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { toDevice, World } from './support/world.ts';

let world: World;
let server: LineServer;
let client: HttpLineService;
/** A refusal that is no failure of a unit. */
const NO_FAILURE = { kind: 'HOLD', code: 'HD-01' } as const;

let session: Signed<OperatorSession>;
let devices = 0;
const faults: unknown[] = [];

beforeAll(async () => {
  world = await World.open({ rules: { refusalsPerMinute: 1000 } });
  server = await serve(world);
  client = new HttpLineService({ baseUrl: server.url, timeoutMs: 60_000 });
  session = await world.signIn();
});
afterAll(async () => {
  await server.close();
  await world.close();
  expect(faults).toEqual([]);
});

function serve({ line, directory }: World): Promise<LineServer> {
  const logDirectory = join(directory, 'log');
  const onFault = (error: unknown): unknown => faults.push(error);
  return startLineServer({ line, logDirectory, trustDirectory: directory, host: '127.0.0.1', port: 0, onFault });
}

interface Pass {
  readonly intent: Signed<ProvisioningIntent>;
  readonly event: Signed<ProvisioningEvent>;
  /** Both, as a station delivers them. */
  readonly items: readonly [BatchItem, BatchItem];
}

/** A unit's intent and event, with a permit from the line, neither of them submitted. */
async function newPass(at: World = world, by: Signed<OperatorSession> = session): Promise<Pass> {
  const request = await at.permitRequest(toDevice((devices += 1)), by);
  const permit = await at.permit(request);
  const intent = await at.intent(request, permit);
  const event = await at.event(intent);
  const attachments = { permit: permit.envelope };
  return { intent, event, items: [{ statement: intent.envelope, attachments }, { statement: event.envelope }] };
}

async function newRefusal(changes: Parameters<World['stationRefusal']>[0] = {}): Promise<BatchItem> {
  return { statement: (await world.stationRefusal(changes)).envelope };
}

function describeOutcomes(outcomes: readonly BatchOutcome[]): readonly string[] {
  return outcomes.map((outcome) => (outcome.state === 'logged' ? 'logged' : outcome.error.code));
}

function indexesOf(outcomes: readonly BatchOutcome[]): readonly number[] {
  return outcomes.flatMap((outcome) => (outcome.state === 'logged' ? [outcome.entry.index] : []));
}

function post(body: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${server.url}/api/v1/entries/batch`, { method: 'POST', body, headers });
}

function toBody(envelopes: readonly Envelope[]): string {
  return JSON.stringify({ statements: envelopes.map((envelope) => ({ envelope: fromEnvelope(envelope) })) });
}

/** `count` statements of which none depends on another. */
function newStatements(count: number): Promise<readonly Envelope[]> {
  return Promise.all(Array.from({ length: count }, async () => (await world.stationRefusal(NO_FAILURE)).envelope));
}

/** Statements that are new work; the second one ends what the first began. */
async function newSessions(): Promise<readonly [Envelope, Envelope]> {
  return [(await world.session()).envelope, (await world.session()).envelope];
}

describe('a batch', () => {
  it('takes units through, an event after its intent, in the order given and with proofs', async () => {
    const passes = [await newPass(), await newPass(), await newPass()];
    const first = world.log.size;
    const outcomes = await client.submitAll(passes.flatMap(({ items }) => items));
    expect(indexesOf(outcomes)).toEqual([0, 1, 2, 3, 4, 5].map((offset) => first + offset));
    for (const outcome of outcomes) {
      if (outcome.state !== 'logged') throw outcome.error;
      const { envelope, proof } = outcome.entry;
      verifyLogProof(formatEnvelope(envelope), parseLogProof(proof), LOG_SIGNER.verifierKey);
    }
    for (const { intent } of passes) {
      expect(await client.unit(intent.predicate.identity.deviceId)).toMatchObject({ state: 'passed' });
    }
  });

  it('answers as statements sent one by one: an event before its intent is refused, and its stop holds the intent', async () => {
    const other = await World.open();
    const { items } = await newPass(other, await other.signIn());
    const results = await other.line.recordAll([items[1], items[0]]);
    expect(results).toMatchObject([
      { status: 'rejected', reason: { code: 'LS-106' } },
      { status: 'rejected', reason: { code: 'LS-503' } },
    ]);
    await other.close();
  });

  it('a session counts for the intent after it', async () => {
    const other = await World.open();
    const signedIn = await other.signIn();
    const { intent, items } = await newPass(other, signedIn);
    // Somebody signs in again: the session of the intent is over once that is logged.
    const later = { statement: (await other.session()).envelope };
    const results = await other.line.recordAll([later, ...items]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'LS-515' });
    expect(await other.line.unit(intent.predicate.identity.deviceId)).toBeNull();
    await other.close();
  });

  it('a stop that one statement opens holds back the next intent of the station', async () => {
    const { items } = await newPass();
    const stop = await newRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: toDevice(90_001).deviceId });
    expect(describeOutcomes(await client.submitAll([stop, items[0]]))).toEqual(['logged', 'LS-503']);
    const [open] = await client.openStops();
    const decision = await world.disposition(
      { ...open!, refusalDigest: { sha256: open!.refusalDigest } },
      { action: 'voidLabel' },
    );
    const outcomes = await client.submitAll([{ statement: decision.envelope }, ...items]);
    expect(describeOutcomes(outcomes)).toEqual(['logged', 'logged', 'logged']);
  });

  it('a refused statement in the middle stops none after it, and its refusal has its place in the order', async () => {
    const [good, next] = [await newPass(), await newPass()];
    const forged = { ...good.event.envelope, payload: next.event.envelope.payload };
    const first = world.log.size;
    const outcomes = await client.submitAll([good.items[0], { statement: forged }, good.items[1], ...next.items]);
    expect(describeOutcomes(outcomes)).toEqual(['logged', 'LS-502', 'logged', 'logged', 'logged']);
    expect(indexesOf(outcomes)).toEqual([0, 2, 3, 4].map((offset) => first + offset));
    expect((outcomes[1] as { error: object }).error).toMatchObject({ refusal: { index: first + 1 } });
  });

  it('holds a statement twice and logs it once, and once more in the next batch', async () => {
    const [one = never(), two = never()] = await newStatements(2);
    const { items } = await newPass();
    const first = world.log.size;
    const batch = [...items, items[1], { statement: one }, { statement: one }, { statement: two }, { statement: one }];
    const indexes = indexesOf(await client.submitAll(batch));
    expect(indexes).toEqual([0, 1, 1, 2, 2, 3, 2].map((offset) => first + offset));
    const size = world.log.size;
    expect(size).toBe(first + 4);
    expect(indexesOf(await client.submitAll(batch))).toEqual(indexes);
    expect(world.log.size).toBe(size);
  });

  it('refuses another statement under an id of the same batch', async () => {
    const one = await world.session();
    const expiresAt = formatInstant(world.clock.now() + 3_600_000);
    const other = await world.session({ session: { ...one.predicate.session, expiresAt } });
    const outcomes = await client.submitAll([{ statement: one.envelope }, { statement: other.envelope }]);
    expect(describeOutcomes(outcomes)).toEqual(['logged', 'LS-505']);
  });

  it('of a full disk is refused statement by statement, and nothing changed', async () => {
    const [one, two] = await newSessions();
    const size = world.log.size;
    world.freeBytes = 0;
    const outcomes = await client.submitAll([{ statement: one }, { statement: two }]);
    world.freeBytes = 1e12;
    expect(describeOutcomes(outcomes)).toEqual(['LS-302', 'LS-302']);
    expect(world.log.size).toBe(size);
  });
});

describe('the limits of a batch', () => {
  it('takes as many statements as allowed, and none of one more', async () => {
    const envelopes = await newStatements(API_LIMITS.maxBatchStatements);
    const size = world.log.size;
    const tooMany = await post(toBody([...envelopes, envelopes[0]!]));
    expect(tooMany.status).toBe(400);
    expect(await tooMany.json()).toMatchObject({ code: 'ERR_API_BODY_FORMAT' } satisfies Partial<Problem>);
    expect(world.log.size).toBe(size);
    const outcomes = await client.submitAll(envelopes.map((statement) => ({ statement })));
    expect(indexesOf(outcomes)).toEqual(envelopes.map((_, position) => size + position));
  });

  it('takes as many bytes as allowed, and not one more', async () => {
    const body = toBody(await newStatements(1));
    const size = world.log.size;
    const tooLarge = await post(body.padEnd(API_LIMITS.maxBatchBytes + 1, ' '));
    expect(tooLarge.status).toBe(413);
    expect(world.log.size).toBe(size);
    expect((await post(body.padEnd(API_LIMITS.maxBatchBytes, ' '))).status).toBe(200);
    expect(world.log.size).toBe(size + 1);
  });

  it('the client sends more than fits into one request in several, in order', async () => {
    const envelopes = await newStatements(API_LIMITS.maxBatchStatements + 1);
    const first = world.log.size;
    const outcomes = await client.submitAll(envelopes.map((statement) => ({ statement })));
    expect(indexesOf(outcomes)).toEqual(envelopes.map((_, position) => first + position));
    expect(await client.submitAll([])).toEqual([]);
  });

  it.each([
    ['no statements', () => '{"statements":[]}'],
    ['an unknown member', (body: string) => body.replace('{', '{"force":true,')],
    ['one statement that cannot be read', (body: string) => body.replace('"payload":"', '"payload":"*')],
    ['something after it', (body: string) => `${body}{}`],
  ])('with %s is refused as a whole', async (_, damage) => {
    const body = toBody(await newStatements(2));
    const size = world.log.size;
    const response = await post(damage(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'ERR_API_BODY_FORMAT', refusal: null });
    expect(world.log.size).toBe(size);
  });
});

describe('a line that breaks down in the middle of a batch', () => {
  /** A store whose disk fails at the n-th commit: before it is stored, or after. */
  function failAt(commit: number, isStored: boolean): (store: Store) => Store {
    let left = commit;
    return (store) => ({
      views: store.views,
      head: () => store.head(),
      journal: () => store.journal(),
      dump: () => store.dump(),
      close: () => store.close(),
      commit: async (request) => {
        left -= 1;
        if (left !== 0) return store.commit(request);
        if (isStored) await store.commit(request);
        throw new StoreError('ERR_STORE_IO', 'the disk of the test is broken');
      },
    });
  }

  it.each([
    // The first is that of the session; the batch is stored in three groups: an event waits for its intent.
    [2, false],
    [2, true],
    [3, false],
    [3, true],
    [4, false],
    [4, true],
  ])('at commit %i (stored: %s) has each statement once, when the batch comes again', async (commit, isStored) => {
    const broken = await World.open({ wrapStore: failAt(commit, isStored) });
    const signedIn = await broken.signIn();
    const passes = [await newPass(broken, signedIn), await newPass(broken, signedIn)];
    const items = passes.flatMap(({ items: both }) => both);
    const interrupted = await broken.line.recordAll(items);
    expect(interrupted.some(({ status }) => status === 'rejected')).toBe(true);
    const answered = interrupted.map((result) => (result.status === 'fulfilled' ? result.value.index : null));
    await broken.restart();
    const again = await broken.line.recordAll(items);
    const indexes = again.map((result) => (result.status === 'fulfilled' ? result.value.index : null));
    expect(indexes).not.toContain(null);
    // Whoever was answered before gets the same answer, and nothing is there twice.
    for (const [position, index] of answered.entries()) if (index !== null) expect(indexes[position]).toBe(index);
    expect(new Set(indexes).size).toBe(items.length);
    expect(broken.log.size).toBe(1 + items.length);
    for (const { intent } of passes) {
      expect(await broken.line.unit(intent.predicate.identity.deviceId)).toMatchObject({ state: 'passed' });
    }
    await broken.close();
  });
});

function never(): never {
  throw new TypeError('the list is longer');
}

// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnvelope, fromEnvelope } from '@witnessmark/core';
import type { OperatorSession } from '@witnessmark/attestation';
import { API_LIMITS, HttpLineService, LineRefusedError, ROUTES, type Problem, type Route } from '@witnessmark/api';
import { openCheckpoint, parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import { TrustClient } from '@witnessmark/trust';
import { VerifyPool } from '@witnessmark/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSignatureIn, startLineServer, toLineRules, TufReleaseSource, type LineServer } from '../src/index.ts';
import { CAST, LOG_SIGNER, PLACE, START } from './support/cast.ts';
import { createTestRepository, type TestRepository } from './support/repository.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World } from './support/world.ts';

const POOL_KEYS = [CAST.station, CAST.operator, CAST.supervisor].map(({ key }) => key.publicKey);

let world: World;
let repository: TestRepository;
let metadataDir: string;
let pool: VerifyPool;
let server: LineServer;
let client: HttpLineService;
let session: Signed<OperatorSession>;
const faults: unknown[] = [];

beforeAll(async () => {
  repository = await createTestRepository({ now: START });
  metadataDir = mkdtempSync(join(tmpdir(), 'wm-line-trust-'));
  const trust = new TrustClient({
    metadataDir,
    repositoryDir: repository.directory,
    initialRoot: repository.initialRoot,
  });
  pool = new VerifyPool({ keys: POOL_KEYS, limits: { workers: 1 } });
  world = await World.open({
    line: {
      releases: new TufReleaseSource({ client: trust, rules: toLineRules(PLACE) }),
      checkSignature: checkSignatureIn(pool, POOL_KEYS),
    },
  });
  server = await startLineServer({
    line: world.line,
    logDirectory: join(world.directory, 'log'),
    trustDirectory: repository.directory,
    host: '127.0.0.1',
    port: 0,
    onFault: (error) => faults.push(error),
  });
  client = new HttpLineService({ baseUrl: server.url, timeoutMs: 10_000 });
  session = await world.session();
  await client.submit(session.envelope);
});

afterAll(async () => {
  await server.close();
  await pool.close();
  await world.close();
  rmSync(repository.directory, { recursive: true });
  rmSync(metadataDir, { recursive: true });
});

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  return problem;
}

function post(path: string, body: string | Uint8Array, contentType = 'application/json'): Promise<Response> {
  const headers = { 'content-type': contentType };
  return fetch(`${server.url}${path}`, { method: 'POST', body: Buffer.from(body), headers });
}

describe('the line over HTTP', () => {
  it('takes a unit from permit to evidence with the typed client', async () => {
    const device = toDevice(1);
    const request = await world.permitRequest(device, session);
    const permit = await client.requestPermit(request.envelope);
    expect(await client.requestPermit(request.envelope)).toEqual(permit);
    const digest = { ...(await world.permit(request)) };
    const intent = await world.intent(request, digest);
    await client.submit(intent.envelope, { permit });
    const event = await world.event(intent);
    const entry = await client.submit(event.envelope);
    expect(await client.submit(event.envelope)).toMatchObject({ index: entry.index, envelope: entry.envelope });
    verifyLogProof(formatEnvelope(entry.envelope), parseLogProof(entry.proof), LOG_SIGNER.verifierKey);
    expect(await client.unit(device.serial)).toMatchObject({ state: 'passed', deviceId: device.deviceId });
    expect(await client.unitEvidence(device.serial)).toEqual(
      Uint8Array.from((await world.line.unitEvidence(device.serial))!),
    );
    expect(await client.unit('nobody')).toBeNull();
    expect(await client.unitEvidence('nobody')).toBeNull();
    expect(await client.time()).toEqual({ now: world.clock.now(), breakGlass: null });
    expect(openCheckpoint((await client.checkpoint())!, LOG_SIGNER.verifierKey).treeSize).toBe(world.log.size);
  });

  it('answers a refusal with its problem and the logged refusal, which the client passes on', async () => {
    const envelope = (await world.permitRequest(toDevice(2), session, { releaseId: 'gw-0.9' })).envelope;
    const error = await client.requestPermit(envelope).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LineRefusedError);
    expect(error).toMatchObject({ code: 'LS-203', refusal: { index: world.log.size - 1 } });
    const problem = await problemOf(
      await post('/api/v1/permits', JSON.stringify({ envelope: fromEnvelope(envelope) })),
    );
    expect(problem).toMatchObject({
      type: 'https://witnessmark.dev/problems/LS-203',
      title: 'Firmware package was withdrawn',
      status: 409,
      detail: 'expected release gw-1.4.0; found gw-0.9',
      code: 'LS-203',
      nextStep: expect.stringContaining('Update the station') as string,
    });
  });

  it('lists stops, and lets a supervisor close them', async () => {
    await client.submit(
      (await world.stationRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: toDevice(3).deviceId })).envelope,
    );
    const [stop] = await client.openStops();
    expect(stop).toMatchObject({ code: 'LS-101', station: 'ST-1', deviceId: toDevice(3).deviceId });
    expect(await codeOf(client.requestPermit((await world.permitRequest(toDevice(4), session)).envelope))).toBe(
      'LS-503',
    );
    const about = { ...stop!, refusalDigest: { sha256: stop!.refusalDigest } };
    await client.submit((await world.disposition(about, { action: 'voidLabel' })).envelope);
    expect(await client.openStops()).toEqual([]);
  });

  it('I3 I9 answers 503 and LS-302 when records cannot be stored, and nothing changed', async () => {
    const { envelope } = await world.permitRequest(toDevice(5), session);
    const size = world.log.size;
    world.freeBytes = 0;
    const response = await post('/api/v1/permits', JSON.stringify({ envelope: fromEnvelope(envelope) }));
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ code: 'LS-302', refusal: null });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    world.freeBytes = 1e12;
    expect(world.log.size).toBe(size);
    await client.requestPermit(envelope);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('serves the log as tiles and the trust repository', async () => {
    await world.log.publish();
    const note = new Uint8Array(await (await fetch(`${server.url}/log/checkpoint`)).arrayBuffer());
    const { treeSize } = openCheckpoint(note, LOG_SIGNER.verifierKey);
    const tile = await fetch(`${server.url}/log/tile/0/000.p/${treeSize}`);
    expect((await tile.arrayBuffer()).byteLength).toBe(32 * treeSize);
    const dir = mkdtempSync(join(tmpdir(), 'wm-station-trust-'));
    const station = new TrustClient({
      metadataDir: dir,
      baseUrl: `${server.url}/trust`,
      initialRoot: repository.initialRoot,
    });
    expect(await station.update(START)).toMatchObject({ rootVersion: 1 });
    expect((await station.readTarget('releases/gw-1.4.0.json')).length).toBeGreaterThan(100);
    rmSync(dir, { recursive: true });
  });

  it.each([
    '/log/..%2fline.db',
    '/log/%2e%2e/line.db',
    '/log/.staging/1',
    '/trust/../keys',
    '/trust/metadata',
    '/log/',
    '/nowhere',
  ])('has nothing at %s', async (path) => {
    expect(await problemOf(await fetch(`${server.url}${path}`))).toMatchObject({ code: 'ERR_API_NOT_FOUND' });
  });

  it('answers every route of its OpenAPI document, and no other method of it', async () => {
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    expect(Object.keys(document.paths)).toEqual(Object.values<Route>(ROUTES).map(({ path }) => path));
    for (const route of Object.values<Route>(ROUTES)) {
      const url = `${server.url}${route.path.replace('{unit}', 'x').replace('{path}', 'checkpoint')}`;
      const body = route.method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const response = await fetch(url, { method: route.method, ...body });
      expect([200, 400, 404, 503]).toContain(response.status);
      expect([200, ...route.problems, 503]).toContain(response.status);
      const wrong = await fetch(url, { method: 'DELETE' });
      expect(wrong.status).toBe(405);
      expect(wrong.headers.get('allow')).toBe(route.method);
      expect(await problemOf(wrong)).toMatchObject({ code: 'ERR_API_METHOD' });
    }
  });

  it('counts in the Prometheus format, with no serial in any label', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^# HELP witnessmark_units_total .+\n# TYPE witnessmark_units_total counter\n/);
    expect(text).toContain('witnessmark_units_total{result="SUCCEEDED",sku="GW-210",station="ST-1"} 1\n');
    expect(text).toMatch(/witnessmark_refusals_total\{code="LS-203",station="ST-1"\} 2\n/);
    expect(text).toContain(`witnessmark_log_entries ${world.log.size}\n`);
    expect(text).not.toContain(toDevice(1).serial);
    expect(text).not.toContain(toDevice(1).deviceId);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"\n]*",?)+\})? \d+)$/);
    }
  });
});

describe('hostile bodies', () => {
  const deep = (depth: number): string => `{"envelope":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const padded = (length: number): string => '{"envelope":{}}'.padEnd(length, ' ');
  const good = async (): Promise<Record<string, unknown>> =>
    fromEnvelope((await world.stationRefusal()).envelope) as Record<string, unknown>;

  const cases: readonly (readonly [string, string, number, () => Promise<Response>])[] = [
    ['too large', 'ERR_API_BODY_TOO_LARGE', 413, () => post('/api/v1/entries', padded(API_LIMITS.maxRequestBytes + 1))],
    [
      'as large as allowed',
      'ERR_API_BODY_FORMAT',
      400,
      () => post('/api/v1/entries', padded(API_LIMITS.maxRequestBytes)),
    ],
    ['nested deeply', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', deep(10_000))],
    ['with a key twice', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', '{"envelope":{},"envelope":{}}')],
    ['with a prototype', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', '{"__proto__":{}}')],
    [
      'with an unknown member',
      'ERR_API_BODY_FORMAT',
      400,
      async () => post('/api/v1/entries', JSON.stringify({ envelope: await good(), force: true })),
    ],
    [
      'with an unknown member in the envelope',
      'ERR_API_BODY_FORMAT',
      400,
      async () => post('/api/v1/entries', JSON.stringify({ envelope: { ...(await good()), x: 1 } })),
    ],
    [
      'with a payload that is not base64',
      'ERR_API_BODY_FORMAT',
      400,
      async () => post('/api/v1/entries', JSON.stringify({ envelope: { ...(await good()), payload: 'a-_b' } })),
    ],
    [
      'without signatures',
      'ERR_API_BODY_FORMAT',
      400,
      async () => post('/api/v1/entries', JSON.stringify({ envelope: { ...(await good()), signatures: [] } })),
    ],
    ['cut off', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', '{"envelope":{"payload":"')],
    ['empty', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', '')],
    [
      'that is not UTF-8',
      'ERR_API_BODY_FORMAT',
      400,
      () => post('/api/v1/entries', new Uint8Array([0x7b, 0xff, 0x7d])),
    ],
    ['with a byte order mark', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/entries', '\ufeff{}')],
    ['of another media type', 'ERR_API_MEDIA_TYPE', 415, () => post('/api/v1/entries', '{}', 'text/xml')],
    ['of a form', 'ERR_API_MEDIA_TYPE', 415, () => post('/api/v1/entries', 'a=b', 'application/x-www-form-urlencoded')],
    ['that is a number', 'ERR_API_BODY_FORMAT', 400, () => post('/api/v1/permits', '7')],
    [
      'of another route',
      'ERR_API_BODY_FORMAT',
      400,
      async () => post('/api/v1/permits', JSON.stringify({ envelope: await good(), permit: await good() })),
    ],
  ];

  it.each(cases)('%s are refused with %s', async (_, code, status, send) => {
    const size = world.log.size;
    const problem = await problemOf(await send());
    expect(problem).toMatchObject({ code, status, refusal: null });
    expect(world.log.size).toBe(size);
  });

  it('that stop in the middle are forgotten, and the server goes on', async () => {
    const { port } = new URL(server.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          'POST /api/v1/entries HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"env',
        );
        socket.end();
      });
      socket.on('close', () => {
        resolve();
      });
      socket.resume();
    });
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });

  it('that are not even HTTP get a problem document as well', async () => {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('witnessmark, please\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => {
        resolve(text);
      });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'ERR_API_BODY_FORMAT', status: 400 });
  });

  it('never were a fault of the server', () => {
    expect(faults).toEqual([]);
  });

  it('a parameter as long as it may be is looked up, a longer one is not', async () => {
    expect(await problemOf(await fetch(`${server.url}/api/v1/units/${'a'.repeat(256)}`))).toMatchObject({
      detail: expect.stringContaining('unit') as string,
    });
    const { detail } = await problemOf(await fetch(`${server.url}/api/v1/units/${'a'.repeat(257)}`));
    expect(detail).not.toContain('unit');
    expect(await problemOf(await fetch(`${server.url}/api/v1/units/%ff`))).toMatchObject({ code: 'ERR_API_NOT_FOUND' });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeUtf8, fromEnvelope, RefusedError, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import { afterEach, describe, expect, it } from 'vitest';
import { API_LIMITS, ApiError, HttpLineService, LineRefusedError, toProblem } from '../src/index.ts';

const envelope: Envelope = {
  payloadType: STATEMENT_PAYLOAD_TYPE,
  payload: encodeUtf8('{}'),
  signatures: [{ keyid: 'k', sig: new Uint8Array([1, 2, 3]) }],
};
const logged = { index: 7, envelope: fromEnvelope(envelope), proof: 'c2sp.org/tlog-proof@v1\n' };

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;
const servers: Server[] = [];

async function lineThat(handler: Handler, timeoutMs = 5_000): Promise<HttpLineService> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      handler(request, response, body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new HttpLineService({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs });
}

function answer(response: ServerResponse, status: number, body: unknown, mediaType = 'application/json'): void {
  response.writeHead(status, { 'content-type': mediaType }).end(JSON.stringify(body));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ApiError || error instanceof RefusedError ? error.code : undefined;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('HttpLineService', () => {
  it('sends a statement with its permit and reads the logged entry', async () => {
    const seen: unknown[] = [];
    const line = await lineThat((request, response, body) => {
      seen.push(request.method, request.url, request.headers['content-type'], JSON.parse(body));
      answer(response, 200, logged);
    });
    expect(await line.submit(envelope, { permit: envelope })).toEqual({ index: 7, envelope, proof: logged.proof });
    expect(seen).toEqual([
      'POST',
      '/api/v1/entries',
      'application/json',
      { envelope: fromEnvelope(envelope), permit: fromEnvelope(envelope) },
    ]);
  });

  it('reads permits, time, units, stops, evidence and checkpoints', async () => {
    const unit = {
      deviceId: 'a'.repeat(64),
      labelSerial: 'GW-1',
      sku: 'GW',
      state: 'passed',
      attempts: 1,
      releaseId: 'R1',
      station: 'S1',
      head: { seq: 2, digest: 'b'.repeat(64) },
      openTransaction: null,
    };
    const stop = {
      refusalId: '01890000-0000-7000-8000-000000000001',
      refusalDigest: 'c'.repeat(64),
      code: 'LS-101',
      deviceId: null,
      station: 'S1',
      line: 'L1',
      index: 3,
    };
    const line = await lineThat((request, response) => {
      if (request.url === '/api/v1/permits') answer(response, 200, { permit: fromEnvelope(envelope) });
      if (request.url === '/api/v1/time') answer(response, 200, { now: '2026-01-02T03:04:05.678Z', breakGlass: null });
      if (request.url === '/api/v1/units/GW%2F1') answer(response, 200, unit);
      if (request.url === '/api/v1/stops') answer(response, 200, { stops: [stop] });
      if (request.url === '/api/v1/log/checkpoint') answer(response, 200, 'note', 'text/plain; charset=utf-8');
      if (request.url?.endsWith('/evidence') === true)
        answer(response, 200, {}, 'application/vnd.witnessmark.unit-evidence.v1+json');
    });
    expect(await line.requestPermit(envelope)).toEqual(envelope);
    expect(await line.time()).toEqual({ now: Date.UTC(2026, 0, 2, 3, 4, 5, 678), breakGlass: null });
    expect(await line.unit('GW/1')).toEqual(unit);
    expect(await line.openStops()).toEqual([stop]);
    expect(await line.checkpoint()).toEqual(encodeUtf8('"note"'));
    expect(await line.unitEvidence('GW-1')).toEqual(encodeUtf8('{}'));
  });

  it('has images unsealed, and reads the content keys', async () => {
    const seen: unknown[] = [];
    const line = await lineThat((request, response, body) => {
      seen.push(request.method, request.url, JSON.parse(body));
      answer(response, 200, { entry: logged, contentKeys: [{ image: 'images/a', recipientInfo: 'AQID' }] });
    });
    expect(await line.unseal(envelope, { permit: envelope })).toEqual({
      entry: { index: 7, envelope, proof: logged.proof },
      contentKeys: [{ image: 'images/a', recipientInfo: new Uint8Array([1, 2, 3]) }],
    });
    const body = { envelope: fromEnvelope(envelope), permit: fromEnvelope(envelope) };
    expect(seen).toEqual(['POST', '/api/v1/unsealings', body]);
  });

  it.each([
    ['no content key', []],
    ['17 content keys', Array(17).fill({ image: 'images/a', recipientInfo: 'AQID' })],
    ['a content key that is not base64', [{ image: 'images/a', recipientInfo: '?' }]],
    ['a content key of 1,025 characters', [{ image: 'images/a', recipientInfo: 'A'.repeat(1025) }]],
  ])('does not believe an unsealing with %s', async (_, contentKeys) => {
    const line = await lineThat((_request, response) => {
      answer(response, 200, { entry: logged, contentKeys });
    });
    expect(codeOf(await failure(line.unseal(envelope, {})))).toBe('ERR_API_PROTOCOL');
  });

  it('turns a problem with a reason code into a refusal that carries its receipt', async () => {
    const line = await lineThat((_, response) => {
      const problem = toProblem('LS-101', 'expected GW-1, found GW-2', {
        ...logged,
        envelope: logged.envelope as never,
      });
      answer(response, 409, problem, 'application/problem+json');
    });
    const error = await failure(line.requestPermit(envelope));
    expect(error).toBeInstanceOf(LineRefusedError);
    expect(error).toMatchObject({ code: 'LS-101', message: 'expected GW-1, found GW-2', refusal: { index: 7 } });
  });

  it('answers null for a unit the line does not know, and only for that', async () => {
    const line = await lineThat((_, response) => {
      answer(response, 404, toProblem('ERR_API_NOT_FOUND', 'no such unit'), 'application/problem+json');
    });
    expect(await line.unit('X')).toBeNull();
    expect(await line.unitEvidence('X')).toBeNull();
    expect(codeOf(await failure(line.submit(envelope)))).toBe('ERR_API_PROTOCOL');
  });

  it.each([
    ['an unknown member', 200, { ...logged, extra: 1 }, 'application/json'],
    ['a missing member', 200, { index: 7, envelope: logged.envelope }, 'application/json'],
    [
      'an envelope whose payload is not base64',
      200,
      { ...logged, envelope: { ...(logged.envelope as object), payload: 'a' } },
      'application/json',
    ],
    ['another media type', 200, logged, 'text/html'],
    [
      'a problem with a code of the conversation',
      400,
      toProblem('ERR_API_BODY_FORMAT', 'x'),
      'application/problem+json',
    ],
    ['an error page', 403, { error: 'proxy' }, 'text/html'],
    ['a problem with members too many', 409, { ...toProblem('LS-101', 'x'), more: 1 }, 'application/problem+json'],
    ['a redirect-like status', 204, null, 'application/json'],
  ])('refuses %s as a breach of protocol', async (_, status, body, mediaType) => {
    const line = await lineThat((_request, response) => {
      answer(response, status, body, mediaType);
    });
    expect(codeOf(await failure(line.submit(envelope)))).toBe('ERR_API_PROTOCOL');
  });

  it('refuses duplicate members and deep nesting in an answer', async () => {
    for (const text of [
      '{"now":"2026-01-02T03:04:05Z","now":"2026-01-02T03:04:05Z"}',
      `${'['.repeat(9)}${']'.repeat(9)}`,
    ]) {
      const line = await lineThat((_, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(text),
      );
      expect(codeOf(await failure(line.time()))).toBe('ERR_API_PROTOCOL');
    }
  });

  it('reads an answer at the byte limit and refuses one byte more', async () => {
    const sent = (length: number): Promise<HttpLineService> =>
      lineThat((_, response) => {
        const text = JSON.stringify({ now: '2026-01-02T03:04:05.000Z', breakGlass: null });
        response.writeHead(200, { 'content-type': 'application/json' }).end(text.padEnd(length, ' '));
      });
    expect(await (await sent(API_LIMITS.maxResponseBytes)).time()).toEqual({
      now: Date.UTC(2026, 0, 2, 3, 4, 5),
      breakGlass: null,
    });
    const error = await failure((await sent(API_LIMITS.maxResponseBytes + 1)).time());
    expect(codeOf(error)).toBe('ERR_API_PROTOCOL');
  });

  it('says unreachable when nobody listens, when the connection breaks, and when the server has a fault', async () => {
    const nobody = new HttpLineService({ baseUrl: 'http://127.0.0.1:1', timeoutMs: 5_000 });
    expect(codeOf(await failure(nobody.time()))).toBe('ERR_API_UNREACHABLE');
    const broken = await lineThat((request) => request.socket.destroy());
    expect(codeOf(await failure(broken.submit(envelope)))).toBe('ERR_API_UNREACHABLE');
    const half = await lineThat((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"ind');
      response.socket?.end();
      request.resume();
    });
    expect(codeOf(await failure(half.submit(envelope)))).toBe('ERR_API_UNREACHABLE');
    const faulty = await lineThat((_, response) => {
      answer(response, 500, toProblem('ERR_API_INTERNAL', 'x'), 'application/problem+json');
    });
    expect(codeOf(await failure(faulty.submit(envelope)))).toBe('ERR_API_UNREACHABLE');
  });

  it('gives up at its deadline and when its owner stops it', async () => {
    const silent = await lineThat(() => undefined, 50);
    expect(codeOf(await failure(silent.time()))).toBe('ERR_API_UNREACHABLE');
    const stopped = new HttpLineService({
      baseUrl: 'http://127.0.0.1:1',
      timeoutMs: 5_000,
      signal: AbortSignal.abort(),
    });
    expect(codeOf(await failure(stopped.time()))).toBe('ERR_API_UNREACHABLE');
  });

  it('follows no redirect and speaks only http and https', async () => {
    const line = await lineThat((_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end());
    expect(codeOf(await failure(line.submit(envelope)))).toBe('ERR_API_UNREACHABLE');
    expect(() => new HttpLineService({ baseUrl: 'file:///etc', timeoutMs: 1 })).toThrow(TypeError);
  });
});

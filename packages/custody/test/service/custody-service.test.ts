// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy, RefusedError, sha256Hex } from '@witnessmark/core';
import { Journal, listenCustody, readAccount, streamAccount } from '@witnessmark/custody';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  formatHello,
  formatSign,
  FrameReader,
  parseServerMessage,
  PROTOCOL_LIMITS,
} from '../../src/service/protocol.ts';
import { CustodyFixture } from '../support/custody.ts';

const MESSAGE = encodeUtf8('a statement');
const ID = '0197a8a2-0000-7000-8000-000000000001';

describe('the custody process', () => {
  let custody: CustodyFixture;

  beforeEach(() => {
    custody = new CustodyFixture();
  });

  afterEach(async () => {
    await custody.remove();
  });

  it('signs for a client it knows, and accounts for it', async () => {
    await custody.start();
    const key = (await custody.connect()).key('line-evidence', 'event');
    expect(key.custody).toBe('software');
    const signatures = await Promise.all(Array.from({ length: 30 }, () => key.sign(MESSAGE)));
    for (const signature of signatures) expect(isSignedBy(key.publicKey, MESSAGE, signature)).toBe(true);
    custody.flush();
    const account = readAccount(custody.journalDir);
    expect(account).toHaveLength(30);
    expect(account[0]).toEqual({
      id: expect.any(String),
      at: '2026-11-20T00:00:00.000Z',
      client: 'line',
      key: 'line-evidence',
      keyid: key.publicKey.keyid,
      purpose: 'event',
      digest: sha256Hex(MESSAGE),
      outcome: 'signed',
    });
  });

  it('I15: has the intent on disk before the token is asked', async () => {
    await custody.start();
    const key = (await custody.connect()).key('line-evidence', 'event');
    const seen: string[] = [];
    custody.key.gate = () => {
      seen.push(...readAccount(custody.journalDir).map(({ id, outcome }) => `${id} ${outcome}`));
      return Promise.resolve();
    };
    await key.signAs(ID, MESSAGE);
    expect(seen).toEqual([`${ID} unknown`]);
  });

  it('I14: gives one signature for one request id, also at the same time and after a restart', async () => {
    await custody.start();
    const key = (await custody.connect()).key('line-evidence', 'event');
    const [first, second] = await Promise.all([key.signAs(ID, MESSAGE), key.signAs(ID, MESSAGE)]);
    expect(second).toEqual(first);
    await custody.stop();
    await custody.start();
    const again = (await custody.connect()).key('line-evidence', 'event');
    expect(await again.signAs(ID, MESSAGE)).toEqual(first);
    expect(custody.key.signatures).toBe(1);
  });

  it('refuses a request id that comes back with something else', async () => {
    await custody.start();
    const client = await custody.connect();
    await client.key('line-evidence', 'event').signAs(ID, MESSAGE);
    const other = client.key('line-evidence', 'event').signAs(ID, encodeUtf8('another statement'));
    await expect(other).rejects.toMatchObject({ code: 'CU-154' });
    await expect(client.key('line-evidence', 'permit').signAs(ID, MESSAGE)).rejects.toMatchObject({ code: 'CU-154' });
    expect(custody.key.signatures).toBe(1);
  });

  it('refuses keys and purposes that are not open to the client, and writes no intent', async () => {
    await custody.start();
    const client = await custody.connect();
    expect(() => client.key('device-ca', 'event')).toThrow(expect.objectContaining({ code: 'CU-153' }));
    await expect(client.key('line-evidence', 'certificate').sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-153' });
    expect(readAccount(custody.journalDir)).toEqual([]);
  });

  it('lets in neither strangers nor clients with the token of another', async () => {
    await custody.start();
    await expect(custody.connect({ client: 'office' })).rejects.toMatchObject({ code: 'CU-151' });
    const wrong = join(custody.dir, 'wrong-token');
    writeFileSync(wrong, 'ab'.repeat(32), { mode: 0o600 });
    await expect(custody.connect({ tokenFile: wrong })).rejects.toMatchObject({ code: 'CU-151' });
    chmodSync(custody.tokenFile, 0o644);
    await expect(custody.connect()).rejects.toMatchObject({ code: 'CU-151', message: /0600/ });
    await expect(custody.connect({ tokenFile: join(custody.dir, 'none') })).rejects.toMatchObject({ code: 'CU-151' });
  });

  it('listens on a socket that only its owner can open, and only once', async () => {
    const service = await custody.start();
    expect(statSync(custody.socketPath).mode & 0o777).toBe(0o600);
    await expect(listenCustody(custody.socketPath, service)).rejects.toMatchObject({ code: 'CU-156' });
    await expect(Journal.open({ dir: custody.journalDir })).rejects.toMatchObject({ code: 'CU-156' });
  });

  it('says what the token says, and the same again for the same id', async () => {
    await custody.start();
    const key = (await custody.connect()).key('line-evidence', 'event');
    custody.key.gate = () => Promise.reject(new RefusedError('CU-114', 'not touched'));
    await expect(key.signAs(ID, MESSAGE)).rejects.toMatchObject({ code: 'CU-114', message: 'not touched' });
    custody.key.gate = () => Promise.resolve();
    await expect(key.signAs(ID, MESSAGE)).rejects.toMatchObject({ code: 'CU-114' });
    custody.flush();
    expect(readAccount(custody.journalDir)).toMatchObject([{ outcome: 'failed' }]);
    expect([...streamAccount(custody.journalDir)]).toEqual(readAccount(custody.journalDir));
    await expect(key.sign(MESSAGE)).resolves.toBeInstanceOf(Uint8Array);
  });

  it.each(['CU-103', 'CU-110', 'CU-111'] as const)(
    'does not know whether a token that answers %s has signed',
    async (code) => {
      await custody.start();
      const key = (await custody.connect()).key('line-evidence', 'event');
      custody.key.gate = () => Promise.reject(new RefusedError(code, 'gone'));
      await expect(key.signAs(ID, MESSAGE)).rejects.toMatchObject({ code });
      custody.flush();
      expect(readAccount(custody.journalDir)).toMatchObject([{ outcome: 'unknown' }]);
    },
  );

  it('never signs twice under one id when it was stopped between intent and result', async () => {
    await custody.start();
    const client = await custody.connect();
    const never = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<undefined>();
    custody.key.gate = () => {
      asked.resolve(undefined);
      return never.promise.then(() => undefined);
    };
    const signing = client.key('line-evidence', 'event').signAs(ID, MESSAGE);
    const outcome = expect(signing).rejects.toMatchObject({ code: 'CU-155' });
    await asked.promise;
    client.close();
    await outcome;
    // The process is gone before the token answers: its journal is opened by the next one.
    const second = new CustodyFixture();
    cpSync(custody.journalDir, second.journalDir, { recursive: true });
    await second.start();
    const key = (await second.connect()).key('line-evidence', 'event');
    await expect(key.signAs(ID, MESSAGE)).rejects.toMatchObject({ code: expect.stringMatching(/CU-15[48]/) });
    expect(second.key.signatures).toBe(0);
    expect(readAccount(second.journalDir)).toMatchObject([{ id: ID, outcome: 'unknown' }]);
    expect([...streamAccount(second.journalDir)]).toEqual(readAccount(second.journalDir));
    await second.remove();
    never.resolve(undefined);
  });

  it('asks again, once and with the same id, when the connection is lost', async () => {
    await custody.start();
    const client = await custody.connect();
    const gate = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<undefined>();
    custody.key.gate = async () => {
      asked.resolve(undefined);
      await gate.promise;
    };
    const signing = client.key('line-evidence', 'event').signAs(ID, MESSAGE);
    await asked.promise;
    const stopping = custody.stop();
    gate.resolve(undefined);
    // Closing answers what was asked; a client that was cut off would ask again.
    await stopping;
    await expect(signing).resolves.toBeInstanceOf(Uint8Array);
    await custody.start();
    await expect(client.key('line-evidence', 'event').signAs(ID, MESSAGE)).resolves.toBeInstanceOf(Uint8Array);
    expect(custody.key.signatures).toBe(1);
  });

  it('is away: the client says so', async () => {
    await expect(custody.connect()).rejects.toMatchObject({ code: 'CU-155' });
    await custody.start();
    const client = await custody.connect();
    await custody.stop();
    await expect(client.key('line-evidence', 'event').sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-155' });
  });

  it('does not answer: the client gives up after its time limit', async () => {
    await custody.start();
    const client = await custody.connect({ timeoutMs: 20 });
    const gate = Promise.withResolvers<undefined>();
    custody.key.gate = () => gate.promise.then(() => undefined);
    await expect(client.key('line-evidence', 'event').sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-110' });
    gate.resolve(undefined);
  });

  it.each<[string, Buffer]>([
    ['no JSON', frame('hello')],
    [
      'a request before the greeting',
      Buffer.from(formatSign({ type: 'sign', id: ID, key: 'k', purpose: 'p', message: MESSAGE })),
    ],
    ['another version', frame('{"type":"hello","version":2,"client":"line","token":"00"}')],
    ['a member twice', frame('{"type":"hello","type":"hello"}')],
    ['a length that no frame has', Buffer.from('7fffffff', 'hex')],
    ['a wrong token', Buffer.from(formatHello({ type: 'hello', client: 'line', token: '0'.repeat(64) }))],
  ])('refuses %s, and closes the connection', async (_, bytes) => {
    await custody.start();
    const socket = createConnection(custody.socketPath);
    const reader = new FrameReader();
    const refusals: unknown[] = [];
    socket.on('data', (chunk) => refusals.push(...reader.push(chunk as Buffer).map(parseServerMessage)));
    socket.write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(refusals).toMatchObject([{ type: 'refusal', id: null, code: expect.stringMatching(/CU-15[12]/) }]);
  });

  it('takes messages up to the limit and none above', async () => {
    await custody.start();
    const key = (await custody.connect()).key('line-evidence', 'event');
    const largest = new Uint8Array(PROTOCOL_LIMITS.maxMessageBytes);
    await expect(key.sign(largest)).resolves.toBeInstanceOf(Uint8Array);
    await expect(key.sign(new Uint8Array(largest.length + 1))).rejects.toMatchObject({ code: 'CU-152' });
  });

  it('signs what was read, whatever the buffer holds later', async () => {
    const service = await custody.start();
    const message = encodeUtf8('a statement');
    const request = { type: 'sign' as const, id: randomUUID(), key: 'line-evidence', purpose: 'event', message };
    const signing = service.sign(custody.clientEntry, request);
    message.fill(0);
    expect(isSignedBy(custody.key.publicKey, MESSAGE, await signing)).toBe(true);
  });
});

function frame(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

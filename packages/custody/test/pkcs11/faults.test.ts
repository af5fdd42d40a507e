// SPDX-License-Identifier: Apache-2.0
import { encodeUtf8, isSignedBy } from '@witnessmark/core';
import { findKey, openToken, Pkcs11Module, type PinRequest, type Pkcs11Token } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import { FakeToken, type FakeTokenOptions } from '../support/fake-cryptoki.ts';

const MESSAGE = encodeUtf8('a statement');
const REF = { label: 'officer-A', serial: '0001' };

describe('a token that fails', () => {
  it('initialises the module with operating-system locks', async () => {
    const { card } = await open();
    expect(card.flags).toEqual([ck.CKF_OS_LOCKING_OK]);
  });

  it('takes a module that is started already as started', async () => {
    const { token } = await open({ isStarted: true });
    expect(token.sessionCount).toBe(4);
  });

  it('starts SoftHSM again when it shows no token, a few times', async () => {
    const { card } = await open({ manufacturer: 'SoftHSM project', racedStarts: 2 });
    expect(card.starts).toBe(3);
  });

  it('gives SoftHSM up after six starts', async () => {
    const card = new FakeToken({ manufacturer: 'SoftHSM project', racedStarts: 9 });
    const module = new Pkcs11Module(card.cryptoki, 'fake');
    module.initialize();
    await expect(openToken(module, REF, { pin: () => Promise.resolve('123456') })).rejects.toMatchObject({
      code: 'CU-102',
    });
    expect(card.starts).toBe(6);
  });

  it('starts no other module twice', async () => {
    const card = new FakeToken({ racedStarts: 1 });
    const module = new Pkcs11Module(card.cryptoki, 'fake');
    module.initialize();
    await expect(openToken(module, REF, { pin: () => Promise.resolve('123456') })).rejects.toMatchObject({
      code: 'CU-102',
    });
    expect(card.starts).toBe(1);
  });

  it('names the card found and the card expected when another one is inserted, and spends no PIN', async () => {
    const card = new FakeToken({ label: 'officer-B', serial: '0002' });
    const opening = openWith(card, () => Promise.reject(new Error('nobody may be asked')));
    await expect(opening).rejects.toMatchObject({
      code: 'CU-104',
      message: 'expected token "officer-A" (serial 0001), found "officer-B" (serial 0002)',
    });
    expect(card.logins).toEqual([]);
  });

  it('shows who is asked for the PIN of which token', async () => {
    const requests: PinRequest[] = [];
    const card = new FakeToken();
    await openWith(card, (request) => {
      requests.push(request);
      return Promise.resolve(card.pin);
    });
    expect(requests).toMatchObject([
      { expected: REF, found: { ...REF, slot: 'Fake reader 00' }, purpose: 'login', keyLabel: null, tries: 'unknown' },
    ]);
  });

  it('A47: tells how many tries are left, and locks after three', async () => {
    const card = new FakeToken();
    const wrong = (): Promise<string> => Promise.resolve('000000');
    await expect(openWith(card, wrong)).rejects.toMatchObject({ code: 'CU-105', message: /fewer tries/ });
    await expect(openWith(card, wrong)).rejects.toMatchObject({ code: 'CU-105', message: /one try is left/ });
    await expect(openWith(card, wrong)).rejects.toMatchObject({ code: 'CU-106', message: /no try is left/ });
    expect(card.logins).toHaveLength(3);
    await expect(openWith(card, () => Promise.resolve(card.pin))).rejects.toMatchObject({ code: 'CU-106' });
    expect(card.logins).toHaveLength(3);
  });

  it('asks for the PIN of every signature that needs one, and names the key', async () => {
    const requests: PinRequest[] = [];
    const card = new FakeToken({ alwaysAuthenticate: true });
    const token = await openWith(card, (request) => {
      requests.push(request);
      return Promise.resolve(card.pin);
    });
    const key = findKey(token, { label: 'sign' });
    for (let count = 0; count < 2; count += 1) {
      expect(isSignedBy(key.publicKey, MESSAGE, await key.sign(MESSAGE))).toBe(true);
    }
    expect(requests.map(({ purpose }) => purpose)).toEqual(['login', 'signature', 'signature']);
    expect(requests.at(-1)?.keyLabel).toBe('sign');
    expect(card.logins.map(({ user }) => user)).toEqual([
      ck.CKU_USER,
      ck.CKU_CONTEXT_SPECIFIC,
      ck.CKU_CONTEXT_SPECIFIC,
    ]);
  });

  it('sends a wrong PIN of a signature once, however often a signature is asked for', async () => {
    let pin = '123456';
    const card = new FakeToken({ alwaysAuthenticate: true });
    const token = await openWith(card, () => Promise.resolve(pin));
    pin = '999999';
    const key = findKey(token, { label: 'sign' });
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-105' });
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-105' });
    expect(card.tries).toBe(2);
  });

  it('uses fewer sessions when the token allows fewer, and says when there is none', async () => {
    const { token, card } = await open({ maxSessions: 2 });
    expect(token.sessionCount).toBe(2);
    const key = findKey(token, { label: 'sign' });
    await expect(Promise.all(Array.from({ length: 8 }, () => key.sign(MESSAGE)))).resolves.toHaveLength(8);
    await expect(openWith(card, () => Promise.resolve(card.pin))).rejects.toMatchObject({ code: 'CU-107' });
  });

  it.each([
    ['removed', { name: 'CKR_DEVICE_REMOVED', value: ck.CKR_DEVICE_REMOVED }, 'CU-103'],
    ['gone with its session', { name: 'CKR_SESSION_HANDLE_INVALID', value: ck.CKR_SESSION_HANDLE_INVALID }, 'CU-103'],
    ['not touched', { name: 'CKR_USER_NOT_LOGGED_IN', value: ck.CKR_USER_NOT_LOGGED_IN }, 'CU-114'],
    ['broken', { name: 'CKR_DEVICE_ERROR', value: ck.CKR_DEVICE_ERROR }, 'CU-111'],
    ['without the mechanism', { name: 'CKR_MECHANISM_INVALID', value: ck.CKR_MECHANISM_INVALID }, 'CU-113'],
    ['of a vendor with its own codes', { name: 'CKR_VENDOR_DEFINED:27', value: 0 }, 'CU-111'],
  ] as const)('has its own code when the token is %s', async (_, fault, code) => {
    const { token, card } = await open({}, { removalNoticeMs: 0 });
    card.fault = fault;
    await expect(findKey(token, { label: 'sign' }).sign(MESSAGE)).rejects.toMatchObject({ code });
  });

  it('uses a token that was removed no more until it is opened again', async () => {
    const { token, card } = await open();
    const key = findKey(token, { label: 'sign' });
    card.fault = { name: 'CKR_DEVICE_REMOVED', value: ck.CKR_DEVICE_REMOVED };
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-103' });
    card.fault = null;
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-103' });
    const again = await openWith(card, () => Promise.resolve(card.pin));
    await expect(findKey(again, { label: 'sign' }).sign(MESSAGE)).resolves.toBeInstanceOf(Uint8Array);
  });

  it('tells a fault that a pulled token caused, once the reader has noticed', async () => {
    const { token, card } = await open();
    card.fault = { name: 'CKR_DEVICE_ERROR', value: ck.CKR_DEVICE_ERROR };
    const signing = findKey(token, { label: 'sign' }).sign(MESSAGE);
    card.isPresent = false;
    await expect(signing).rejects.toMatchObject({ code: 'CU-103' });
  });

  it('gives up after the time limit, refuses those who wait, and is used no more', async () => {
    const { token, card } = await open({ maxSessions: 1 }, { signTimeoutMs: 5 });
    card.fault = 'wait';
    const key = findKey(token, { label: 'sign' });
    const results = await Promise.allSettled([key.sign(MESSAGE), key.sign(MESSAGE)]);
    expect(results).toMatchObject([{ reason: { code: 'CU-110' } }, { reason: { code: 'CU-110' } }]);
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-110' });
    card.released.resolve(undefined);
  });

  it('says that the token may want to be touched', async () => {
    const waiting: string[] = [];
    const { token, card } = await open(
      {},
      {
        waitingAfterMs: 1,
        onWaiting: (found, keyLabel) => {
          waiting.push(`${found.label} ${keyLabel}`);
          card.released.resolve(undefined);
        },
      },
    );
    card.fault = 'wait';
    await findKey(token, { label: 'sign' }).sign(MESSAGE);
    expect(waiting).toEqual(['officer-A sign']);
  });

  it('notices a private key that does not belong to its public key', async () => {
    const { token, card } = await open();
    card.fault = 'wrongKey';
    await expect(findKey(token, { label: 'sign' }).sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-111' });
  });

  it('names missing and ambiguous keys', async () => {
    const { token } = await open({ keys: 2 });
    expect(() => findKey(token, { label: 'sign' })).toThrow(expect.objectContaining({ code: 'CU-109' }));
    expect(() => findKey(token, { label: 'other' })).toThrow(expect.objectContaining({ code: 'CU-108' }));
  });

  async function open(options: FakeTokenOptions = {}, more: Partial<Parameters<typeof openToken>[2]> = {}) {
    const card = new FakeToken(options);
    return { card, token: await openWith(card, () => Promise.resolve(card.pin), more) };
  }

  async function openWith(
    card: FakeToken,
    pin: (request: PinRequest) => Promise<string>,
    more: Partial<Parameters<typeof openToken>[2]> = {},
  ): Promise<Pkcs11Token> {
    const module = new Pkcs11Module(card.cryptoki, 'fake');
    module.initialize();
    return openToken(module, REF, { pin, ...more });
  }
});

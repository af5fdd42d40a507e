// SPDX-License-Identifier: Apache-2.0
import { encodeUtf8, isSignedBy } from '@witnessmark/core';
import {
  generateKeyPair,
  openToken,
  Pkcs11Module,
  type OpenTokenOptions,
  type Pkcs11Key,
  type Pkcs11Token,
  type TokenRef,
} from '@witnessmark/custody';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import { findObjects } from '../../src/pkcs11/objects.ts';
import { FakeToken } from '../support/fake-cryptoki.ts';
import { PRIVATE, PUBLIC } from '../support/signing-key.ts';
import { createSoftHsm, hasSoftHsm, openSoftHsmModule, PIN, type SoftHsm } from '../support/soft-hsm.ts';

const MESSAGES = Array.from({ length: 50 }, (_, number) => encodeUtf8(`statement ${number}`));

describe.skipIf(!hasSoftHsm)('signing in a thread of its own', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  let ref: TokenRef;
  const opened: Pkcs11Token[] = [];
  let keys = 0;

  beforeAll(async () => {
    hsm = createSoftHsm();
    ref = { label: 'apart', serial: hsm.createToken('apart') };
    module = await openSoftHsmModule();
  });

  afterEach(() => {
    for (const token of opened.splice(0)) token.close();
  });

  afterAll(() => {
    module.close();
    hsm.remove();
  });

  async function open(options: Partial<OpenTokenOptions> = {}): Promise<Pkcs11Token> {
    const pin = (): Promise<string> => Promise.resolve(PIN);
    const token = await openToken(module, ref, {
      pin,
      readWrite: true,
      signing: 'blocking',
      signApart: true,
      ...options,
    });
    opened.push(token);
    return token;
  }

  function makeKey(token: Pkcs11Token, scheme: 'ecdsa-sha2-nistp256' | 'ed25519'): Pkcs11Key {
    keys += 1;
    const id = Uint8Array.of(keys);
    const label = `key-${keys}`;
    return generateKeyPair(token, { label, id, scheme, privateKey: PRIVATE, publicKey: PUBLIC });
  }

  it.each(['ecdsa-sha2-nistp256', 'ed25519'] as const)('gives each caller its own signature (%s)', async (scheme) => {
    const token = await open();
    expect(token.signThread).not.toBeNull();
    const key = makeKey(token, scheme);
    const signatures = await Promise.all(MESSAGES.map((message) => key.sign(message)));
    for (const [index, signature] of signatures.entries()) {
      expect(isSignedBy(key.publicKey, MESSAGES[index]!, signature)).toBe(true);
    }
  });

  it('CU-108: says what the token says, and loses nothing of the others', async () => {
    const token = await open();
    const [kept, gone] = [makeKey(token, 'ecdsa-sha2-nistp256'), makeKey(token, 'ecdsa-sha2-nistp256')];
    const [handle] = findObjects(
      token,
      [
        { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
        { type: ck.CKA_LABEL, value: gone.label },
      ],
      1,
    );
    token.cryptoki.C_DestroyObject(token.session, handle!);
    const outcomes = await Promise.allSettled(
      MESSAGES.map((message, index) => (index % 5 === 0 ? gone : kept).sign(message)),
    );
    for (const [index, outcome] of outcomes.entries()) {
      if (index % 5 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CU-108' } });
      else expect(outcome.status).toBe('fulfilled');
    }
  });

  it('CU-103: a token whose sessions ended is lost, with everything that was asked of it', async () => {
    const token = await open();
    const key = makeKey(token, 'ecdsa-sha2-nistp256');
    await key.sign(MESSAGES[0]!);
    token.cryptoki.C_CloseAllSessions(module.findToken(ref).slot);
    for (const outcome of await Promise.allSettled(MESSAGES.map((message) => key.sign(message)))) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: expect.stringMatching(/^CU-1(03|11)$/) } });
    }
    expect(token.lost).not.toBeNull();
    await expect(key.sign(MESSAGES[0]!)).rejects.toBe(token.lost);
  });

  it('leaves nobody waiting when the token is closed while it signs', async () => {
    const token = await open();
    const key = makeKey(token, 'ecdsa-sha2-nistp256');
    const signatures = MESSAGES.map((message) => key.sign(message));
    await signatures[0];
    token.close();
    const outcomes = await Promise.allSettled(signatures);
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
    await expect(key.sign(MESSAGES[0]!)).rejects.toMatchObject({ code: 'CU-102' });
  });
});

it('signs in the same thread where the token has no session left for another', async () => {
  const card = new FakeToken({ maxSessions: 2 });
  const module = new Pkcs11Module(card.cryptoki, 'fake');
  module.initialize();
  const pin = (): Promise<string> => Promise.resolve(card.pin);
  const token = await openToken(
    module,
    { label: 'officer-A', serial: '0001' },
    { pin, signing: 'blocking', signApart: true },
  );
  expect(token.sessionCount).toBe(2);
  expect(token.signThread).toBeNull();
  token.close();
});

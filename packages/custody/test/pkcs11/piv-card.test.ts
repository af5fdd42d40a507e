// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy, sha256 } from '@witnessmark/core';
import {
  checkKeys,
  findKey,
  keyPolicy,
  openPkcs11Module,
  openToken,
  verifyPivAttestation,
  type PinRequest,
  type PinSource,
  type Pkcs11Module,
  type Pkcs11Token,
  type TokenRef,
} from '@witnessmark/custody';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import { issueCard, type IssuedCard } from '../support/issue-card.ts';
import { hasPkcs11js, hasProgram } from '../support/soft-hsm.ts';

const OPENSC = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const PIN = '271828';
const MESSAGE = encodeUtf8('an approval');
const POLICY = keyPolicy('release-approval');
const canRun = hasCardReaders() && hasPkcs11js() && ['yubico-piv-tool', 'pkcs11-tool', 'openssl'].every(hasProgram);

describe.skipIf(!canRun)('PIV cards over PC/SC and OpenSC', () => {
  let readers: CardReaders;
  let module: Pkcs11Module;
  let [first, second]: VirtualCard[] = [];
  let issued: IssuedCard[];
  let refs: TokenRef[];
  let token: Pkcs11Token | undefined;

  beforeAll(async () => {
    readers = await startCardReaders(2);
    Object.assign(process.env, readers.env);
    first = new VirtualCard({ serial: 11_000_001, pin: PIN, puk: '31415926' });
    second = new VirtualCard({ serial: 11_000_002, pin: PIN, puk: '31415926' });
    issued = [];
    for (const [card, holder] of [
      [first, 'officer-A'],
      [second, 'officer-B'],
    ] as const) {
      await card.insert(readers.ports[0]!);
      issued.push(issueCard(readers, holder));
      await card.pull();
    }
    module = await openPkcs11Module(OPENSC);
    await first.insert(readers.ports[0]!);
    await second.insert(readers.ports[1]!);
    refs = ['officer-A', 'officer-B'].map((label) => {
      const { identity } = module.tokens().find((found) => found.identity.label === label)!;
      return { label, serial: identity.serial };
    });
  });

  afterEach(() => {
    token?.close();
    token = undefined;
  });

  afterAll(async () => {
    module.close();
    await Promise.all([first?.destroy(), second?.destroy()]);
    await readers.stop();
  });

  it('signs with two cards at once, each with its own PIN for each signature', async () => {
    const requests: PinRequest[] = [];
    const pin = (request: PinRequest): Promise<string> => {
      requests.push(request);
      return Promise.resolve(PIN);
    };
    const tokens = [await open(0, pin), await open(1, pin)];
    const keys = tokens.map((opened) => findKey(opened, { label: 'SIGN key' }));
    const signatures = await Promise.all(keys.map((key) => key.sign(MESSAGE)));
    for (const [index, key] of keys.entries()) {
      expect(key.publicKey.keyid).toBe(issued[index]?.publicKey.keyid);
      expect(isSignedBy(key.publicKey, MESSAGE, signatures[index]!)).toBe(true);
    }
    expect(requests.map(({ found, purpose }) => `${found.label} ${purpose}`).toSorted()).toEqual([
      'officer-A login',
      'officer-A signature',
      'officer-B login',
      'officer-B signature',
    ]);
    for (const opened of tokens) opened.close();
  });

  it('A46: shows the attributes of the key policy, which are no more than its own word', async () => {
    token = await open(0);
    expect(checkKeys(token, [POLICY])).toMatchObject({
      findings: [],
      keys: [{ origin: 'generated', grade: 'selfReported' }],
    });
  });

  it('is refused by the card when the PIN of the signature is left out', async () => {
    token = await open(0);
    const { cryptoki, session } = token;
    cryptoki.C_FindObjectsInit(session, [{ type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY }]);
    const [handle] = cryptoki.C_FindObjects(session, 1);
    cryptoki.C_FindObjectsFinal(session);
    const key = findKey(token, { label: 'SIGN key' });
    await key.sign(MESSAGE);
    cryptoki.C_SignInit(session, { mechanism: ck.CKM_ECDSA }, handle!);
    const without = cryptoki.C_SignAsync(session, Buffer.from(sha256(MESSAGE)), Buffer.alloc(64));
    await expect(without).rejects.toThrow(/CKR_USER_NOT_LOGGED_IN/);
  });

  it('is attested by its vendor: chain, serial, slot, PIN and touch policy', async () => {
    const { root } = await first!.status();
    const { publicKey, leaf, intermediate } = issued[0]!;
    const attested = verifyPivAttestation(
      { leaf, intermediates: [intermediate] },
      { roots: [root], time: Date.UTC(2026, 10, 20), publicKey, serial: 11_000_001, policy: POLICY.piv! },
    );
    expect(attested).toMatchObject({ grade: 'vendorAttested', slot: '9c', pinPolicy: 'always', touchPolicy: 'always' });
  });

  it('shares its key with pkcs11-tool: what that signs verifies', () => {
    const dir = mkdtempSync(join(tmpdir(), 'witnessmark-piv-'));
    const [digest, signature] = [join(dir, 'digest'), join(dir, 'signature')];
    writeFileSync(digest, sha256(MESSAGE));
    const args = ['--module', OPENSC, '--token-label', 'officer-A', '--login', '--pin', PIN, '--id', '02'];
    const form = ['-m', 'ECDSA', '--signature-format', 'openssl', '-i', digest];
    execFileSync('pkcs11-tool', [...args, '--sign', ...form, '-o', signature], { stdio: 'pipe' });
    expect(isSignedBy(issued[0]!.publicKey, MESSAGE, Uint8Array.from(readFileSync(signature)))).toBe(true);
    rmSync(dir, { recursive: true });
  });

  it('says that it was not touched, and signs nothing', async () => {
    token = await open(0);
    const key = findKey(token, { label: 'SIGN key' });
    const before = (await first!.status()).signatures;
    await first!.setTouched(false);
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-114' });
    await first!.setTouched(true);
    expect((await first!.status()).signatures).toBe(before);
  });

  it('card pulled in the middle of a signature: says so, is used no more, and works after it is opened again', async () => {
    token = await open(0);
    const key = findKey(token, { label: 'SIGN key' });
    await first!.pullAtSignature();
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-103' });
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'CU-103' });
    await first!.insert(readers.ports[0]!);
    token = await open(0);
    await expect(findKey(token, { label: 'SIGN key' }).sign(MESSAGE)).resolves.toBeInstanceOf(Uint8Array);
  });

  it('another card in the reader: names both, asks for no PIN, spends no try', async () => {
    await first!.pull();
    await second!.pull();
    await second!.insert(readers.ports[0]!);
    const opening = open(0, () => Promise.reject(new Error('nobody may be asked')));
    await expect(opening).rejects.toMatchObject({
      code: 'CU-104',
      message: expect.stringMatching(/^expected token "officer-A" .* found "officer-B" /),
    });
    expect((await second!.status()).pinTries).toBe(3);
    await second!.pull();
    await expect(open(0)).rejects.toMatchObject({ code: 'CU-102' });
    await first!.insert(readers.ports[0]!);
    await second!.insert(readers.ports[1]!);
  });

  it('A47: three wrong PINs lock the card, and the right one is refused without being asked for', async () => {
    const wrong = (): Promise<string> => Promise.resolve('000000');
    const codes: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await open(1, wrong).catch((error: unknown) => codes.push((error as { code: string }).code));
    }
    expect(codes).toEqual(['CU-105', 'CU-105', 'CU-106']);
    expect((await second!.status()).pinTries).toBe(0);
    const asked = open(1, () => Promise.reject(new Error('nobody may be asked')));
    await expect(asked).rejects.toMatchObject({ code: 'CU-106' });
  });

  function open(index: number, pin: PinSource = () => Promise.resolve(PIN)): Promise<Pkcs11Token> {
    return openToken(module, refs[index]!, { pin, sessions: 1 });
  }
});

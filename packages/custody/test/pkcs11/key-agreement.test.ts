// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, RefusedError } from '@witnessmark/core';
import {
  checkKeys,
  findKey,
  findKeyAgreement,
  generateKey,
  generateKeyPair,
  generateSoftwareKey,
  generateSoftwareKeyAgreement,
  KeyAccess,
  keyPolicy,
  openToken,
  parseKeyReference,
  saveSoftwareKey,
  type Pkcs11Module,
  type Pkcs11Token,
  type TokenRef,
} from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import {
  createSoftHsm,
  hasSoftHsm,
  openSoftHsmModule,
  PIN,
  SOFTHSM_MODULE,
  type SoftHsm,
} from '../support/soft-hsm.ts';

const UNSEALING = keyPolicy('line-unsealing');
const ID = Buffer.from(UNSEALING.id, 'hex');

describe.skipIf(!hasSoftHsm)('key agreement against SoftHSM', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  let token: Pkcs11Token;
  let ref: TokenRef;
  let other: TokenRef;

  beforeAll(async () => {
    hsm = createSoftHsm();
    ref = { label: 'unsealing-hsm', serial: hsm.createToken('unsealing-hsm') };
    other = { label: 'wrong-hsm', serial: hsm.createToken('wrong-hsm') };
    module = await openSoftHsmModule();
    token = await openToken(module, ref, { pin: () => Promise.resolve(PIN), readWrite: true });
    generateKey(token, UNSEALING);
  });

  afterAll(() => {
    token.close();
    module.close();
    hsm.remove();
  });

  it.each(['threads', 'blocking'] as const)('gives both sides one secret (%s)', async (signing) => {
    const opened = await openToken(module, ref, { pin: () => Promise.resolve(PIN), signing });
    const key = findKeyAgreement(opened, { label: UNSEALING.label, id: ID });
    const peers = Array.from({ length: 12 }, () => generateSoftwareKeyAgreement());
    const own = await Promise.all(peers.map(({ publicKey }) => key.agree(publicKey, (secret) => Buffer.from(secret))));
    const theirs = await Promise.all(peers.map((peer) => peer.agree(key.publicKey, (secret) => Buffer.from(secret))));
    expect(own).toEqual(theirs);
    expect(key.custody).toBe('hardware');
    opened.close();
  });

  it('A22: wipes the secret and leaves none on the token', async () => {
    const key = findKeyAgreement(token, { id: ID });
    const kept: Uint8Array[] = [];
    await key.agree(generateSoftwareKeyAgreement().publicKey, (secret) => kept.push(secret));
    expect(kept[0]!.every((byte) => byte === 0)).toBe(true);
    token.cryptoki.C_FindObjectsInit(token.session, [{ type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY }]);
    const found = token.cryptoki.C_FindObjects(token.session, 8);
    token.cryptoki.C_FindObjectsFinal(token.session);
    expect(found).toEqual([]);
  });

  it('A46: may agree and nothing else, as its policy says', async () => {
    const { keys, findings } = checkKeys(token, [UNSEALING]);
    expect(findings).toEqual([]);
    expect(keys[0]!.attributes).toMatchObject({ CKA_DERIVE: true, CKA_SIGN: false, CKA_EXTRACTABLE: false });
    await expect(findKey(token, { id: ID }).sign(encodeUtf8('a statement'))).rejects.toMatchObject({ code: 'CU-113' });
  });

  it('A46: a key that may sign as well, or may not agree, is found', async () => {
    const wrong = await openToken(module, other, { pin: () => Promise.resolve(PIN), readWrite: true });
    const make = (isAgreeing: boolean): void => {
      const flags = [ck.CKA_TOKEN, ck.CKA_PRIVATE, ck.CKA_SENSITIVE, ck.CKA_SIGN] as const;
      generateKeyPair(wrong, {
        label: UNSEALING.label,
        id: ID,
        scheme: UNSEALING.scheme,
        privateKey: new Map([...flags.map((flag) => [flag, true] as const), [ck.CKA_DERIVE, isAgreeing]]),
        publicKey: new Map([[ck.CKA_TOKEN, true]]),
      });
    };
    make(false);
    const codes = new Set(checkKeys(wrong, [UNSEALING]).findings.map(({ code, detail }) => `${code} ${detail}`));
    expect(codes).toContain('CU-124 private key: CKA_DERIVE must be true, it is false');
    expect(codes).toContain('CU-124 private key: CKA_SIGN must be false, it is true');
    await expect(
      findKeyAgreement(wrong, { id: ID }).agree(generateSoftwareKeyAgreement().publicKey, () => null),
    ).rejects.toMatchObject({ code: 'CU-113' });
    wrong.close();
  });

  it('is opened by its reference, and comes back with its token', async () => {
    const pinFile = join(hsm.dir, 'pin');
    writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 });
    const at = `token=${ref.label};serial=${ref.serial};object=${UNSEALING.label}`;
    const reference = parseKeyReference(`pkcs11:${at}?module-path=${SOFTHSM_MODULE}&pin-source=file:${pinFile}`);
    if (reference.kind !== 'pkcs11') throw new TypeError('not a token');
    const ports = { clock: { monotonic: () => 0 }, newId: () => '', askPin: () => Promise.reject(new Error('asked')) };
    const access = new KeyAccess(ports);
    const key = await access.openAgreement(reference);
    const peer = generateSoftwareKeyAgreement();
    const expected = await peer.agree(key.publicKey, (secret) => Buffer.from(secret));
    expect(await key.agree(peer.publicKey, (secret) => Buffer.from(secret))).toEqual(expected);
    (await access.token(reference)).lose(new RefusedError('CU-103', 'pulled'));
    expect(await key.agree(peer.publicKey, (secret) => Buffer.from(secret))).toEqual(expected);
    access.close();
    await expect(key.agree(peer.publicKey, () => null)).rejects.toMatchObject({ code: 'CU-102' });
  });

  it('is opened from a file in trials, and not from custody, which signs only', async () => {
    const file = join(hsm.dir, 'unsealing.pem');
    const saved = generateSoftwareKey('ecdsa-sha2-nistp256');
    saveSoftwareKey(file, saved);
    const ports = { clock: { monotonic: () => 0 }, newId: () => '', askPin: () => Promise.reject(new Error('asked')) };
    const access = new KeyAccess(ports);
    const key = await access.openAgreement(parseKeyReference(file));
    expect([key.custody, key.publicKey.keyid]).toEqual(['software', saved.publicKey.keyid]);
    const custody = parseKeyReference('custody:line-unsealing?socket=/run/c.sock&client=line&token-file=/run/t');
    await expect(access.openAgreement(custody)).rejects.toMatchObject({ code: 'CU-113' });
    access.close();
  });

  it('names a key that is missing, or is on another curve', () => {
    expect(() => findKeyAgreement(token, { label: 'none' })).toThrow(expect.objectContaining({ code: 'CU-108' }));
    generateKeyPair(token, {
      label: 'log',
      id: Buffer.from('77', 'hex'),
      scheme: 'ed25519',
      privateKey: new Map([[ck.CKA_TOKEN, true]]),
      publicKey: new Map([[ck.CKA_TOKEN, true]]),
    });
    expect(() => findKeyAgreement(token, { label: 'log' })).toThrow(expect.objectContaining({ code: 'CU-113' }));
  });
});

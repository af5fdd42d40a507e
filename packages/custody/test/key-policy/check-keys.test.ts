// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  checkKeys,
  demandKeys,
  generateKey,
  keyPolicy,
  openToken,
  originOf,
  type KeyPolicy,
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
import type { PKCS11, Template } from 'pkcs11js';

const EVIDENCE = keyPolicy('line-evidence');
const CHECKPOINT = keyPolicy('log-checkpoint');
const TOKENS = 15;
const GOOD_PRIVATE: Record<number, boolean> = {
  [ck.CKA_TOKEN]: true,
  [ck.CKA_PRIVATE]: true,
  [ck.CKA_MODIFIABLE]: false,
  [ck.CKA_SENSITIVE]: true,
  [ck.CKA_EXTRACTABLE]: false,
  [ck.CKA_SIGN]: true,
  [ck.CKA_SIGN_RECOVER]: false,
  [ck.CKA_DECRYPT]: false,
  [ck.CKA_UNWRAP]: false,
  [ck.CKA_DERIVE]: false,
};
const GOOD_PUBLIC: Record<number, boolean> = {
  [ck.CKA_TOKEN]: true,
  [ck.CKA_PRIVATE]: false,
  [ck.CKA_MODIFIABLE]: false,
  [ck.CKA_VERIFY]: true,
  [ck.CKA_VERIFY_RECOVER]: false,
  [ck.CKA_ENCRYPT]: false,
  [ck.CKA_WRAP]: false,
  [ck.CKA_DERIVE]: false,
};

describe.skipIf(!hasSoftHsm)('A46: keys are read back against their policy', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  /** Made before the module starts: SoftHSM looks for tokens only then. */
  const unused: TokenRef[] = [];

  beforeAll(async () => {
    hsm = createSoftHsm();
    for (let number = 1; number <= TOKENS; number += 1) {
      // No label is the beginning of another: pkcs11-tool takes the first token whose label begins as asked.
      const label = `keys-${String(number).padStart(2, '0')}`;
      unused.push({ label, serial: hsm.createToken(label) });
    }
    module = await openSoftHsmModule();
  });

  afterAll(() => {
    module.close();
    hsm.remove();
  });

  it('accepts the keys it makes, and grades them as the token said', async () => {
    const token = await freshToken();
    generateKey(token, EVIDENCE);
    generateKey(token, CHECKPOINT);
    const { keys, findings } = checkKeys(token, [EVIDENCE, CHECKPOINT]);
    expect(findings).toEqual([]);
    expect(keys.map(({ origin, grade }) => [origin, grade])).toEqual([
      ['generated', 'selfReported'],
      ['generated', 'selfReported'],
    ]);
    expect(keys[0]?.attributes).toEqual(EVIDENCE.privateKey);
    expect(demandKeys(token, [EVIDENCE, CHECKPOINT])).toHaveLength(2);
  });

  it.each([
    ['extractable', { [ck.CKA_EXTRACTABLE]: true }, {}, 'CU-121'],
    ['not sensitive', { [ck.CKA_SENSITIVE]: false }, {}, 'CU-121'],
    ['able to unwrap', { [ck.CKA_UNWRAP]: true }, {}, 'CU-123'],
    ['able to derive', { [ck.CKA_DERIVE]: true }, {}, 'CU-123'],
    ['able to decrypt', { [ck.CKA_DECRYPT]: true }, {}, 'CU-123'],
    ['able to wrap with its public half', {}, { [ck.CKA_WRAP]: true }, 'CU-123'],
    ['modifiable', { [ck.CKA_MODIFIABLE]: true }, {}, 'CU-124'],
    ['unable to sign', { [ck.CKA_SIGN]: false }, {}, 'CU-124'],
  ])('refuses to start with a key that is %s', async (_, privateKey, publicKey, code) => {
    const token = await freshToken();
    makeKey(token, { ...GOOD_PRIVATE, ...privateKey }, { ...GOOD_PUBLIC, ...publicKey });
    expect(checkKeys(token, [EVIDENCE]).findings.map((finding) => finding.code)).toContain(code);
    expect(() => demandKeys(token, [EVIDENCE])).toThrow(expect.objectContaining({ code }));
  });

  it('tells a key that was imported from one that was born inside, whatever else it shows', async () => {
    const token = await freshToken();
    importKey(token);
    const { keys, findings } = checkKeys(token, [EVIDENCE]);
    expect(keys[0]?.origin).toBe('broughtIn');
    expect(findings.map(({ code }) => code)).toEqual(['CU-122', 'CU-122', 'CU-122']);
    expect(findings[0]?.detail).toBe('private key: CKA_LOCAL must be true, it is false');
  });

  it('tells a key that was unwrapped from one that was born inside', async () => {
    const token = await freshToken();
    unwrapKey(token);
    expect(checkKeys(token, [EVIDENCE]).keys[0]?.origin).toBe('broughtIn');
    expect(() => demandKeys(token, [EVIDENCE])).toThrow(expect.objectContaining({ code: 'CU-122' }));
  });

  it('tells a key that was extractable once, though it is not any more', async () => {
    const token = await freshToken();
    const modifiable = { ...GOOD_PRIVATE, [ck.CKA_MODIFIABLE]: true, [ck.CKA_EXTRACTABLE]: true };
    const { privateKey } = makeKey(token, modifiable, GOOD_PUBLIC);
    raw(token).C_SetAttributeValue(token.session, privateKey, [{ type: ck.CKA_EXTRACTABLE, value: false }]);
    const { keys, findings } = checkKeys(token, [EVIDENCE]);
    expect(keys[0]?.origin).toBe('generatedExposed');
    expect(findings.map(({ code, detail }) => [code, detail])).toContainEqual([
      'CU-121',
      'private key: CKA_NEVER_EXTRACTABLE must be true, it is false',
    ]);
  });

  it('names keys that are missing, of another kind, or that nobody asked for', async () => {
    const token = await freshToken();
    generateKey(token, EVIDENCE);
    const wrongKind: KeyPolicy = { ...EVIDENCE, scheme: 'ed25519' };
    expect(codes(token, [CHECKPOINT])).toEqual(['CU-108', 'CU-127']);
    expect(codes(token, [wrongKind])).toEqual(['CU-126']);
    raw(token).C_GenerateKey(token.session, { mechanism: 0x1080 }, [
      { type: ck.CKA_TOKEN, value: true },
      { type: ck.CKA_LABEL, value: 'stray' },
      { type: 0x161, value: 32 },
    ]);
    expect(checkKeys(token, [EVIDENCE]).findings).toMatchObject([{ code: 'CU-127', key: 'stray' }]);
  });

  it('cannot tell is not yes: an attribute the token does not show is a finding', async () => {
    const token = await freshToken();
    generateKey(token, EVIDENCE);
    const publicOnly: KeyPolicy = { ...EVIDENCE, publicKey: { ...EVIDENCE.publicKey, CKA_ALWAYS_SENSITIVE: true } };
    expect(codes(token, [publicOnly])).toEqual(['CU-125']);
  });

  it('makes keys that pkcs11-tool can neither read nor wrap', async () => {
    const token = await freshToken();
    generateKey(token, EVIDENCE);
    const args = ['--module', SOFTHSM_MODULE, '--token-label', token.identity.label, '--login', '--pin', PIN];
    const listing = execFileSync('pkcs11-tool', [...args, '-O', '--type', 'privkey'], {
      env: hsm.env,
      encoding: 'utf8',
    });
    expect(listing).toMatch(/Usage:\s+sign\n/);
    expect(() => wrap(token)).toThrow(/CKR_KEY_UNEXTRACTABLE/);
  });

  function codes(token: Pkcs11Token, policies: KeyPolicy[]): string[] {
    return checkKeys(token, policies).findings.map(({ code }) => code);
  }

  async function freshToken(): Promise<Pkcs11Token> {
    return openToken(module, unused.pop()!, { pin: () => Promise.resolve(PIN), sessions: 1, readWrite: true });
  }
});

describe('where a key came from', () => {
  it.each([
    [true, true, true, 'generated'],
    [true, true, false, 'generatedExposed'],
    [true, false, true, 'generatedExposed'],
    [false, false, false, 'broughtIn'],
    [false, true, true, 'contradictory'],
    [false, false, true, 'contradictory'],
  ] as const)(
    'local %s, always sensitive %s, never extractable %s: %s',
    (local, alwaysSensitive, neverExtractable, is) => {
      expect(originOf({ local, alwaysSensitive, neverExtractable })).toBe(is);
    },
  );
});

/** What the product never does, done with the module itself. */
function raw(token: Pkcs11Token): PKCS11 {
  return token.cryptoki as PKCS11;
}

function template(flags: Record<number, boolean>): Template {
  const name = [
    { type: ck.CKA_LABEL, value: EVIDENCE.label },
    { type: ck.CKA_ID, value: Buffer.from(EVIDENCE.id, 'hex') },
  ];
  return [...name, ...Object.entries(flags).map(([type, value]) => ({ type: Number(type), value }))];
}

function makeKey(token: Pkcs11Token, privateKey: Record<number, boolean>, publicKey: Record<number, boolean>) {
  const publicTemplate = [...template(publicKey), { type: ck.CKA_EC_PARAMS, value: ck.P256_PARAMS }];
  const mechanism = { mechanism: ck.CKM_EC_KEY_PAIR_GEN };
  return raw(token).C_GenerateKeyPair(token.session, mechanism, publicTemplate, template(privateKey));
}

function importKey(token: Pkcs11Token): void {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d, x, y } = pair.privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.from('044104', 'hex'),
    Buffer.from(x!, 'base64url'),
    Buffer.from(y!, 'base64url'),
  ]);
  const kind = [
    { type: ck.CKA_KEY_TYPE, value: ck.CKK_EC },
    { type: ck.CKA_EC_PARAMS, value: ck.P256_PARAMS },
  ];
  const value = { type: 0x11, value: Buffer.from(d!, 'base64url') };
  const secret = [{ type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY }, ...kind, value, ...template(GOOD_PRIVATE)];
  raw(token).C_CreateObject(token.session, secret);
  const open = [{ type: ck.CKA_CLASS, value: ck.CKO_PUBLIC_KEY }, ...kind, { type: ck.CKA_EC_POINT, value: point }];
  raw(token).C_CreateObject(token.session, [...open, ...template(GOOD_PUBLIC)]);
}

const AES_KEY_WRAP_PAD = { mechanism: 0x210a };

function wrappingKey(token: Pkcs11Token): Buffer {
  return raw(token).C_GenerateKey(token.session, { mechanism: 0x1080 }, [
    { type: ck.CKA_TOKEN, value: false },
    { type: 0x161, value: 32 },
    { type: ck.CKA_WRAP, value: true },
    { type: ck.CKA_UNWRAP, value: true },
  ]);
}

function unwrapKey(token: Pkcs11Token): void {
  const extractable = { ...GOOD_PRIVATE, [ck.CKA_TOKEN]: false, [ck.CKA_EXTRACTABLE]: true };
  const { privateKey } = makeKey(token, extractable, GOOD_PUBLIC);
  const kek = wrappingKey(token);
  const wrapped = raw(token).C_WrapKey(token.session, AES_KEY_WRAP_PAD, kek, privateKey, Buffer.alloc(4096));
  raw(token).C_DestroyObject(token.session, privateKey);
  raw(token).C_UnwrapKey(token.session, AES_KEY_WRAP_PAD, kek, wrapped, [
    { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
    { type: ck.CKA_KEY_TYPE, value: ck.CKK_EC },
    ...template(GOOD_PRIVATE),
  ]);
}

function wrap(token: Pkcs11Token): Buffer {
  raw(token).C_FindObjectsInit(token.session, [{ type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY }]);
  const [handle] = raw(token).C_FindObjects(token.session, 1);
  raw(token).C_FindObjectsFinal(token.session);
  return raw(token).C_WrapKey(token.session, AES_KEY_WRAP_PAD, wrappingKey(token), handle!, Buffer.alloc(4096));
}

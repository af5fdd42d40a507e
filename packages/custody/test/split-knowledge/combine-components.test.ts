// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { decodeHex } from '@witnessmark/core';
import {
  ComponentCombiner,
  countKeyObjects,
  destroyKey,
  openToken,
  TRANSPORT_KEY,
  type Pkcs11Module,
  type Pkcs11Token,
} from '@witnessmark/custody';
import type { PKCS11 } from 'pkcs11js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import { originOf } from '../../src/key-policy/attributes.ts';
import { demandSecretKey } from '../../src/split-knowledge/combine-components.ts';
import { findObjects } from '../../src/pkcs11/objects.ts';
import { createSoftHsm, hasProgram, hasSoftHsm, openSoftHsmModule, PIN, type SoftHsm } from '../support/soft-hsm.ts';
import { FakeToken } from '../support/fake-cryptoki.ts';

const REF = { label: TRANSPORT_KEY.label, id: decodeHex(TRANSPORT_KEY.id) };

/** Both by OpenSSL alone: what the sender of the components computes. */
function checkValueOf(key: Buffer): string {
  const options = ['mac', '-cipher', 'AES-256-CBC', '-macopt', `hexkey:${key.toString('hex')}`, '-in', '-', 'CMAC'];
  return execFileSync('openssl', options, { input: Buffer.alloc(16), encoding: 'utf8' })
    .slice(0, 6)
    .toLowerCase();
}

function combine([first, ...others]: readonly Buffer[]): Buffer {
  return others.reduce<Buffer>((key, component) => {
    const args = ['enc', '-aes-256-cbc', '-nopad', '-K', key.toString('hex'), '-iv', '0'.repeat(32)];
    return execFileSync('openssl', args, { input: component });
  }, first!);
}

describe.skipIf(!hasSoftHsm || !hasProgram('openssl'))('a key from components, put together inside SoftHSM', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  let token: Pkcs11Token;
  let serial: string;
  let components: Buffer[];
  let key: Buffer;

  beforeAll(async () => {
    hsm = createSoftHsm();
    serial = hsm.createToken('transport-token');
    module = await openSoftHsmModule();
  });

  beforeEach(async () => {
    const pin = (): Promise<string> => Promise.resolve(PIN);
    token = await openToken(module, { label: 'transport-token', serial }, { pin, readWrite: true });
    components = [randomBytes(32), randomBytes(32), randomBytes(32)];
    key = combine(components);
  });

  afterEach(() => {
    token.close();
  });

  afterAll(() => {
    module.close();
    hsm.remove();
  });

  it('is the key the sender has: what he wrapped, it unwraps; and it says that it was brought in', () => {
    const combiner = start(3);
    for (const component of components) combiner.add(Buffer.from(component), checkValueOf(component));
    expect(combiner.isMade).toBe(true);
    const shown = demandSecretKey(token, REF, TRANSPORT_KEY.attributes);
    const { CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE } = shown;
    expect(
      originOf({ local: CKA_LOCAL!, alwaysSensitive: CKA_ALWAYS_SENSITIVE!, neverExtractable: CKA_NEVER_EXTRACTABLE! }),
    ).toBe('broughtIn');

    const travelling = randomBytes(32);
    const wrap = createCipheriv('id-aes256-wrap', key, Buffer.alloc(8, 0xa6));
    const wrapped = Buffer.concat([wrap.update(travelling), wrap.final()]);
    expect(unwrappedCheckValue(wrapped)).toBe(checkValueOf(travelling));
  });

  it('I16: leaves no component behind, neither in memory that was handed over nor in the session', () => {
    const combiner = start(3);
    const handed = components.map((component) => Buffer.from(component));
    for (const [index, component] of handed.entries()) combiner.add(component, checkValueOf(components[index]!));
    expect(handed.every((component) => component.equals(Buffer.alloc(32)))).toBe(true);
    expect(findObjects(token, [{ type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY }], 16)).toHaveLength(1);
  });

  it('refuses a wrong component at its entry, erases it, and goes on with the right one', () => {
    const combiner = start(2, combine(components.slice(0, 2)));
    combiner.add(Buffer.from(components[0]!), checkValueOf(components[0]!));
    const wrong = Buffer.from(components[1]!);
    wrong[31]! ^= 1;
    expect(() => combiner.add(wrong, checkValueOf(components[1]!))).toThrow(
      expect.objectContaining({ code: 'CE-222' }),
    );
    expect(wrong.equals(Buffer.alloc(32))).toBe(true);
    combiner.add(Buffer.from(components[1]!), checkValueOf(components[1]!));
    expect(combiner.isMade).toBe(true);
  });

  it('refuses one component twice', () => {
    const combiner = start(2);
    combiner.add(Buffer.from(components[0]!), checkValueOf(components[0]!));
    const again = (): void => combiner.add(Buffer.from(components[0]!), checkValueOf(components[0]!));
    expect(again).toThrow(expect.objectContaining({ code: 'CE-223' }));
    combiner.close();
  });

  it('keeps no key when the components are right and the key is not, as in another order', () => {
    destroyKey(token, REF);
    const combiner = start(3);
    const [first, second, third] = components as [Buffer, Buffer, Buffer];
    combiner.add(Buffer.from(second), checkValueOf(second));
    combiner.add(Buffer.from(first), checkValueOf(first));
    expect(() => combiner.add(Buffer.from(third), checkValueOf(third))).toThrow(
      expect.objectContaining({ code: 'CE-225' }),
    );
    combiner.close();
    expect(countKeyObjects(token, REF)).toBe(0);
  });

  it('SoftHSM 2.6.1 has no XOR or concatenation of keys, and says which mechanisms it has', () => {
    const mechanisms = token.mechanisms();
    for (const absent of [0x360, 0x362, 0x363, 0x364]) expect(mechanisms.has(absent)).toBe(false);
    expect(mechanisms.has(ck.CKM_AES_CBC_ENCRYPT_DATA)).toBe(true);
  });

  it('refuses a token that cannot combine inside', async () => {
    const fake = new FakeToken();
    const { Pkcs11Module: Module } = await import('@witnessmark/custody');
    const other = new Module(fake.cryptoki, 'fake');
    other.initialize();
    const card = await openToken(
      other,
      { label: 'officer-A', serial: '0001' },
      { pin: () => Promise.resolve(fake.pin) },
    );
    const make = (): ComponentCombiner => new ComponentCombiner(card, keyOf(2, key));
    expect(make).toThrow(expect.objectContaining({ code: 'CE-224' }));
  });

  function keyOf(count: number, expected: Buffer) {
    return { ref: REF, attributes: TRANSPORT_KEY.attributes, checkValue: checkValueOf(expected), components: count };
  }

  function start(count: number, expected = key): ComponentCombiner {
    return new ComponentCombiner(token, keyOf(count, expected));
  }

  function unwrappedCheckValue(wrapped: Buffer): string {
    const { session } = token;
    const cryptoki = token.cryptoki as unknown as PKCS11;
    const [handle] = findObjects(token, [{ type: ck.CKA_LABEL, value: 'transport' }], 1);
    const unwrapped = cryptoki.C_UnwrapKey(session, { mechanism: 0x2109 }, handle!, wrapped, [
      { type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY },
      { type: ck.CKA_KEY_TYPE, value: ck.CKK_AES },
      { type: ck.CKA_TOKEN, value: false },
      { type: ck.CKA_SIGN, value: true },
    ]);
    cryptoki.C_SignInit(session, { mechanism: ck.CKM_AES_CMAC }, unwrapped);
    const mac = cryptoki.C_Sign(session, Buffer.alloc(16), Buffer.alloc(16)).toString('hex');
    cryptoki.C_DestroyObject(session, unwrapped);
    return mac.slice(0, 6);
  }
});

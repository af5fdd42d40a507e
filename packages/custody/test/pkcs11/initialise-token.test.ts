// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  countKeyObjects,
  demandFreeLabel,
  destroyKey,
  findEmptySlot,
  findPublicKey,
  generateKey,
  hasUserPin,
  initialiseToken,
  keyPolicy,
  lookAtToken,
  openToken,
  setUserPin,
  Pkcs11Module,
  type TokenIdentity,
} from '@witnessmark/custody';
import { decodeHex } from '@witnessmark/core';
import { FakeToken } from '../support/fake-cryptoki.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSoftHsm,
  hasProgram,
  hasSoftHsm,
  openSoftHsmModule,
  SOFTHSM_MODULE,
  type SoftHsm,
} from '../support/soft-hsm.ts';

const SO_PIN = 'so-pin-7d0a44e1';
const USER_PIN = 'user-pin-11c9b3';
const POLICY = keyPolicy('device-ca');
const REF = { label: POLICY.label, id: decodeHex(POLICY.id) };

describe('a module without an empty slot', () => {
  it('is refused, as is one whose empty slot is of other hardware', () => {
    const full = new Pkcs11Module(new FakeToken().cryptoki, 'fake');
    full.initialize();
    expect(() => findEmptySlot(full, '0001')).toThrow(expect.objectContaining({ code: 'CE-202' }));
    const empty = new Pkcs11Module(new FakeToken({ isBlank: true }).cryptoki, 'fake');
    empty.initialize();
    expect(findEmptySlot(empty, '0001').identity.serial).toBe('0001');
    expect(() => findEmptySlot(empty, '0002')).toThrow(expect.objectContaining({ code: 'CE-202' }));
  });
});

describe.skipIf(!hasSoftHsm || !hasProgram('pkcs11-tool'))('making a token and destroying its keys', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  let made: TokenIdentity;

  beforeAll(async () => {
    hsm = createSoftHsm();
    module = await openSoftHsmModule();
    made = initialiseToken(module, { label: 'service-hsm', serial: 'printed-on-it' }, SO_PIN);
  });

  afterAll(() => {
    module.close();
    hsm.remove();
  });

  it('initialises an empty slot, which pkcs11-tool then shows', () => {
    expect(made).toMatchObject({
      label: 'service-hsm',
      manufacturer: 'SoftHSM project',
      serial: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const listing = execFileSync('pkcs11-tool', ['--module', SOFTHSM_MODULE, '--list-slots'], {
      env: hsm.env,
      encoding: 'utf8',
    });
    expect(listing).toMatch(/token label\s+: service-hsm/);
    expect(hasUserPin(module, made)).toBe(false);
  });

  it('never initialises a token that is there', () => {
    expect(() => initialiseToken(module, { label: 'service-hsm', serial: 'x' }, SO_PIN)).toThrow(
      expect.objectContaining({ code: 'CE-201' }),
    );
    expect(() => demandFreeLabel(module, 'service-hsm')).toThrow(expect.objectContaining({ code: 'CE-201' }));
    expect(() => demandFreeLabel(module, 'another')).not.toThrow();
  });

  it('refuses a label beyond 32 bytes, and takes one of 32', () => {
    expect(() => initialiseToken(module, { label: 'x'.repeat(33), serial: '' }, SO_PIN)).toThrow(TypeError);
    expect(initialiseToken(module, { label: 'x'.repeat(32), serial: '' }, SO_PIN).label).toBe('x'.repeat(32));
  });

  it('takes the user PIN from the security officer only', async () => {
    const wrong = { securityOfficer: 'so-pin-wrong', user: USER_PIN };
    expect(() => setUserPin(module, made, wrong)).toThrow(expect.objectContaining({ code: 'CU-105' }));
    expect(hasUserPin(module, made)).toBe(false);
    setUserPin(module, made, { securityOfficer: SO_PIN, user: USER_PIN });
    expect(hasUserPin(module, made)).toBe(true);
    (await openToken(module, made, { pin: () => Promise.resolve(USER_PIN) })).close();
  });

  it('shows a public key without a PIN, and destroys the key so that nothing of it is left', async () => {
    const token = await openToken(module, made, { pin: () => Promise.resolve(USER_PIN), readWrite: true });
    const { publicKey } = generateKey(token, POLICY);
    expect(countKeyObjects(token, REF)).toBe(2);
    expect(destroyKey(token, { ...REF, label: 'device' })).toBe(0);
    token.close();

    const look = await lookAtToken(module, made);
    expect(findPublicKey(look, REF)).toEqual(publicKey);
    expect(countKeyObjects(look, REF)).toBe(1);
    look.close();

    const again = await openToken(module, made, { pin: () => Promise.resolve(USER_PIN), readWrite: true });
    expect(destroyKey(again, REF)).toBe(2);
    expect([countKeyObjects(again, REF), findPublicKey(again, REF), destroyKey(again, REF)]).toEqual([0, null, 0]);
    again.close();
    const args = [
      '--module',
      SOFTHSM_MODULE,
      '--token-label',
      'service-hsm',
      '--login',
      '--pin',
      USER_PIN,
      '--list-objects',
    ];
    expect(execFileSync('pkcs11-tool', args, { env: hsm.env, encoding: 'utf8', stdio: 'pipe' })).not.toContain(
      'device-ca',
    );
  });
});

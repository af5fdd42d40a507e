// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSignedBy, sha256, sha256Hex, type JsonValue } from '@witnessmark/core';
import {
  generateSoftwareKey,
  findRegisteredKey,
  generateKeyPair,
  initialiseToken,
  openPkcs11Module,
  openToken,
  originOf,
  setUserPin,
} from '@witnessmark/custody';
import { ceremonyActs, type ActContext } from '@witnessmark/ceremony';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, factOf, House, type Held, type Occasion } from './support/house.ts';
import { createEmptyHsm, hasSoftHsm, SOFTHSM_MODULE, type EmptyHsm } from './support/soft-hsm.ts';

const SO_PIN = 'so-pin-4f19c2aa';
const USER_PIN = 'user-pin-77e0d1';
const CKA = { modifiable: 0x170, token: 0x01, private: 0x02, sensitive: 0x103, sign: 0x108, extractable: 0x162 };
const PINS = { 'so-pin': SO_PIN, 'user-pin': USER_PIN, pin: USER_PIN };

describe.skipIf(!hasSoftHsm)('ceremonies with an HSM', { timeout: 120_000 }, () => {
  let hsm: EmptyHsm;
  let house: House;
  let line: Held;

  beforeAll(async () => {
    hsm = createEmptyHsm();
    house = new House();
    line = await house.hold(initialisation('line-hsm', 'hsm-initialisation-line', { isInterrupted: true }));
  });

  afterAll(() => {
    house.remove();
    hsm.remove();
  });

  it('I17: HSM initialisation, ended before and after every act, does each of them once', () => {
    expect(line.state.outcome).toBe('completed');
    const irreversible = line.state.steps.filter(({ step }) => step.irreversible !== null).map(({ step }) => step.id);
    expect(irreversible).toEqual(['initialise', 'make-line-evidence', 'make-log-checkpoint', 'make-line-unsealing']);
    for (const step of irreversible) expect([step, line.effects.get(step)]).toEqual([step, 1]);
    expect(line.state.steps.find(({ step }) => step.id === 'initialise')!.origin).toBe('inspected');
    expect(line.state.exceptions.length).toBeGreaterThanOrEqual(2 * irreversible.length);
  });

  it('made what pkcs11-tool finds: keys sensitive, never extractable, local', () => {
    const listing = hsm.pkcs11Tool(
      '--token-label',
      'line-hsm',
      '--login',
      '--pin',
      USER_PIN,
      '--list-objects',
      '--type',
      'privkey',
    );
    for (const label of ['line-evidence', 'log-checkpoint', 'line-unsealing']) expect(listing).toContain(label);
    expect(listing.match(/sensitive, always sensitive, never extract(?:r)?able, local/g)).toHaveLength(3);
  });

  it('entered each key into the registry, with the serial of the token and two custodians', async () => {
    const keyid = digestOf(line.result('make-line-evidence'), 'key id');
    const key = findRegisteredKey(await house.registry.read(), keyid);
    expect(key).toMatchObject({
      policy: 'line-evidence',
      custodians: ['s.kim', 'l.meyer'],
      ceremony: 'line-hsm',
      rehearsal: false,
      token: { label: 'line-hsm', serial: factOf(line.result('initialise'), 'token serial') },
      attestation: { grade: 'selfReported' },
    });
    expect(key.states.map(({ state }) => state)).toEqual(['preActivation', 'active']);
  });

  it('A46: shows in its transcript the attributes that were read back', () => {
    const [evidence] = line.result('read-back').keys;
    expect(evidence!.attributes).toMatchObject({
      CKA_EXTRACTABLE: false,
      CKA_NEVER_EXTRACTABLE: true,
      CKA_LOCAL: true,
    });
  });

  it('refuses to make a token over one that is there', async () => {
    const again = house.hold(initialisation('again', 'hsm-initialisation-office', { label: 'line-hsm' }));
    await expect(again).rejects.toMatchObject({ code: 'CE-201' });
  });

  it('refuses one person for both PINs, a PIN typed differently, and one that protects nothing', async () => {
    const once = (id: string, secrets: Record<string, string>, label: string): Promise<Held> =>
      house.hold(initialisation(id, 'hsm-initialisation-office', { label, secrets }));
    await expect(once('two-1', { ...PINS, 'so-pin-again': 'something-else' }, 'office-1')).rejects.toMatchObject({
      code: 'CE-206',
    });
    await expect(once('two-2', { ...PINS, 'so-pin': '12345678' }, 'office-2')).rejects.toMatchObject({
      code: 'CE-205',
    });
    await expect(once('two-3', { ...PINS, 'so-pin': 'xxxxxxxxxx' }, 'office-3')).rejects.toMatchObject({
      code: 'CE-205',
    });
    await expect(once('two-4', { ...PINS, 'so-pin': 'seven77' }, 'office-4')).rejects.toMatchObject({ code: 'CE-205' });
    await expect(once('two-5', { ...PINS, 'user-pin': SO_PIN }, 'office-5')).rejects.toMatchObject({ code: 'CE-205' });
  });

  it('A46: a key somebody planted is not taken over, and one that could leave is refused when it is read back', async () => {
    const module = await openPkcs11Module(SOFTHSM_MODULE);
    const made = initialiseToken(module, { label: 'spoilt', serial: '' }, SO_PIN);
    setUserPin(module, made, { securityOfficer: SO_PIN, user: USER_PIN });
    const token = await openToken(module, made, { pin: () => Promise.resolve(USER_PIN), readWrite: true });
    const couldLeave = new Map([
      [CKA.modifiable, false],
      [CKA.token, true],
      [CKA.private, true],
      [CKA.sensitive, false],
      [CKA.extractable, true],
      [CKA.sign, true],
    ]);
    const names = { label: 'device-ca', id: Uint8Array.of(0x13), scheme: 'ecdsa-sha2-nistp256' } as const;
    generateKeyPair(token, { ...names, privateKey: couldLeave, publicKey: new Map([[CKA.token, true]]) });
    token.close();
    module.close();
    await expect(house.hold(deviceCa('planted', ['spoilt', made.serial]))).rejects.toMatchObject({ code: 'CE-203' });
    const readBack = house.perform('spoilt', 'read-back-keys', {
      parameters: { equipment: 'service-hsm', policies: ['device-ca'], besides: [], pinBy: 'holder-2' },
      equipment: (name) => ({ name, label: made.label, serial: made.serial, bag: null }),
      prompts: { secret: () => Promise.resolve(USER_PIN), notice: () => undefined },
    });
    await expect(readBack).rejects.toMatchObject({ code: 'CU-121' });
  });

  it('I17: device CA, ended before and after every act: openssl verifies its certificate, for devices and nothing else', async () => {
    const serial = factOf(line.result('initialise'), 'token serial');
    const held = await house.hold(deviceCa('device-ca', ['line-hsm', serial], true));
    expect(held.effects.get('make-key')).toBe(1);
    const der = join(held.dir, 'work', 'device-ca.cer');
    const pem = join(held.dir, 'device-ca.pem');
    const certificate = new X509Certificate(readFileSync(der));
    expect(digestOf(held.result('certify'), 'certificate')).toBe(sha256Hex(Uint8Array.from(certificate.raw)));
    writeFileSync(pem, certificate.toString());
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
    expect(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', pem, pem)).toContain('OK');
    const text = openssl('x509', '-in', pem, '-noout', '-text');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\s/);
    expect(text).toContain('Not After : Dec 31 23:59:59 9999 GMT');
    expect(text).toContain('O = ACME, CN = ACME Device CA 1');

    const damaged = Buffer.from(certificate.raw);
    damaged[damaged.length - 1]! ^= 1;
    writeFileSync(der, damaged);
    expect(() => openssl('verify', '-check_ss_sig', '-CAfile', der, der)).toThrow();
    const inspect = ceremonyActs(house.ports('device-ca')).find(({ kind }) => kind === 'issue-ca-certificate')!.inspect;
    const parameters = { equipment: 'x', pinBy: 'holder-2', organization: 'ACME', commonName: 'common-name' };
    const equipment = (name: string) => ({ name, label: 'line-hsm', serial, bag: null });
    const context = { parameters, equipment } as unknown as ActContext;
    await expect(inspect(context)).rejects.toMatchObject({ code: 'CE-216' });
    writeFileSync(der, 'no certificate');
    await expect(inspect(context)).rejects.toMatchObject({ code: 'CE-215' });
    await expect(house.workOf('nowhere').demand('trusted-root.json')).rejects.toMatchObject({ code: 'CE-215' });
  });

  it('I17: transport key under split knowledge, ended before and after every act; a mistyped component is typed again', async () => {
    const components = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const hex = components.map((component) => component.toString('hex'));
    const key = combine(components);
    let mistakes = 0;
    const held = await house.hold({
      id: 'transport',
      script: 'transport-key',
      holders: ['s.kim', 'l.meyer', 'd.okafor', 'n.lee', 'p.silva'],
      equipment: { 'transport-token': ['transport-hsm', 'TT-1'] },
      inputs: {
        'component-1': checkValueOf(components[0]!),
        'component-2': checkValueOf(components[1]!).toUpperCase(),
        'component-3': checkValueOf(components[2]!),
        key: checkValueOf(key),
      },
      secrets: PINS,
      isInterrupted: true,
      habits: {
        secret: ({ from, id }) => {
          const number = /^component-([123])$/.exec(id)?.[1];
          if (number === undefined) return PINS[id.replace(/-again$/, '') as keyof typeof PINS];
          expect(from).toBe(`holder-${Number(number) + 2}`);
          const digits = hex[Number(number) - 1]!;
          if (number === '2' && (mistakes += 1) === 1)
            return digits.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
          return digits.toUpperCase().match(/.{4}/g)!.join(' ');
        },
      },
    });
    expect(held.room.notices).toContainEqual(expect.stringMatching(/^component 2 was not accepted/));
    expect(held.result('combine').keys[0]).toMatchObject({
      spki: null,
      checkValue: checkValueOf(key),
      attributes: { origin: 'broughtIn' },
    });
    const { secretKeys = [] } = await house.registry.read();
    expect(secretKeys).toMatchObject([
      { checkValue: checkValueOf(key), origin: 'broughtIn', custodians: ['d.okafor', 'n.lee', 'p.silva'] },
    ]);
    expect(originOf({ local: false, alwaysSensitive: false, neverExtractable: false })).toBe('broughtIn');

    const everything = house.everything().toLowerCase();
    const base64 = (text: string): string => Buffer.from(text).toString('base64').toLowerCase().replaceAll('=', '');
    const texts = [...hex, key.toString('hex'), SO_PIN, USER_PIN].flatMap((text) => [text, base64(text)]);
    const binary = [...components, key].map((bytes) => bytes.toString('latin1').toLowerCase());
    expect([...texts, ...binary].filter((secret) => everything.includes(secret))).toEqual([]);
    const said = [...held.room.notices, ...held.room.refusals.map((error) => error.stack)].join('\n').toLowerCase();
    expect(hex.filter((digits) => said.includes(digits.slice(0, 8)))).toEqual([]);
  });

  it('a component that is wrong three times ends the ceremony, and no key is on the token', async () => {
    const inputs = { 'component-1': '000000', 'component-2': '000001', 'component-3': '000002', key: '000003' };
    const base = { script: 'transport-key', inputs, secrets: { ...PINS, 'component-1': 'ab'.repeat(31) + 'cd' } };
    const people = ['s.kim', 'l.meyer', 'd.okafor', 'n.lee', 'p.silva'];
    const wrong = {
      ...base,
      id: 'wrong',
      holders: people,
      equipment: { 'transport-token': ['transport-2', 'TT-2'] },
    } as const;
    await expect(house.hold(wrong)).rejects.toMatchObject({ code: 'CE-222' });
    expect(
      hsm.pkcs11Tool('--token-label', 'transport-2', '--login', '--pin', USER_PIN, '--list-objects'),
    ).not.toContain('Secret Key');
  });

  it('A27: one person with two components, or with a component and the PIN, is refused before anybody types', async () => {
    const parts = [1, 2].map((number) => ({ custodian: `holder-${number}`, checkValue: `component-${number}` }));
    const parameters = { equipment: 't', pinBy: 'holder-3', components: parts, checkValue: 'key' };
    const same = house.perform('same', 'combine-components', { parameters, person: () => 's.kim' });
    await expect(same).rejects.toMatchObject({ code: 'CE-226' });
    const person = (ref: string): string => (ref === 'holder-3' ? 'holder-1' : ref);
    const pinToo = house.perform('same', 'combine-components', { parameters, person });
    await expect(pinToo).rejects.toMatchObject({ code: 'CE-226' });
    const twoPins = { equipment: 't', securityOfficer: 'holder-1', user: 'holder-2' };
    const onePerson = house.perform('same', 'set-user-pin', { parameters: twoPins, person: () => 's.kim' });
    await expect(onePerson).rejects.toMatchObject({ code: 'CE-204' });
  });

  it('key destruction, ended before and after every act: first its use ends, then the key, and pkcs11-tool finds nothing', async () => {
    const key = digestOf(line.result('make-line-unsealing'), 'key id');
    const serial = factOf(line.result('initialise'), 'token serial');
    const occasion: Occasion = {
      id: 'destruction',
      script: 'key-destruction',
      holders: ['l.meyer'],
      equipment: { 'service-hsm': ['line-hsm', serial] },
      inputs: { key, reason: 'the line is closed' },
      secrets: PINS,
      isInterrupted: true,
    };
    const held = await house.hold(occasion);
    expect(held.effects.get('destroy')).toBe(1);
    expect(held.result('destroy').keys[0]).toMatchObject({ name: 'line-unsealing', change: 'destroyed' });
    expect(factOf(held.result('destroy'), 'signatures accounted for')).toBe('0');
    const objects = hsm.pkcs11Tool('--token-label', 'line-hsm', '--login', '--pin', USER_PIN, '--list-objects');
    expect(objects).not.toContain('line-unsealing');
    expect(objects).toContain('line-evidence');
    expect(findRegisteredKey(await house.registry.read(), key).states.map(({ state }) => state)).toEqual([
      'preActivation',
      'active',
      'deactivated',
      'destroyed',
    ]);
    await expect(house.hold({ ...occasion, id: 'destroyed-again' })).rejects.toMatchObject({ code: 'CU-141' });
    await expect(
      house.hold({ ...occasion, id: 'unknown', inputs: { key: 'ab'.repeat(32), reason: 'x' } }),
    ).rejects.toMatchObject({ code: 'CU-142' });
  });

  it('destroys nothing that is in use, nothing the token does not hold, and calls no key of an HSM destroyed unseen', async () => {
    const key = digestOf(line.result('make-line-evidence'), 'key id');
    const serial = factOf(line.result('initialise'), 'token serial');
    const act = (kind: string, parameters: JsonValue, label = 'line-hsm') =>
      house.perform('unfit', kind, {
        parameters,
        input: (name) => (name === 'key' ? key : 'a reason'),
        equipment: (name) => ({ name, label, serial, bag: null }),
        prompts: { secret: () => Promise.resolve(USER_PIN), notice: () => undefined },
      });
    const unseen = { key: 'key', state: 'destroyed', reason: 'reason' };
    await expect(act('change-key-state', unseen)).rejects.toMatchObject({ code: 'CE-227' });
    const plan = ceremonyActs(house.ports('unfit')).find(({ kind }) => kind === 'destroy-key')!.plan;
    const destroy = { equipment: 'service-hsm', key: 'key', reason: 'reason', pinBy: 'holder-1' };
    const context = { parameters: destroy, input: () => key } as unknown as ActContext;
    await expect(plan(context)).rejects.toMatchObject({ code: 'CE-213' });
    const office = (await house.registry.read()).keys.find(({ policy }) => policy === 'device-ca')!;
    expect(office.keyid).not.toBe(key);
  });

  it('A46: a rehearsal marks its keys, and a token signs what openssl verifies', async () => {
    const held = await house.hold(
      initialisation('rehearsal', 'hsm-initialisation-office', { label: 'spare-hsm', rehearsal: true }),
    );
    const registry = await house.registry.read();
    const own = registry.keys.filter(({ ceremony }) => ceremony === 'rehearsal');
    expect(own.map(({ rehearsal }) => rehearsal)).toEqual([true, true]);
    const message = Buffer.from('a statement');
    const digest = join(held.dir, 'digest');
    const signature = join(held.dir, 'signature');
    writeFileSync(digest, sha256(Uint8Array.from(message)));
    hsm.pkcs11Tool(
      '--token-label',
      'spare-hsm',
      '--login',
      '--pin',
      USER_PIN,
      '--id',
      '10',
      '--sign',
      '-m',
      'ECDSA',
      '--signature-format',
      'openssl',
      '-i',
      digest,
      '-o',
      signature,
    );
    const { publicKey } = generateSoftwareKey('ecdsa-sha2-nistp256');
    expect(isSignedBy(publicKey, Uint8Array.from(message), Uint8Array.from(readFileSync(signature)))).toBe(false);
    const spki = join(held.dir, 'spki');
    writeFileSync(spki, Buffer.from(own.find(({ policy }) => policy === 'release-online')!.spki, 'base64'));
    const input = join(held.dir, 'message');
    writeFileSync(input, message);
    const args = ['dgst', '-sha256', '-keyform', 'DER', '-verify', spki, '-signature', signature, input];
    expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('Verified OK');
  });

  function initialisation(
    id: string,
    script: string,
    more: { label?: string; secrets?: Record<string, string>; isInterrupted?: boolean; rehearsal?: boolean },
  ): Occasion {
    return {
      id,
      script,
      holders: ['s.kim', 'l.meyer'],
      equipment: { 'service-hsm': [more.label ?? 'line-hsm', 'HSM-0042'] },
      secrets: more.secrets ?? PINS,
      isInterrupted: more.isInterrupted ?? false,
      rehearsal: more.rehearsal ?? false,
    };
  }

  function deviceCa(id: string, token: readonly [string, string], isInterrupted = false): Occasion {
    return {
      id,
      script: 'device-ca',
      holders: ['s.kim', 'l.meyer'],
      equipment: { 'service-hsm': token },
      inputs: { 'common-name': 'ACME Device CA 1' },
      secrets: PINS,
      isInterrupted,
    };
  }
});

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

// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  breakGlassClosing,
  breakGlassOpening,
  buildStatement,
  formatTrustedRoot,
  parseTrustedRoot,
  type TrustedRoot,
} from '@witnessmark/attestation';
import {
  decodeBase64,
  formatInstant,
  parsePublicKey,
  sha256Hex,
  verifyEnvelope,
  type Envelope,
  type PublicKey,
} from '@witnessmark/core';
import { findRegisteredKey } from '@witnessmark/custody';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import type { BreakGlassPort, BreakGlassRecord } from '@witnessmark/ceremony';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, factOf, House, sha256Of, type Held, type Occasion } from './support/house.ts';
import { createEmptyHsm, hasProgram, hasSoftHsm, type EmptyHsm } from './support/soft-hsm.ts';
import { followWithTufJs } from './support/tuf-client.ts';

const USER_PIN = 'user-pin-77e0d1';
const HSM_PINS = { 'so-pin': 'so-pin-4f19c2aa', 'user-pin': USER_PIN, pin: USER_PIN };
const FACTORY = { pin: '123456', puk: '12345678' };
const PUK = '602!1407';
const canRun = hasSoftHsm && hasCardReaders() && ['yubico-piv-tool', 'opensc-tool'].every(hasProgram);

const TRUSTED_ROOT: TrustedRoot = {
  mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
  name: 'house',
  version: 1,
  logs: [],
  witnesses: [],
  keys: [],
  certificateAuthorities: [],
  revocations: [],
};

/** Holder, printed serial, the PIN he chooses. */
const OFFICERS = [
  { id: 's.kim', serial: '11000001', pin: '!271828' },
  { id: 'l.meyer', serial: '11000002', pin: '!314159' },
  { id: 'd.okafor', serial: '11000003', pin: '!141421' },
  { id: 'p.silva', serial: '11000004', pin: '!173205' },
] as const;
interface Officer {
  readonly id: string;
  readonly serial: string;
  readonly pin: string;
}
const [KIM, MEYER, OKAFOR, SILVA] = OFFICERS;
const REHEARSED = { id: 'rehearsed', serial: '11000008', pin: '!224744' };
const SPARE = { id: 'spare', serial: '11000009', pin: '!161803' };

describe.skipIf(!canRun)('ceremonies with cards', { timeout: 120_000 }, () => {
  let readers: CardReaders;
  let hsm: EmptyHsm;
  let house: House;
  let office: Held;
  const cards = new Map<string, VirtualCard>();
  const issues = new Map<string, Held>();

  beforeAll(async () => {
    readers = await startCardReaders(2);
    Object.assign(process.env, readers.env);
    hsm = createEmptyHsm();
    house = new House(Date.now());
    for (const { serial } of [...OFFICERS, SPARE, REHEARSED]) {
      const card = new VirtualCard({ serial: Number(serial), ...FACTORY });
      cards.set(serial, card);
      house.pivRoots.push((await card.status()).root);
    }
    const equipment = { 'service-hsm': ['office-hsm', 'HSM-0007'] } as const;
    const people = ['n.lee', 'o.berg'];
    office = await house.hold({
      id: 'office',
      script: 'hsm-initialisation-office',
      holders: people,
      equipment,
      secrets: HSM_PINS,
    });
  });

  afterAll(async () => {
    await Promise.all([...cards.values()].map((card) => card.destroy()));
    await readers.stop();
    house.remove();
    hsm.remove();
  });

  it('I17: card issue, ended before and after every act, makes one key and enrols it once', async () => {
    const held = await issue(KIM, { isInterrupted: true });
    const made = held.state.steps.filter(({ step }) => step.irreversible !== null).map(({ step }) => step.id);
    expect(made).toEqual(['make-key', 'seal-card']);
    for (const step of made) expect([step, held.effects.get(step)]).toEqual([step, 1]);
    const [key] = held.result('make-key').keys;
    expect(key).toMatchObject({
      grade: 'vendorAttested',
      attributes: { slot: '9c', pinPolicy: 'always', touchPolicy: 'always' },
    });
    const entry = findRegisteredKey(await house.registry.read(), digestOf(held.result('make-key'), 'key id'));
    expect(entry).toMatchObject({ policy: 'trust-root', holder: 's.kim', custodians: ['s.kim'], uses: 1 });
    expect(entry.attestation.certificates).toHaveLength(2);
  });

  it('yubico-piv-tool and openssl see the same: the new PIN, the key in 9c, the chain to the root of the vendor', async () => {
    await insertAt(0, KIM);
    expect(() => pivTool('--stdin-input', '-a', 'verify-pin', KIM.pin)).not.toThrow();
    expect(() => pivTool('--stdin-input', '-a', 'verify-pin', FACTORY.pin)).toThrow();
    expect(() => pivTool('--stdin-input', '-a', 'verify-pin', KIM.pin)).not.toThrow();
    expect(() => pivTool('-s', '9c', '-A', 'ECCP256', '-a', 'generate')).toThrow();
    const file = (name: string, pem: string): string => {
      writeFileSync(join(house.dir, name), pem);
      return join(house.dir, name);
    };
    const leaf = file('leaf.pem', pivTool('-s', '9c', '-a', 'attest'));
    const own = file('f9.pem', pivTool('-s', 'f9', '-a', 'read-certificate'));
    const der = file('root.der', '');
    writeFileSync(der, house.pivRoots[0]!);
    const root = file('root.pem', openssl('x509', '-inform', 'der', '-in', der));
    expect(openssl('verify', '-CAfile', root, '-untrusted', own, leaf)).toContain('OK');
    const spki = openssl(
      'x509',
      '-in',
      file('slot.pem', pivTool('-s', '9c', '-a', 'read-certificate')),
      '-noout',
      '-pubkey',
    );
    const registered = findRegisteredKey(
      await house.registry.read(),
      digestOf(issues.get(KIM.id)!.result('enrol'), 'key id'),
    );
    expect(spki.replaceAll(/-----[A-Z ]+-----|\s/g, '')).toBe(registered.spki);
  });

  it('refuses a card that was used before, one with secrets of the factory, and another card than the one named', async () => {
    await expect(issue(KIM, { id: 'used' })).rejects.toMatchObject({ code: 'CE-207' });
    await insertAt(0, MEYER);
    const generate = house.perform('fresh', 'generate-card-key', {
      parameters: { equipment: 'card', policy: 'trust-root', holder: 'holder-1' },
      equipment: (name) => ({ name, label: MEYER.id, serial: MEYER.serial, bag: null }),
    });
    await expect(generate).rejects.toMatchObject({ code: 'CE-210' });
    const other = house.hold({ ...issueOf(OKAFOR, 'other'), before: () => Promise.resolve() });
    await expect(other).rejects.toMatchObject({ code: 'CE-209', message: expect.stringContaining('found 11000002') });
    expect((await cards.get(MEYER.serial)!.status()).pinTries).toBe(3);
  });

  it('refuses the PIN of the factory as the new one, and a PUK that is the PIN', async () => {
    let chosen = 0;
    const choose = (secrets: Record<string, string>) =>
      house.hold({ ...issueOf(MEYER, `choose-${(chosen += 1)}`), secrets });
    await expect(choose({ pin: '123456', puk: PUK })).rejects.toMatchObject({ code: 'CE-205' });
    await expect(choose({ pin: '555555', puk: PUK })).rejects.toMatchObject({ code: 'CE-205' });
    await expect(choose({ pin: '1234567x9', puk: PUK })).rejects.toMatchObject({ code: 'CE-205' });
    // The PIN was changed before the PUK was refused: its holder says so, and nobody else could.
    await expect(choose({ pin: '864!0864', puk: '864!0864' })).rejects.toMatchObject({ code: 'CE-205' });
    const guess = house.hold({
      ...issueOf(MEYER, 'guess'),
      secrets: { 'current-pin': '000000', pin: MEYER.pin, puk: PUK },
    });
    await expect(guess).rejects.toMatchObject({ code: 'CU-105' });
    const held = await issue(MEYER, { secrets: { 'current-pin': '864!0864', pin: MEYER.pin, puk: PUK } });
    expect(held.state.outcome).toBe('completed');
  });

  it('A27: refuses a second card for one person', async () => {
    await expect(issue({ ...SPARE, id: KIM.id }, { id: 'second' })).rejects.toMatchObject({ code: 'CE-217' });
    expect((await cards.get(SPARE.serial)!.status()).signatures).toBe(0);
    await issue(OKAFOR, {});
  });

  it('I17: trust root, ended before and after every act, by three officers with two readers', async () => {
    const held = await house.hold(trustRoot('trust-root-1', { isInterrupted: true }));
    for (const step of ['sign-1', 'sign-2', 'sign-3', 'publish'])
      expect([step, held.effects.get(step)]).toEqual([step, 1]);
    const first = digestOf(held.result('publish'), 'first root');
    expect(first).toBe(sha256Of(join(house.repository, 'metadata', '1.root.json')));
    const root = JSON.parse(readFileSync(join(house.repository, 'metadata', '1.root.json'), 'utf8'));
    expect(root.signatures).toHaveLength(3);
    expect(root.signed.roles.root).toMatchObject({
      threshold: 2,
      keyids: [expect.any(String), expect.any(String), expect.any(String)],
    });
    const { rootVersion, content } = await followWithTufJs(
      house.repository,
      join(house.dir, 'client'),
      'trusted-root.json',
    );
    expect([rootVersion, sha256Hex(new TextEncoder().encode(content))]).toEqual([
      1,
      sha256Of(join(held.dir, 'work', 'trusted-root.json')),
    ]);
    await expect(house.hold(trustRoot('trust-root-2', {}))).rejects.toMatchObject({ code: 'CE-220' });
  });

  it('A29: signs nothing but what was shown, and only with the card of the one who is named', async () => {
    const work = join(house.dir, 'trust-root-3', 'work');
    const exchange = async (step: string): Promise<void> => {
      if (step !== 'sign-1') return;
      const path = join(work, 'staged-root.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"expires":"20', '"expires":"21'));
      await insertAt(0, KIM);
    };
    const before = (await cards.get(KIM.serial)!.status()).signatures;
    await expect(house.hold({ ...trustRoot('trust-root-3', {}), before: exchange })).rejects.toMatchObject({
      code: 'CE-211',
    });
    expect((await cards.get(KIM.serial)!.status()).signatures).toBe(before);

    const swapped = trustRoot('trust-root-4', {});
    const equipment = { ...swapped.equipment, 'card-1': [MEYER.id, MEYER.serial] as const };
    const wrong = house.hold({ ...swapped, equipment, secrets: { pin: MEYER.pin }, before: () => insertAt(0, MEYER) });
    await expect(wrong).rejects.toMatchObject({ code: 'CE-214' });
  });

  it('refuses to publish what too few have signed', async () => {
    const occasion = trustRoot('trust-root-5', {});
    await expect(house.hold({ ...occasion, habits: { begin: ({ own }) => skipTo(own.step.id) } })).rejects.toThrow(
      'aborted',
    );
    const parameters = {
      equipment: 'service-hsm',
      pinBy: 'administrator',
      preparedIn: 'prepare',
      holders: ['holder-1', 'holder-2', 'holder-3'],
      threshold: 2,
      trustedRoot: 'trusted-root',
    };
    const staged = JSON.parse(readFileSync(join(house.dir, 'trust-root-5', 'work', 'staged-root.json'), 'utf8'));
    expect(staged.signatures).toEqual([]);
    const context = {
      parameters,
      person: (ref: string) => [KIM, MEYER, OKAFOR][Number(ref.at(-1)) - 1]!.id,
      input: () => occasion.inputs!['trusted-root']!,
      result: () => prepared,
    };
    const prepared = await house.perform('trust-root-5', 'prepare-trust-root', {
      ...context,
      parameters: { holders: parameters.holders, threshold: 2, trustedRoot: 'trusted-root' },
    });
    await expect(house.perform('trust-root-5', 'publish-trust-root', context)).rejects.toMatchObject({
      code: 'CE-212',
    });
  });

  it('a card pulled in the middle of a signature: says so, and signs when it is inserted again', async () => {
    await insertAt(0, KIM);
    const occasion = trustRoot('trust-root-6', {});
    const pulled = {
      ...occasion,
      before: (step: string) => (step === 'sign-1' ? pullAtSignature() : Promise.resolve()),
    };
    await expect(house.hold(pulled)).rejects.toMatchObject({ code: 'CU-103' });
    async function pullAtSignature(): Promise<void> {
      await insertAt(0, KIM);
      await cards.get(KIM.serial)!.pullAtSignature();
    }
    inserted.delete(0);
    await insertAt(0, KIM);
    expect((await cards.get(KIM.serial)!.status()).isInserted).toBe(true);
  });

  it('card loss: the key is compromised, and the ceremony says that the root has to be rotated', async () => {
    const key = digestOf(issues.get(OKAFOR.id)!.result('enrol'), 'key id');
    const held = await house.hold({
      id: 'loss',
      script: 'card-loss',
      holders: [OKAFOR.id],
      inputs: { key, reason: 'left in a taxi' },
      secrets: {},
      isInterrupted: true,
    });
    expect(findRegisteredKey(await house.registry.read(), key).states.at(-1)).toMatchObject({
      state: 'compromised',
      reason: 'left in a taxi',
    });
    expect(factOf(held.result('propose'), 'next')).toMatch(/^root rotation needed/);
    const proposed = JSON.parse(readFileSync(join(held.dir, 'work', 'proposed-revocation.json'), 'utf8'));
    const released = { ...TRUSTED_ROOT, revocations: [proposed] };
    expect(parseTrustedRoot(formatTrustedRoot(released)).revocations).toEqual([proposed]);
  });

  it('I17: root rotation, ended before and after every act: old and new holders sign, and a stock client follows', async () => {
    await issue(SILVA, {});
    const held = await house.hold({
      id: 'rotation',
      script: 'root-rotation',
      holders: [KIM.id, MEYER.id, SILVA.id],
      equipment: rootEquipment([KIM, MEYER, SILVA]),
      inputs: { 'first-root': sha256Of(join(house.repository, 'metadata', '1.root.json')) },
      secrets: rootSecrets([KIM, MEYER, SILVA]),
      before: inTurn([KIM, MEYER, SILVA]),
      isInterrupted: true,
    });
    expect(held.effects.get('publish')).toBe(1);
    expect(factOf(held.result('publish'), 'root version')).toBe('2');
    expect((await followWithTufJs(house.repository, join(house.dir, 'client'), 'trusted-root.json')).rootVersion).toBe(
      2,
    );
    expect(
      (await followWithTufJs(house.repository, join(house.dir, 'newcomer'), 'trusted-root.json')).rootVersion,
    ).toBe(2);
    const lost = await house.hold({ ...trustRoot('with-lost', {}) }).catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: 'CE-214' });
  });

  it('break-glass: two people open with their cards, one closes with the own card, ended before and after every act', async () => {
    const line = new FakeLine();
    house.breakGlass = line;
    const opening: Occasion = {
      id: 'opening',
      script: 'break-glass-opening',
      holders: [KIM.id, MEYER.id],
      equipment: { 'card-1': [KIM.id, KIM.serial], 'card-2': [MEYER.id, MEYER.serial] },
      inputs: { reason: 'forty boards wait in the oven', ticket: 'INC-12' },
      secrets: { 'pin-holder-1': KIM.pin, 'pin-holder-2': MEYER.pin },
      before: async () => {
        await insertAt(0, KIM);
        await insertAt(1, MEYER);
      },
      isInterrupted: true,
    };
    const held = await house.hold(opening);
    expect(held.effects.get('open')).toBe(1);
    const [envelope] = line.envelopes;
    const keys = await Promise.all([KIM, MEYER].map(keyOf));
    expect(() => verifyEnvelope(envelope!, { keys, payloadType: envelope!.payloadType, threshold: 2 })).not.toThrow();
    const predicate = JSON.parse(Buffer.from(envelope!.payload).toString()).predicate;
    expect(predicate).toMatchObject({
      ticket: 'INC-12',
      minutes: 30,
      requestedBy: { id: KIM.id },
      confirmedBy: { id: MEYER.id },
    });

    await house.hold({
      id: 'resealing',
      script: 'break-glass-resealing',
      holders: [MEYER.id],
      equipment: { 'card-1': [MEYER.id, MEYER.serial] },
      inputs: { opening: predicate.id, done: 'the oven was emptied', seal: 'TEB-0099' },
      secrets: { 'pin-holder-1': MEYER.pin },
      isInterrupted: true,
    });
    expect(line.envelopes).toHaveLength(2);
    house.breakGlass = null;
    await expect(house.hold({ ...opening, id: 'nowhere', isInterrupted: false })).rejects.toMatchObject({
      code: 'CE-219',
    });
  });

  it('A47: three wrong PINs lock the card, and the right one is refused without being asked for', async () => {
    const sign = (pin: string) =>
      house.perform('lock', 'enrol-card-key', {
        parameters: { equipment: 'card', policy: 'release-approval', holder: 'holder-1', originatorDays: 1 },
        equipment: (name) => ({ name, label: SILVA.id, serial: SILVA.serial, bag: null }),
        person: () => 'somebody-else',
        prompts: {
          secret: () => (pin === '' ? Promise.reject(new Error('nobody may be asked')) : Promise.resolve(pin)),
          notice: () => undefined,
        },
      });
    await insertAt(0, SILVA);
    const codes: unknown[] = [];
    for (const pin of ['000000', '000000', '000000', ''])
      codes.push(await sign(pin).catch((error: unknown) => (error as { code: string }).code));
    expect(codes).toEqual(['CU-105', 'CU-105', 'CU-106', 'CU-106']);
  });

  it('A34: a key that is in the registry already is not enrolled for another purpose', async () => {
    await insertAt(0, KIM);
    const again = house.perform('again', 'enrol-card-key', {
      parameters: { equipment: 'card', policy: 'release-approval', holder: 'holder-1', originatorDays: 1 },
      equipment: (name) => ({ name, label: KIM.id, serial: KIM.serial, bag: null }),
      prompts: { secret: () => Promise.resolve(KIM.pin), notice: () => undefined },
    });
    await expect(again).rejects.toMatchObject({ code: 'CU-145' });
  });

  it('a rehearsal uses the script and spare cards; its keys make no real root, and a card that ends is shredded', async () => {
    const spare = { ...issueOf(REHEARSED, 'rehearsal'), holders: [KIM.id, 'o.berg'], rehearsal: true };
    const key = (await house.registry.read()).keys.find(
      ({ holder, policy }) => holder === KIM.id && policy === 'trust-root',
    )!;
    const occasion = {
      id: 'shred',
      script: 'card-destruction',
      holders: [KIM.id],
      equipment: { card: [KIM.id, KIM.serial] as const },
      inputs: { key: key.keyid, reason: 'the holder leaves' },
      secrets: {},
      isInterrupted: true,
    };
    await house.hold(occasion);
    expect(findRegisteredKey(await house.registry.read(), key.keyid).states.at(-1)).toMatchObject({
      state: 'destroyed',
      by: 'shred',
    });
    await insertAt(0, REHEARSED);
    const held = await house.hold(spare);
    expect(factOf(held.result('enrol'), 'rehearsal')).toBe('yes');
    const real = await house
      .hold({ ...trustRoot('real', {}), holders: [KIM.id, MEYER.id, SILVA.id] })
      .catch((error: unknown) => error);
    expect(real).toMatchObject({ code: 'CE-218' });
  });

  it('I16: no PIN and no PUK is in any journal, transcript, registry or work file', () => {
    const everything = house.everything();
    const secrets = [...OFFICERS.map(({ pin }) => pin), PUK, '864!0864', USER_PIN];
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  const inserted = new Map<number, Officer>();

  /** Takes out what is in the reader, and this card out of any other. */
  async function insertAt(reader: number, officer: Officer): Promise<void> {
    if (inserted.get(reader)?.serial === officer.serial) return;
    for (const [place, other] of [...inserted]) {
      if (place !== reader && other.serial !== officer.serial) continue;
      await cards.get(other.serial)!.pull();
      inserted.delete(place);
    }
    await cards.get(officer.serial)!.insert(readers.ports[reader]!);
    inserted.set(reader, officer);
  }

  function issueOf(officer: Officer, id = `issue-${officer.serial}`): Occasion {
    return {
      id,
      script: 'card-issue-root',
      holders: [officer.id, 'o.berg'],
      equipment: { card: [officer.id, officer.serial] },
      secrets: { pin: officer.pin, puk: PUK },
      before: () => insertAt(0, officer),
    };
  }

  async function issue(officer: Officer, change: Partial<Occasion>): Promise<Held> {
    await insertAt(0, officer);
    const held = await house.hold({ ...issueOf(officer), ...change });
    issues.set(officer.id, held);
    return held;
  }

  function rootEquipment(officers: readonly Officer[]): Record<string, readonly [string, string]> {
    const serial = factOf(office.result('initialise'), 'token serial');
    const own = officers.map(({ id, serial: printed }, index) => [`card-${index + 1}`, [id, printed]] as const);
    return { ...Object.fromEntries(own), 'service-hsm': ['office-hsm', serial] };
  }

  function rootSecrets(officers: readonly Officer[]): Record<string, string> {
    const own = officers.map(({ pin }, index) => [`holder-${index + 1}/pin`, pin]);
    return { ...Object.fromEntries(own), 'administrator/pin': USER_PIN };
  }

  /** Two readers for three cards: the third holder takes the place of the first. */
  function inTurn(officers: readonly Officer[]): (step: string) => Promise<void> {
    return async (step) => {
      const number = /^sign-([123])$/.exec(step)?.[1];
      if (number !== undefined) await insertAt(Number(number) % 2, officers[Number(number) - 1]!);
    };
  }

  function trustRoot(id: string, change: Partial<Occasion>): Occasion {
    const work = join(house.dir, id, 'work');
    mkdirSync(work, { recursive: true });
    const document = formatTrustedRoot(TRUSTED_ROOT);
    writeFileSync(join(work, 'trusted-root.json'), document);
    const officers = [KIM, MEYER, OKAFOR];
    return {
      id,
      script: 'trust-root',
      holders: officers.map((officer) => officer.id),
      equipment: rootEquipment(officers),
      inputs: { 'trusted-root': sha256Hex(document) },
      secrets: rootSecrets(officers),
      before: inTurn(officers),
      ...change,
    };
  }

  async function keyOf({ id }: Officer): Promise<PublicKey> {
    const entry = findRegisteredKey(await house.registry.read(), digestOf(issues.get(id)!.result('enrol'), 'key id'));
    return parsePublicKey(decodeBase64(entry.spki));
  }

  function skipTo(step: string) {
    return step.startsWith('sign-') ? ({ kind: 'abort', reason: 'nobody is here' } as const) : null;
  }

  function pivTool(...args: string[]): string {
    const pin = args.includes('verify-pin') ? args.pop() : undefined;
    return execFileSync('yubico-piv-tool', ['-r', '', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      input: pin === undefined ? '' : `${pin}\n`,
    });
  }

  function openssl(...args: string[]): string {
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
  }
});

/** Builds, checks nothing, and keeps what it is handed. */
class FakeLine implements BreakGlassPort {
  readonly envelopes: Envelope[] = [];
  readonly #records = new Map<string, BreakGlassRecord>();
  readonly #place = { plant: 'PEN', line: 'L3', station: null };
  readonly #subject = { name: 'L3', digest: { sha256: sha256Hex(new TextEncoder().encode('L3')) } };

  opening: BreakGlassPort['opening'] = ({ requestedBy, confirmedBy, scope, ...order }) =>
    Promise.resolve(
      buildStatement(breakGlassOpening, this.#subject, {
        ...order,
        place: this.#place,
        scope: [...scope] as 'attemptLimit'[],
        requestedBy: { id: requestedBy, role: 'supervisor' },
        confirmedBy: { id: confirmedBy, role: 'approver' },
      }),
    );

  closing: BreakGlassPort['closing'] = ({ resealedBy, ...order }) => {
    const opening = this.#records.get(order.openingId)!;
    return Promise.resolve(
      buildStatement(breakGlassClosing, this.#subject, {
        ...order,
        openingDigest: { sha256: opening.payloadDigest },
        place: this.#place,
        resealedBy: { id: resealedBy, role: 'supervisor' },
      }),
    );
  };

  find: BreakGlassPort['find'] = (id) => Promise.resolve(this.#records.get(id) ?? null);

  submit: BreakGlassPort['submit'] = (envelope) => {
    this.envelopes.push(envelope);
    const { predicate } = JSON.parse(Buffer.from(envelope.payload).toString()) as {
      predicate: { id: string; openedAt?: string; minutes?: number };
    };
    const until =
      predicate.openedAt === undefined
        ? null
        : formatInstant(Date.parse(predicate.openedAt) + predicate.minutes! * 60_000);
    const record = { payloadDigest: sha256Hex(envelope.payload), until };
    this.#records.set(predicate.id, record);
    return Promise.resolve(record);
  };
}

// SPDX-License-Identifier: Apache-2.0
/** Who may approve what, and when: builders, cards, cooling-off, production keys, exceptions; each refused by its own code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTrustedRoot, parseTrustedRoot, type TrustedRootKey } from '@witnessmark/attestation';
import { encodeBase64, parseEnvelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { buildSampleImage } from '@witnessmark/device';
import { signStagedMetadata, toTargetContent, TrustAuthor, TRUSTED_ROOT_PATH, nodeFiles } from '@witnessmark/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import { approvalIndicators, CounterExceptions, type Gate, type GateOptions } from '../src/index.ts';
import { markImage } from './support/mark-image.ts';
import {
  createOffice,
  HOUR,
  KEYS,
  NOW,
  proposal,
  RULE,
  SAMPLE_IMAGE,
  type KeyName,
  type Office,
} from './support/office.ts';

const MINUTE = 60_000;

let office: Office;
beforeEach(async () => {
  office = await createOffice();
});

/** Changes entries of the trusted root, signed by two holders, past the gate. */
async function reenrol(change: (entry: TrustedRootKey, name: string) => TrustedRootKey): Promise<void> {
  const { repositoryDir, initialRoot } = office;
  const signers = { online: KEYS.online, effectivity: KEYS.effectivity };
  const author = await TrustAuthor.open({ directory: repositoryDir, initialRoot, files: nodeFiles, signers });
  const root = parseTrustedRoot(await author.readTarget(TRUSTED_ROOT_PATH));
  const nameOf = ({ publicKey }: TrustedRootKey): string =>
    Object.entries(KEYS).find(([, key]) => encodeBase64(key.publicKey.spki) === publicKey)?.[0] ?? '';
  const document = formatTrustedRoot({ ...root, keys: root.keys.map((entry) => change(entry, nameOf(entry))) });
  const content = toTargetContent(TRUSTED_ROOT_PATH, document);
  const staged = author.stageTargets({ add: [content], expiresAt: NOW + 1000 * HOUR });
  const signatures = [await signStagedMetadata(staged, KEYS.meyer), await signStagedMetadata(staged, KEYS.rossi)];
  await author.publish({ now: NOW, targets: { staged, signatures }, contents: [content] });
}

const refused = async (code: string, name: KeyName, gate?: Gate): Promise<void> => {
  const before = (await office.gate.status('P-0001')).decisions.length;
  await expect(office.approve(name, {}, gate)).rejects.toMatchObject({ code });
  expect((await office.gate.status('P-0001')).decisions).toHaveLength(before);
};

describe('who asked cannot approve', () => {
  it('A26 the author (PL-101) and the builder (PL-119)', async () => {
    await office.propose({ builder: 'l.meyer' });
    await refused('PL-101', 'danaApprover');
    await refused('PL-119', 'meyer');
    expect((await office.gate.status('P-0001')).eligible.map(({ person }) => person)).toEqual([
      'a.rossi',
      'j.abe',
      'b.lee',
    ]);
    expect(await office.gate.review('P-0001')).toMatchObject({ author: 'd.okafor', builder: 'l.meyer' });
    await office.approve('abe');
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted', proposal: { builder: 'l.meyer' } });
  });

  it('A27 one person with a second card (PL-102), and two people with one card (PL-120)', async () => {
    await reenrol((entry, name) =>
      ['meyer', 'abe'].includes(name) ? { ...entry, token: { label: 'card', serial: '11000001' } } : entry,
    );
    await office.propose();
    await office.approve('meyer');
    await refused('PL-120', 'abe');
    await office.approve('rossi2', {}, office.open({ rule: { ...RULE, requiredRoles: [] } })).catch(() => undefined);
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'promoted' });
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await office.approve('rossi2', { promotionId: 'P-0002' });
    await expect(office.approve('rossi', { promotionId: 'P-0002' })).rejects.toMatchObject({ code: 'PL-102' });
  });

  it('A27 two signatures of one workstation within a minute are shown', async () => {
    const gate = office.open({ workstation: 'desk-4' });
    await office.propose();
    await office.approve('meyer', {}, gate);
    office.clock.instant += MINUTE - 1;
    expect(await office.approve('rossi', {}, gate)).toMatchObject({
      state: 'promoted',
      flags: ['l.meyer and a.rossi signed within a minute at desk-4'],
    });
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await office.approve('meyer', { promotionId: 'P-0002' }, gate);
    office.clock.instant += MINUTE;
    expect(await office.approve('rossi', { promotionId: 'P-0002' }, gate)).toMatchObject({ flags: [] });
  });
});

describe('A35 habit', () => {
  it('is slowed down: before the cooling-off time an approval is refused (PL-117) and counts nowhere', async () => {
    const rule = { ...RULE, coolingOffMinutes: 30 };
    const slow = office.open({ rule });
    await office.propose();
    office.clock.instant += 30 * MINUTE - 1;
    await refused('PL-117', 'meyer', slow);
    // Signed where the rule was not known, it does not count where it is.
    await office.approve('meyer');
    expect(await slow.status('P-0001')).toMatchObject({
      missing: { people: 2 },
      decisions: [{ objection: 'it came before the cooling-off time was over' }],
    });
    office.clock.instant += 1;
    await office.approve('meyer', {}, slow);
    expect(await office.approve('rossi', {}, slow)).toMatchObject({ state: 'promoted' });
  });

  it('is seen in the record: time to approve, and approvals in an hour', async () => {
    const { keys } = await workspaceKeys();
    expect(approvalIndicators(office.statements, keys)).toEqual({ from: null, until: null, approvers: [] });
    for (let number = 1; number <= 7; number += 1) {
      await office.propose({ version: `5.0.${number}`, releaseCounter: 50 + number });
      office.clock.instant += 3_000;
      await office.approve('meyer', { promotionId: `P-000${number}` });
    }
    office.clock.instant += 2 * HOUR;
    await office.approve('rossi', { promotionId: 'P-0001' });
    const indicators = approvalIndicators(office.statements, keys);
    expect(indicators.approvers).toEqual([
      {
        person: 'l.meyer',
        approvals: 7,
        denials: 0,
        medianMs: 3_000,
        fastestMs: 3_000,
        shortestGapMs: 3_000,
        mostInOneHour: 7,
        flags: ['approved 3 s after the proposal', 'approved twice within 3 s', 'approved 7 in one hour'],
      },
      expect.objectContaining({ person: 'a.rossi', approvals: 1, shortestGapMs: null, flags: [] }),
    ]);
    // What nobody enrolled signed is no indicator of anybody.
    expect(approvalIndicators(office.statements, []).approvers).toEqual([]);
  });

  async function workspaceKeys() {
    const client = office.client();
    await client.update(office.clock.now());
    const { toTrustedKeys } = await import('@witnessmark/attestation');
    return { keys: toTrustedKeys(parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH))) };
  }
});

describe('A39 production', () => {
  const inHardware = (name: KeyName): Signer => ({
    publicKey: KEYS[name].publicKey,
    custody: 'hardware',
    sign: (message) => KEYS[name].sign(message),
  });
  const production: Pick<GateOptions, 'demands'> = { demands: { minimumGrades: { approver: 'vendorAttested' } } };

  it('refuses a software key (CU-202), one of a rehearsal (CU-203) and a grade that is too low (CU-135)', async () => {
    await reenrol((entry, name) => {
      if (name === 'abe') return { ...entry, custody: 'hardware', custodyGrade: 'vendorAttested', rehearsal: true };
      if (name === 'lee') return { ...entry, custody: 'hardware', custodyGrade: 'selfReported' };
      if (name === 'rossi' || name === 'dana') return { ...entry, custody: 'hardware', custodyGrade: 'vendorAttested' };
      return entry;
    });
    const gate = office.open(production);
    const propose = (author: Signer) => gate.propose(proposal(office.image(), author));
    await expect(propose(KEYS.dana)).rejects.toMatchObject({ code: 'CU-202' });
    await expect(propose(KEYS.eve)).rejects.toMatchObject({ code: 'CU-202' });
    await propose(inHardware('dana'));
    const approve = (signer: Signer) => office.approve('meyer', { signer }, gate);
    await expect(approve(inHardware('meyer'))).rejects.toMatchObject({ code: 'CU-202' });
    await expect(approve(KEYS.rossi)).rejects.toMatchObject({ code: 'CU-202' });
    await expect(approve(inHardware('abe'))).rejects.toMatchObject({ code: 'CU-203' });
    await expect(approve(inHardware('lee'))).rejects.toMatchObject({ code: 'CU-135' });
    expect(await approve(inHardware('rossi'))).toMatchObject({
      state: 'waiting',
      decisions: [{ person: 'a.rossi', custodyGrade: 'vendorAttested', objection: null }],
      eligible: [],
    });
    // An approval with a software key, given where production was not asked for, does not count.
    await office.approve('meyer', {}, office.openDesk());
    expect(await gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
  });
});

describe('A36 a security counter below the published one', () => {
  const older = buildSampleImage({ sizeBytes: 4096, version: '4.2.2', securityCounter: 12, seed: 'radio' });
  const release = (image = older) => ({ imagePath: office.image(image), version: '4.2.2', releaseCounter: 42 });
  let exceptions: CounterExceptions;
  beforeEach(async () => {
    exceptions = new CounterExceptions(office.options);
    await office.propose();
    await office.approve('meyer');
    await office.approve('rossi');
  });

  const request = () =>
    exceptions.request({
      imagePath: office.image(older),
      sku: 'GW-210',
      reason: 'the new radio fails in the cold',
      ticket: 'REL-92',
      author: KEYS.dana,
    });
  const sign = async (name: KeyName, prefix?: string) => {
    const [exception] = await exceptions.list();
    const typedDigestPrefix = prefix ?? exception!.digest.slice(0, 4);
    return exceptions.sign({ exceptionId: 'E-0001', signer: KEYS[name], typedDigestPrefix });
  };

  it('is refused (PL-108), and made with a recorded exception of two other people', async () => {
    await expect(office.propose(release())).rejects.toMatchObject({ code: 'PL-108' });
    expect(await request()).toMatchObject({ exceptionId: 'E-0001', published: 13, allowed: 12, approvers: [] });
    await expect(office.propose({ ...release(), exceptionId: 'E-0001' })).rejects.toMatchObject({ code: 'PL-121' });
    await sign('meyer');
    await expect(office.propose({ ...release(), exceptionId: 'E-0001' })).rejects.toMatchObject({ code: 'PL-121' });
    expect(await sign('abe')).toMatchObject({ approvers: ['l.meyer', 'j.abe'], objection: null });
    await office.propose({ ...release(), exceptionId: 'E-0001' });
    expect(await office.gate.review('P-0002')).toMatchObject({
      exception: { exceptionId: 'E-0001', allowed: 12, reason: 'the new radio fails in the cold' },
      floor: { securityCounters: [{ name: 'firmware', before: 13, after: 13 }] },
    });
    await office.approve('meyer', { promotionId: 'P-0002' });
    expect(await office.approve('rossi', { promotionId: 'P-0002' })).toMatchObject({ state: 'promoted' });
    const client = office.client();
    await client.update(office.clock.now());
    const published = parseEnvelope(await client.readTarget('attestations/GW-210-4.2.2.exception.dsse.json'));
    expect(published.signatures).toHaveLength(3);
  });

  it('is refused for another image, another counter, or when it ran out (PL-121)', async () => {
    await request();
    await sign('meyer');
    await sign('abe');
    const other = buildSampleImage({ sizeBytes: 4096, version: '4.2.2', securityCounter: 12, seed: 'other' });
    const propose = (image: Uint8Array) => office.propose({ ...release(image), exceptionId: 'E-0001' });
    await expect(propose(other)).rejects.toMatchObject({ code: 'PL-121' });
    office.clock.instant += 14 * 24 * HOUR;
    await office.gate.refresh();
    await expect(propose(older)).rejects.toMatchObject({ code: 'PL-121' });
    await expect(office.propose({ ...release(), exceptionId: 'E-0007' })).rejects.toMatchObject({ code: 'PL-121' });
  });

  it('has two different approvers, none of whom asked for it', async () => {
    await expect(exceptions.request({ ...exceptionFor(SAMPLE_IMAGE) })).rejects.toMatchObject({ code: 'PL-121' });
    await request();
    await expect(sign('danaApprover')).rejects.toMatchObject({ code: 'PL-101' });
    await expect(sign('operator')).rejects.toMatchObject({ code: 'PL-105' });
    await expect(sign('rossi', 'zzzz')).rejects.toMatchObject({ code: 'PL-109' });
    await sign('rossi');
    await expect(sign('rossi2')).rejects.toMatchObject({ code: 'PL-102' });
    expect((await exceptions.list())[0]).toMatchObject({ objection: 'E-0001 has 1 of 2 approvers' });
  });

  const exceptionFor = (image: Uint8Array) => ({
    imagePath: office.image(image),
    sku: 'GW-210',
    reason: 'none needed',
    ticket: 'REL-92',
    author: KEYS.dana,
  });
});

describe('A37 a release class', () => {
  it('is signed with the manifest; a debug build is no production release (PL-118)', async () => {
    const imagePath = office.image(markImage(SAMPLE_IMAGE, 0x1));
    await expect(office.propose({ imagePath })).rejects.toMatchObject({ code: 'PL-118' });
    expect(await office.propose({ imagePath, releaseClass: 'debug' })).toMatchObject({
      proposal: { releaseClass: 'debug' },
    });
    expect(JSON.parse(readFileSync(`${office.promotion()}/release.json`, 'utf8'))).toMatchObject({
      releaseClass: 'debug',
    });
    expect(await office.gate.review('P-0001')).toMatchObject({
      configuration: expect.arrayContaining([{ name: 'class', before: null, after: 'debug' }]),
    });
  });
});

describe('A29 a man in the middle', () => {
  it('who shows one release and has another one signed gets no threshold: every machine signs what it shows', async () => {
    await office.propose();
    // The author helps: the first approver's machine is given a copy that is consistent, signed, and another one.
    const copy = join(office.base, 'given');
    const given = office.openDesk({ directory: copy });
    await given.propose({ ...proposal(office.image('other bytes')), reason: 'looks the same', securityCounter: 13 });
    const shown = (await given.status('P-0001')).proposal!.candidateDigest;
    const own = (await office.gate.status('P-0001')).proposal!.candidateDigest;
    expect(shown).not.toBe(own);
    await office.approve('meyer', {}, given);
    // The second approver recomputes from his own copy; at the office the two are about different bytes.
    await office.approve('rossi', {}, office.openDesk());
    const decision = readFileSync(given.decisionPath('P-0001', KEYS.meyer.publicKey.keyid));
    await expect(office.gate.submit('P-0001', decision)).rejects.toMatchObject({ code: 'PL-103' });
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-106' });
  });

  it('between screen and card, who swaps what is signed, is caught by the bytes that were shown', async () => {
    await office.propose();
    const swapping = (swap: (message: Uint8Array) => Uint8Array): Signer => ({
      publicKey: KEYS.meyer.publicKey,
      custody: 'hardware',
      sign: (message) => KEYS.meyer.sign(swap(message)),
    });
    const lastByte = (message: Uint8Array): Uint8Array => message.with(-1, (message.at(-1) ?? 0) ^ 1);
    for (const swap of [lastByte, (message: Uint8Array) => message.slice(1), () => new Uint8Array(32)]) {
      await expect(office.approve('meyer', { signer: swapping(swap) })).rejects.toMatchObject({
        code: 'ERR_GATE_SIGNATURE',
      });
    }
    expect((await office.gate.status('P-0001')).decisions).toEqual([]);
    await office.approve('meyer', { signer: swapping((message) => message) });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });
});

describe('a decision signed on an own machine', () => {
  it('counts at the office when it is brought there, and proves who signed', async () => {
    await office.propose();
    const desk = office.openDesk();
    await office.approve('meyer', {}, desk);
    const path = desk.decisionPath('P-0001', KEYS.meyer.publicKey.keyid);
    const decision = readFileSync(path);
    await expect(office.gate.submit('P-0001', decision)).rejects.toMatchObject({ code: 'PL-102' });
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await expect(office.gate.submit('P-0002', decision)).rejects.toMatchObject({ code: 'PL-103' });
    const stolen = { ...JSON.parse(decision.toString()), targetsSignature: null };
    await expect(office.gate.submit('P-0001', Buffer.from(JSON.stringify(stolen)))).rejects.toMatchObject({
      code: 'PL-105',
    });
  });
});

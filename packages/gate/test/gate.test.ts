// SPDX-License-Identifier: Apache-2.0
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseEffectivity, parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { decodeUtf8, encodeUtf8, equalBytes, formatInstant, sha256Hex } from '@witnessmark/core';
import { generateSoftwareKey, type Signer } from '@witnessmark/custody';
import { effectivityPath, readRelease, releaseInEffect, TRUSTED_ROOT_PATH, verifyRelease } from '@witnessmark/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import { GATE_LIMITS } from '../src/index.ts';
import {
  createOffice,
  DAY,
  HOUR,
  KEYS,
  NOW,
  proposal,
  RULE,
  SAMPLE_IMAGE,
  scratch,
  SITE,
  type KeyName,
  type Office,
} from './support/office.ts';

/** JSON as somebody with an editor sees it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- damage is not typed
type Loose = any;

let office: Office;
beforeEach(async () => {
  office = await createOffice();
});

async function promote(change: Parameters<Office['propose']>[0] = {}): Promise<void> {
  const { promotionId } = await office.propose(change);
  await office.approve('meyer', { promotionId });
  await office.approve('rossi', { promotionId });
}

async function published() {
  const client = office.client();
  await client.update(office.clock.now());
  const keys = toTrustedKeys(parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH)));
  const effectivity = parseEffectivity(await client.readTarget(effectivityPath(SITE.plant, SITE.line)));
  return { client, keys, effectivity };
}

describe('a promotion', () => {
  it('goes from a file to a release that a station accepts', async () => {
    const proposed = await office.propose();
    expect(proposed).toMatchObject({
      promotionId: 'P-0001',
      state: 'waiting',
      proposal: { releaseId: 'GW-210-4.2.1', releaseCounter: 41, author: 'd.okafor', ticket: 'ECO-7731' },
      missing: { people: 2, roles: ['security'] },
    });
    expect(proposed.eligible.map(({ person }) => person)).toEqual(['l.meyer', 'a.rossi', 'j.abe', 'b.lee']);

    expect(await office.approve('meyer')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    office.clock.instant += HOUR;
    const promoted = await office.approve('rossi');
    expect(promoted).toMatchObject({ state: 'promoted', missing: null });
    expect(promoted.decisions.map(({ person, role }) => `${person} ${role}`)).toEqual([
      'l.meyer release',
      'a.rossi security',
    ]);

    const { client, keys, effectivity } = await published();
    expect(client.state).toMatchObject({ targetsVersion: 2, effectivityVersion: 2 });
    const rule = releaseInEffect(effectivity, { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW });
    const release = await readRelease(client, rule.releaseId);
    expect(release.approvals).toHaveLength(2);
    const candidate = verifyRelease(release, keys, RULE);
    expect(candidate.predicate.site).toEqual(SITE);
    const [component] = release.manifest.components;
    expect(component).toMatchObject({
      version: '4.2.1+0',
      securityCounter: 13,
      mediaType: 'application/x-mcuboot-image',
    });
    expect(equalBytes(await client.readTarget(component!.targetPath), SAMPLE_IMAGE)).toBe(true);
  });

  it('tells its recorder every statement, in order', async () => {
    await promote();
    const kinds = office.statements.map(({ payload }) =>
      JSON.parse(decodeUtf8(payload)).predicateType.split('/').at(-2),
    );
    expect(kinds).toEqual(['release-candidate', 'release-approval', 'release-approval']);
  });

  it('does not happen when it cannot be recorded', async () => {
    const gate = office.open({ onStatement: () => Promise.reject(new Error('disk full')) });
    await expect(gate.propose(proposal(office.image()))).rejects.toThrow('disk full');
    expect(await office.gate.list()).toEqual([]);
    await office.propose();
    await expect(office.approve('meyer', {}, gate)).rejects.toThrow('disk full');
    expect((await office.gate.status('P-0001')).decisions).toEqual([]);
  });

  it('takes other images: without MCUboot header the counter is the stated one', async () => {
    await promote({ imagePath: office.image('plain firmware'), securityCounter: 7, version: '1.0.0' });
    const { manifest } = await readRelease((await published()).client, 'GW-210-1.0.0');
    expect(manifest.components[0]).toMatchObject({
      version: '1.0.0',
      securityCounter: 7,
      mediaType: 'application/octet-stream',
    });
  });

  it('is made by people with other keys for the repository than for their statements', async () => {
    const other = generateSoftwareKey('ecdsa-sha2-nistp256');
    await office.propose();
    // Any targets key of the repository, once; one that is none is refused.
    await expect(office.approve('meyer', { targetsSigner: other })).rejects.toMatchObject({ code: 'PL-105' });
    await office.approve('meyer', { targetsSigner: KEYS.abe });
    await expect(office.approve('rossi', { targetsSigner: KEYS.abe })).rejects.toMatchObject({ code: 'PL-120' });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });

  it('is published by a gate that holds the keys, after approvals elsewhere', async () => {
    await office.propose();
    const desk = office.openDesk();
    await office.approve('meyer', {}, desk);
    expect(await office.approve('rossi', {}, desk)).toMatchObject({ state: 'approved' });
    await expect(desk.publish('P-0001')).rejects.toThrow(TypeError);
    expect(await office.gate.publish('P-0001')).toMatchObject({ state: 'promoted' });
    expect(await office.gate.publish('P-0001')).toMatchObject({ state: 'promoted' });
  });
});

describe('a proposal', () => {
  it('is refused for somebody who is no author (PL-116)', async () => {
    for (const name of ['stranger', 'meyer', 'operator'] as const) {
      await expect(office.propose({ author: KEYS[name] })).rejects.toMatchObject({ code: 'PL-116' });
    }
    expect(existsSync(office.promotion())).toBe(false);
  });

  it('is refused when the release is proposed or published already (PL-113)', async () => {
    await office.propose();
    await expect(office.propose()).rejects.toMatchObject({ code: 'PL-113' });
    await office.approve('meyer');
    await office.approve('rossi');
    await expect(office.propose()).rejects.toMatchObject({ code: 'PL-113' });
    await expect(office.propose({ version: '4.2.2' })).rejects.toMatchObject({ code: 'PL-113' });
    await expect(office.propose({ releaseCounter: 42 })).rejects.toMatchObject({ code: 'PL-113' });
    expect(await office.propose({ version: '4.2.2', releaseCounter: 42 })).toMatchObject({ promotionId: 'P-0002' });
  });

  it('may be repeated after it was denied or ran out', async () => {
    await office.propose();
    await office.gate.deny({ promotionId: 'P-0001', signer: KEYS.abe, meaning: 'typo', ticket: 'ECO-7731' });
    await office.propose();
    office.clock.instant += 73 * HOUR;
    expect(await office.propose()).toMatchObject({ promotionId: 'P-0003', state: 'waiting' });
    expect((await office.gate.list()).map(({ state }) => state)).toEqual(['denied', 'expired', 'waiting']);
  });

  it('A36 is refused when a counter falls (PL-108), withdrawn releases included', async () => {
    await promote();
    const withCounter = (securityCounter: number, releaseCounter: number) =>
      office.propose({ imagePath: office.image('plain'), version: '4.3.0', securityCounter, releaseCounter });
    await expect(withCounter(13, 40)).rejects.toMatchObject({ code: 'PL-108' });
    await expect(withCounter(12, 42)).rejects.toMatchObject({ code: 'PL-108' });
    await office.gate.withdraw({ releaseId: 'GW-210-4.2.1', signer: KEYS.rossi, reason: 'bad', ticket: 'ECO-1' });
    await expect(withCounter(12, 42)).rejects.toMatchObject({ code: 'PL-108' });
    expect(await withCounter(13, 42)).toMatchObject({ state: 'waiting' });
  });

  it('counts per product', async () => {
    await promote();
    const product = { sku: 'GW-300', hwModel: 'GW', hwVersions: ['A'] };
    expect(await office.propose({ product, releaseCounter: 1 })).toMatchObject({ state: 'waiting' });
  });

  it.each([
    ['an empty file', () => office.image('')],
    [
      'a link',
      () => {
        const link = join(office.base, 'link.bin');
        symlinkSync(office.image(), link);
        return link;
      },
    ],
    ['a directory', () => office.base],
    [
      'A37 a truncated MCUboot image',
      () => {
        const path = office.image();
        writeFileSync(path, SAMPLE_IMAGE.subarray(0, SAMPLE_IMAGE.length - 1));
        return path;
      },
    ],
  ])('is refused for %s (PL-114)', async (_, imagePath) => {
    await expect(office.propose({ imagePath: imagePath() })).rejects.toMatchObject({ code: 'PL-114' });
    expect(await office.gate.list()).toEqual([]);
  });

  it('A37 is refused when the image carries another security counter than is stated (PL-114)', async () => {
    await expect(office.propose({ securityCounter: 14 })).rejects.toMatchObject({ code: 'PL-114' });
    expect(await office.propose({ securityCounter: 13 })).toMatchObject({ state: 'waiting' });
  });

  it('needs a file, and an id that can be a file name', async () => {
    await expect(office.propose({ imagePath: '/nowhere.bin' })).rejects.toMatchObject({ code: 'ERR_GATE_FILE' });
    await expect(office.propose({ releaseId: '../evil' })).rejects.toThrow(TypeError);
  });
});

describe('an approval', () => {
  beforeEach(async () => {
    await office.propose();
  });

  const refused = (code: string, name: KeyName, change: Parameters<Office['approve']>[1] = {}) =>
    expect(office.approve(name, change)).rejects.toMatchObject({ code });

  it('A26 is refused for the author, whatever card he uses (PL-101)', async () => {
    await refused('PL-101', 'danaApprover');
    await refused('PL-105', 'dana');
  });

  it('A27 is refused for the second card of a person (PL-102)', async () => {
    await office.approve('rossi');
    await refused('PL-102', 'rossi2');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    // The twin: another person.
    expect(await office.approve('meyer')).toMatchObject({ state: 'promoted' });
  });

  it('A28 is refused for the same card again (PL-102)', async () => {
    await office.approve('meyer');
    await refused('PL-102', 'meyer');
  });

  it('is refused after the proposal ran out, and accepted in its last millisecond (PL-104)', async () => {
    office.clock.instant = NOW + GATE_LIMITS.proposalLifetimeMs - 1;
    await office.approve('meyer');
    office.clock.instant += 1;
    await refused('PL-104', 'rossi');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'expired', code: 'PL-104' });
  });

  it('is refused for a key that is no approver or not valid now (PL-105)', async () => {
    for (const name of ['stranger', 'operator', 'kim', 'online'] as const) await refused('PL-105', name);
  });

  it('is refused for a denied release (PL-107)', async () => {
    await office.approve('meyer');
    const denial = { promotionId: 'P-0001', signer: KEYS.abe, meaning: 'test LT-2290 is red', ticket: 'ECO-7731' };
    expect(await office.gate.deny(denial)).toMatchObject({ state: 'denied', code: 'PL-107' });
    await refused('PL-107', 'rossi');
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-107' });
    await expect(office.gate.deny({ ...denial, signer: KEYS.operator })).rejects.toMatchObject({ code: 'PL-105' });
  });

  it('may be taken back as long as the release is not published', async () => {
    await office.approve('meyer');
    const denial = { promotionId: 'P-0001', signer: KEYS.meyer, meaning: 'second thoughts', ticket: 'ECO-7731' };
    expect(await office.gate.deny(denial)).toMatchObject({ state: 'denied', decisions: [{ decision: 'deny' }] });
  });

  it.each(['', '9', 'xyz', '0000'])('is refused when %j was typed (PL-109)', async (typedDigestPrefix) => {
    const digest = (await office.gate.status('P-0001')).proposal!.candidateDigest;
    if (!digest.startsWith(typedDigestPrefix) || typedDigestPrefix.length < 4) {
      await refused('PL-109', 'meyer', { typedDigestPrefix });
    }
    await refused('PL-109', 'meyer', { typedDigestPrefix: digest.slice(0, 3) });
    await refused('PL-109', 'meyer', { typedDigestPrefix: `${digest}0` });
    await office.approve('meyer', { typedDigestPrefix: digest });
  });

  it('of enough people without a required role does not publish (PL-110), nor do too few (PL-106)', async () => {
    await office.approve('meyer');
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-106' });
    expect(await office.approve('abe')).toMatchObject({
      state: 'waiting',
      missing: { people: 0, roles: ['security'] },
    });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-110' });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });

  it('is refused for an unknown promotion (PL-112)', async () => {
    for (const promotionId of ['P-0002', 'P-1', '../P-0001', '']) {
      await expect(
        office.gate.approve({ promotionId, signer: KEYS.meyer, meaning: 'x', ticket: 'x', typedDigestPrefix: '0000' }),
      ).rejects.toMatchObject({ code: 'PL-112' });
    }
  });

  it('is refused for a release that is published (PL-113)', async () => {
    await office.approve('meyer');
    await office.approve('rossi');
    await refused('PL-113', 'abe');
    await expect(
      office.gate.deny({ promotionId: 'P-0001', signer: KEYS.abe, meaning: 'late', ticket: 'x' }),
    ).rejects.toMatchObject({ code: 'PL-113' });
  });

  it('is refused when another release was published since (PL-115)', async () => {
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await office.approve('meyer', { promotionId: 'P-0002' });
    await office.approve('rossi', { promotionId: 'P-0002' });
    await refused('PL-115', 'meyer');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'overtaken', code: 'PL-115' });
    await expect(office.gate.review('P-0001')).rejects.toMatchObject({ code: 'PL-115' });
  });

  it('runs out by itself when others take too long', async () => {
    await office.approve('meyer');
    // The proposal is as old as the approval: both run out in the same moment.
    office.clock.instant = NOW + GATE_LIMITS.approvalLifetimeMs;
    expect(await office.gate.status('P-0001')).toMatchObject({
      state: 'expired',
      decisions: [{ person: 'l.meyer', objection: 'it ran out' }],
    });
  });

  it('stops counting when its key runs out before enough people approved', async () => {
    await office.approve('lee');
    office.clock.instant += HOUR;
    expect(await office.approve('meyer')).toMatchObject({
      state: 'waiting',
      missing: { people: 1, roles: ['security'] },
    });
    expect((await office.gate.status('P-0001')).decisions).toMatchObject([
      { person: 'b.lee', objection: 'the key is not valid any more' },
      { person: 'l.meyer', objection: null },
    ]);
  });

  it('is refused when the key of the author ran out since (PL-116)', async () => {
    await office.propose({ author: KEYS.eve, version: '4.3.0', releaseCounter: 42 });
    await office.approve('meyer', { promotionId: 'P-0002' });
    office.clock.instant += HOUR;
    await refused('PL-116', 'rossi', { promotionId: 'P-0002' });
  });

  it('A29 is not stored when the token signed other bytes', async () => {
    const liar = (isLying: (message: Uint8Array) => boolean): Signer => ({
      publicKey: KEYS.meyer.publicKey,
      custody: 'hardware',
      sign: (message) => KEYS.meyer.sign(isLying(message) ? encodeUtf8('digest B') : message),
    });
    const isStatement = (message: Uint8Array): boolean => decodeUtf8(message).startsWith('DSSEv1');
    for (const signer of [liar(isStatement), liar((message) => !isStatement(message))]) {
      await expect(office.approve('meyer', { signer })).rejects.toMatchObject({ code: 'ERR_GATE_SIGNATURE' });
    }
    expect((await office.gate.status('P-0001')).decisions).toEqual([]);
    expect(await office.approve('meyer', { signer: liar(() => false) })).toMatchObject({
      decisions: [{ person: 'l.meyer' }],
    });
  });

  it('is made alone: a second change at the same time is told to wait', async () => {
    const begun = Promise.withResolvers<undefined>();
    const mayEnd = Promise.withResolvers<undefined>();
    const slow = office.open({
      onStatement: () => {
        begun.resolve(undefined);
        return mayEnd.promise;
      },
    });
    const first = office.approve('meyer', {}, slow);
    await begun.promise;
    await refused('ERR_GATE_BUSY', 'rossi');
    mayEnd.resolve(undefined);
    await first;
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });
});

describe('changed bytes', () => {
  beforeEach(async () => {
    await office.propose();
    await office.approve('meyer');
  });

  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
  };
  const edit = (name: string, change: (value: Loose) => void): void => {
    const path = join(office.promotion(), name);
    const value = JSON.parse(readFileSync(path, 'utf8'));
    change(value);
    writeFileSync(path, JSON.stringify(value));
  };

  const damages: readonly (readonly [string, () => void])[] = [
    ['one bit of the image', () => flip(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'))],
    ['the image, missing', () => rmSync(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'))],
    ['one bit of the manifest', () => flip(join(office.promotion(), 'release.json'))],
    ['the manifest, with another address', () => edit('release.json', (value) => (value.components[0].address = 4096))],
    [
      'the staged metadata, with another expiry',
      () => edit('targets.json', (value) => (value.signed.expires = '2099-01-01T00:00:00Z')),
    ],
    [
      'the staged metadata, with one more image',
      () =>
        edit(
          'targets.json',
          (value) => (value.signed.targets['images/evil.bin'] = value.signed.targets['trusted-root.json']),
        ),
    ],
    [
      'the candidate, with another counter',
      () =>
        edit('candidate.dsse.json', (value) => {
          const statement = JSON.parse(Buffer.from(value.payload, 'base64').toString());
          statement.predicate.manifest.releaseCounter = 99;
          value.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
        }),
    ],
    [
      'the candidate, without signature',
      () => edit('candidate.dsse.json', (value) => (value.signatures[0].sig = 'AAAA')),
    ],
    ['the candidate, missing', () => rmSync(join(office.promotion(), 'candidate.dsse.json'))],
    ['the staged metadata, empty', () => writeFileSync(join(office.promotion(), 'targets.json'), '')],
    ['the manifest, no JSON', () => writeFileSync(join(office.promotion(), 'release.json'), '{')],
  ];

  it.each(damages)('A30 void the promotion: %s (PL-103)', async (_, damage) => {
    const copy = scratch();
    cpSync(office.promotion(), copy, { recursive: true });
    damage();
    await expect(office.approve('rossi', { typedDigestPrefix: '0000' })).rejects.toMatchObject({ code: 'PL-103' });
    await expect(office.gate.review('P-0001')).rejects.toMatchObject({ code: 'PL-103' });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-103' });
    expect((await published()).client.state.targetsVersion).toBe(1);
    // The twin: with the very bytes back, the approval over them counts again.
    rmSync(office.promotion(), { recursive: true });
    cpSync(copy, office.promotion(), { recursive: true });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });

  it('shows a changed promotion as void, without what it cannot vouch for', async () => {
    flip(join(office.promotion(), 'release.json'));
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'void', code: 'PL-103', proposal: null });
  });

  it('void an approval moved to another promotion', async () => {
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    cpSync(join(office.promotion(), 'decisions'), join(office.promotion('P-0002'), 'decisions'), { recursive: true });
    expect(await office.gate.status('P-0002')).toMatchObject({
      state: 'waiting',
      decisions: [],
      missing: { people: 2 },
    });
  });

  it('void a promotion under the number of another', async () => {
    renameSync(office.promotion(), office.promotion('P-0009'));
    expect(await office.gate.status('P-0009')).toMatchObject({ state: 'void', code: 'PL-103' });
  });

  it('void a promotion brought to another site', async () => {
    const gate = office.open({ site: { plant: 'PEN', line: 'L4' } });
    expect(await gate.status('P-0001')).toMatchObject({ state: 'void', code: 'PL-103' });
  });
});

describe('an administrator (A31)', () => {
  beforeEach(async () => {
    await office.propose();
    await office.approve('meyer');
  });

  const refusedByStation = async (): Promise<void> => {
    const { client, effectivity } = await published();
    expect(client.state.targetsVersion).toBe(1);
    expect(() => releaseInEffect(effectivity, { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW })).toThrow(
      expect.objectContaining({ code: 'LS-205' }),
    );
  };

  it('who writes "promoted" into the files changes nothing', async () => {
    writeFileSync(join(office.promotion(), 'state.json'), JSON.stringify({ state: 'promoted' }));
    const path = join(office.promotion(), 'candidate.dsse.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), state: 'promoted', approvals: 2 }));
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    await refusedByStation();
  });

  it('who copies or makes up decisions changes nothing', async () => {
    const decisions = join(office.promotion(), 'decisions');
    const [name] = readdirSync(decisions) as [string];
    const decision = readFileSync(join(decisions, name), 'utf8');
    writeFileSync(join(decisions, `${'0'.repeat(64)}.json`), decision);
    writeFileSync(join(decisions, `${'1'.repeat(64)}.json`), decision.replaceAll('l.meyer', 'a.rossi'));
    writeFileSync(join(decisions, `${'2'.repeat(64)}.json`), '{"envelope":{},"targetsSignature":null}');
    writeFileSync(join(decisions, `${'3'.repeat(64)}.json`), '[1,2,3]');
    writeFileSync(join(decisions, `${'4'.repeat(64)}.json`), 'null');
    writeFileSync(join(decisions, 'notes.txt'), 'approved!');
    const withoutTargets = { ...JSON.parse(decision), targetsSignature: { keyid: 'x', sig: '00' } };
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    writeFileSync(join(decisions, name), JSON.stringify(withoutTargets));
    for (const digit of ['0', '1']) rmSync(join(decisions, `${digit.repeat(64)}.json`));
    expect(await office.gate.status('P-0001')).toMatchObject({
      state: 'waiting',
      missing: { people: 2 },
      decisions: [{ objection: 'the targets metadata is not signed with it' }],
    });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-106' });
    await refusedByStation();
  });

  it('who publishes it past the gate is refused by every client', async () => {
    const staged = JSON.parse(readFileSync(join(office.promotion(), 'targets.json'), 'utf8'));
    const [name] = readdirSync(join(office.promotion(), 'decisions')) as [string];
    const { targetsSignature } = JSON.parse(readFileSync(join(office.promotion(), 'decisions', name), 'utf8'));
    const metadata = join(office.repositoryDir, 'metadata');
    writeFileSync(join(metadata, '2.targets.json'), JSON.stringify({ ...staged, signatures: [targetsSignature] }));
    await refusedByStation();
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting' });
  });

  it('who keeps two approvals but lost the repository state cannot make it newer', async () => {
    const before = scratch();
    cpSync(office.repositoryDir, before, { recursive: true });
    await office.approve('rossi');
    const client = office.client();
    await client.update(NOW);
    rmSync(office.repositoryDir, { recursive: true });
    cpSync(before, office.repositoryDir, { recursive: true });
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });
});

describe('a review', () => {
  it('says what changes against the release in effect', async () => {
    const first = await office.gate.review((await office.propose()).promotionId);
    expect(first).toMatchObject({
      inEffect: null,
      components: [{ name: 'firmware', kind: 'added', before: null }],
      releaseCounter: { before: null, after: 41 },
      endedRules: [],
      manifestDigest: sha256Hex(readFileSync(join(office.promotion(), 'release.json'))),
    });
    await office.approve('meyer');
    await office.approve('rossi');
    office.clock.instant += DAY;
    await office.propose({
      imagePath: office.image('next'),
      version: '4.3.0',
      releaseCounter: 42,
      securityCounter: 14,
      effectivity: { eco: 'ECO-7800', hwVersions: ['C', 'D'], maxUnits: 500 },
    });
    const second = await office.gate.review('P-0002');
    expect(second).toMatchObject({
      site: SITE,
      author: 'd.okafor',
      inEffect: { releaseId: 'GW-210-4.2.1', version: '4.2.1' },
      components: [{ name: 'firmware', kind: 'changed' }],
      releaseCounter: { before: 41, after: 42 },
      securityCounterRises: true,
      rule: { releaseId: 'GW-210-4.3.0', maxUnits: 500, eco: 'ECO-7800' },
      endedRules: [{ releaseId: 'GW-210-4.2.1' }],
      manifest: { supersedes: 'GW-210-4.2.1' },
      targets: { version: 3 },
    });
    expect(second.candidateDigest).toBe((await office.gate.status('P-0002')).proposal!.candidateDigest);
  });

  it('of the same image says so', async () => {
    await promote();
    await office.propose({ version: '4.2.2', releaseCounter: 42, imagePath: office.image() });
    expect(await office.gate.review('P-0002')).toMatchObject({
      components: [{ kind: 'unchanged' }],
      securityCounterRises: false,
    });
  });

  it('shows a published promotion too, and refuses an unknown one (PL-112)', async () => {
    await promote();
    expect(await office.gate.review('P-0001')).toMatchObject({ promotionId: 'P-0001' });
    await expect(office.gate.review('P-0007')).rejects.toMatchObject({ code: 'PL-112' });
  });
});

describe('superseding', () => {
  it('leaves one rule for a product, and the older release unreachable', async () => {
    await promote();
    office.clock.instant += HOUR;
    const validUntil = formatInstant(NOW + 2 * DAY);
    await promote({ version: '4.3.0', releaseCounter: 42, effectivity: { eco: 'ECO-2', validUntil } });
    const { effectivity } = await published();
    const query = { sku: 'GW-210', hwVersion: 'D', workOrder: 'WO-1' };
    expect(releaseInEffect(effectivity, { ...query, at: NOW + DAY }).releaseId).toBe('GW-210-4.3.0');
    expect(() => releaseInEffect(effectivity, { ...query, at: NOW + 2 * DAY })).toThrow(
      expect.objectContaining({ code: 'LS-205' }),
    );
  });
});

describe('a withdrawal', () => {
  const withdraw = (name: KeyName, releaseId = 'GW-210-4.2.1') =>
    office.gate.withdraw({ releaseId, signer: KEYS[name], reason: 'boot loop in the field', ticket: 'INC-9' });

  it('stops the release for whoever updates, and is signed', async () => {
    await promote();
    expect(await withdraw('abe')).toMatchObject({ isNew: true, state: { effectivityVersion: 3, targetsVersion: 2 } });
    const { client, effectivity } = await published();
    expect(() => releaseInEffect(effectivity, { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW })).toThrow(
      expect.objectContaining({ code: 'LS-203' }),
    );
    expect(await client.hasTarget('attestations/GW-210-4.2.1.withdrawal.dsse.json')).toBe(true);
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'withdrawn' });
    expect(office.statements).toHaveLength(4);
  });

  it('happens once', async () => {
    await promote();
    await withdraw('abe');
    expect(await withdraw('rossi')).toMatchObject({ isNew: false, state: { effectivityVersion: 3 } });
    expect(office.statements).toHaveLength(4);
  });

  it('is refused for somebody who is no approver (PL-105) and for what was never published (PL-112)', async () => {
    await promote();
    for (const name of ['operator', 'dana', 'stranger', 'kim'] as const) {
      await expect(withdraw(name)).rejects.toMatchObject({ code: 'PL-105' });
    }
    await expect(withdraw('abe', 'GW-210-9')).rejects.toMatchObject({ code: 'PL-112' });
    expect((await published()).effectivity.withdrawn).toEqual([]);
  });
});

describe('freshness', () => {
  it('is renewed without a release', async () => {
    await promote();
    office.clock.instant += 6 * DAY;
    await office.gate.refresh();
    office.clock.instant += 6 * DAY;
    expect((await published()).client.state).toMatchObject({ targetsVersion: 2, timestampVersion: 3 });
  });
});

describe('the store', () => {
  it('ignores what is no promotion', async () => {
    await office.propose();
    mkdirSync(join(office.base, 'gate/promotions/.staging'), { recursive: true });
    mkdirSync(join(office.base, 'gate/promotions/notes'));
    writeFileSync(join(office.base, 'gate/promotions/P-0007'), 'a file');
    expect((await office.gate.list()).map(({ promotionId }) => promotionId)).toEqual(['P-0001']);
  });
});

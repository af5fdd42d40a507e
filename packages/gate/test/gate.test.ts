// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8, equalBytes, formatInstant, sha256Hex } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { readRelease, releaseInEffect, verifyRelease } from '@witnessmark/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createOffice,
  DAY,
  HOUR,
  KEYS,
  NOW,
  proposal,
  RULE,
  SAMPLE_IMAGE,
  SITE,
  type KeyName,
  type Office,
} from './support/office.ts';
import { promote, published } from './support/promoted.ts';

let office: Office;
beforeEach(async () => {
  office = await createOffice();
});

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

    const { client, keys, effectivity } = await published(office);
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
    await promote(office);
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
    await promote(office, { imagePath: office.image('plain firmware'), securityCounter: 7, version: '1.0.0' });
    const { manifest } = await readRelease((await published(office)).client, 'GW-210-1.0.0');
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
    await promote(office);
    await office.propose({ version: '4.2.2', releaseCounter: 42, imagePath: office.image() });
    expect(await office.gate.review('P-0002')).toMatchObject({
      components: [{ kind: 'unchanged' }],
      securityCounterRises: false,
    });
  });

  it('shows a published promotion too, and refuses an unknown one (PL-112)', async () => {
    await promote(office);
    expect(await office.gate.review('P-0001')).toMatchObject({ promotionId: 'P-0001' });
    await expect(office.gate.review('P-0007')).rejects.toMatchObject({ code: 'PL-112' });
  });
});

describe('superseding', () => {
  it('leaves one rule for a product, and the older release unreachable', async () => {
    await promote(office);
    office.clock.instant += HOUR;
    const validUntil = formatInstant(NOW + 2 * DAY);
    await promote(office, { version: '4.3.0', releaseCounter: 42, effectivity: { eco: 'ECO-2', validUntil } });
    const { effectivity } = await published(office);
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
    await promote(office);
    expect(await withdraw('abe')).toMatchObject({ isNew: true, state: { effectivityVersion: 3, targetsVersion: 2 } });
    const { client, effectivity } = await published(office);
    expect(() => releaseInEffect(effectivity, { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW })).toThrow(
      expect.objectContaining({ code: 'LS-203' }),
    );
    expect(await client.hasTarget('attestations/GW-210-4.2.1.withdrawal.dsse.json')).toBe(true);
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'withdrawn' });
    expect(office.statements).toHaveLength(4);
  });

  it('happens once', async () => {
    await promote(office);
    await withdraw('abe');
    expect(await withdraw('rossi')).toMatchObject({ isNew: false, state: { effectivityVersion: 3 } });
    expect(office.statements).toHaveLength(4);
  });

  it('is refused for somebody who is no approver (PL-105) and for what was never published (PL-112)', async () => {
    await promote(office);
    for (const name of ['operator', 'dana', 'stranger', 'kim'] as const) {
      await expect(withdraw(name)).rejects.toMatchObject({ code: 'PL-105' });
    }
    await expect(withdraw('abe', 'GW-210-9')).rejects.toMatchObject({ code: 'PL-112' });
    expect((await published(office)).effectivity.withdrawn).toEqual([]);
  });
});

describe('freshness', () => {
  it('is renewed without a release', async () => {
    await promote(office);
    office.clock.instant += 6 * DAY;
    await office.gate.refresh();
    office.clock.instant += 6 * DAY;
    expect((await published(office)).client.state).toMatchObject({ targetsVersion: 2, timestampVersion: 3 });
  });
});

describe('the store', () => {
  it('takes nothing from an attempt that was cut off', async () => {
    const staging = join(office.base, 'gate/promotions/.staging');
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, 'exception.dsse.json'), 'of another proposal');
    await office.propose();
    expect(readdirSync(office.promotion()).sort()).toEqual([
      'GW-210-4.2.1.firmware.bin',
      'candidate.dsse.json',
      'release.json',
      'targets.json',
    ]);
  });

  it('ignores what is no promotion', async () => {
    await office.propose();
    mkdirSync(join(office.base, 'gate/promotions/.staging'), { recursive: true });
    mkdirSync(join(office.base, 'gate/promotions/notes'));
    writeFileSync(join(office.base, 'gate/promotions/P-0007'), 'a file');
    expect((await office.gate.list()).map(({ promotionId }) => promotionId)).toEqual(['P-0001']);
  });
});

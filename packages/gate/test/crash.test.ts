// SPDX-License-Identifier: Apache-2.0
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes } from '@witnessmark/core';
import { readRelease } from '@witnessmark/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOffice, KEYS, NOW, officeAt, SAMPLE_IMAGE, scratch, type Office } from './support/office.ts';
import { everyFault, faultyFiles, PowerCut } from '../../trust/test/support/faulty-files.ts';

let proposed: Office;
let approvedOnce: Office;
beforeAll(async () => {
  proposed = await createOffice();
  await proposed.propose();
  approvedOnce = copy(proposed);
  await approvedOnce.approve('meyer');
});

function copy(office: Office, files?: Parameters<typeof officeAt>[2]): Office {
  const base = scratch();
  cpSync(office.base, base, { recursive: true });
  return officeAt(base, office.initialRoot, files);
}

/** What a station sees: nothing of the release, or all of it. */
async function seen(office: Office): Promise<'nothing' | 'release'> {
  const client = office.client();
  const { targetsVersion, effectivityVersion } = await client.update(NOW);
  if (targetsVersion === 1) {
    expect(effectivityVersion).toBe(1);
    return 'nothing';
  }
  expect([targetsVersion, effectivityVersion]).toEqual([2, 2]);
  const { manifest, approvals } = await readRelease(client, 'GW-210-4.2.1');
  expect(approvals).toHaveLength(2);
  expect(equalBytes(await client.readTarget(manifest.components[0]!.targetPath), SAMPLE_IMAGE)).toBe(true);
  return 'release';
}

describe('the last approval', () => {
  it('survives a power cut at every write, rename and sync, and a retry finishes it', async () => {
    const counted = faultyFiles(-1, 'before');
    await copy(approvedOnce, counted).approve('rossi');
    expect(counted.calls.length).toBeGreaterThan(20);

    const outcomes = new Set<string>();
    for (const [at, fault] of everyFault(counted.calls)) {
      const cut = copy(approvedOnce, faultyFiles(at, fault));
      await expect(cut.approve('rossi')).rejects.toThrow(PowerCut);
      const office = officeAt(cut.base, cut.initialRoot);
      const before = await seen(office);
      const { state } = await office.gate.status('P-0001');
      outcomes.add(`${before}, ${state}`);
      expect(state === 'promoted').toBe(before === 'release');
      // The same person repeats the command; it is published already when the cut came after the last rename.
      if (state === 'promoted') await expect(office.approve('rossi')).rejects.toMatchObject({ code: 'PL-113' });
      else expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
      expect(await seen(office)).toBe('release');
      expect((await office.gate.status('P-0001')).decisions).toHaveLength(2);
    }
    expect([...outcomes].sort()).toEqual(['nothing, approved', 'nothing, waiting', 'release, promoted']);
  }, 120_000);
});

describe('a proposal', () => {
  it('survives a power cut at every write, rename and sync: it is there, or it is not', async () => {
    const empty = await createOffice();
    const counted = faultyFiles(-1, 'before');
    await copy(empty, counted).propose();

    const outcomes = new Set<number>();
    for (const [at, fault] of everyFault(counted.calls)) {
      const cut = copy(empty, faultyFiles(at, fault));
      await expect(cut.propose()).rejects.toThrow(PowerCut);
      const office = officeAt(cut.base, cut.initialRoot);
      const promotions = await office.gate.list();
      outcomes.add(promotions.length);
      expect(promotions.every(({ state }) => state === 'waiting')).toBe(true);
      if (promotions.length === 0) expect(await office.propose()).toMatchObject({ promotionId: 'P-0001' });
      expect(await office.gate.review('P-0001')).toMatchObject({ promotionId: 'P-0001' });
      const image = readFileSync(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'));
      expect(equalBytes(image, SAMPLE_IMAGE)).toBe(true);
    }
    expect([...outcomes].sort()).toEqual([0, 1]);
  }, 120_000);
});

describe('a withdrawal', () => {
  it('survives a power cut at every write, rename and sync', async () => {
    const released = copy(approvedOnce);
    await released.approve('rossi');
    const request = {
      releaseId: 'GW-210-4.2.1',
      reason: 'boot loop',
      ticket: 'INC-9',
      signer: KEYS.abe,
    };
    const counted = faultyFiles(-1, 'before');
    await copy(released, counted).gate.withdraw(request);
    for (const [at, fault] of everyFault(counted.calls)) {
      const cut = copy(released, faultyFiles(at, fault));
      await expect(cut.gate.withdraw(request)).rejects.toThrow(PowerCut);
      const office = officeAt(cut.base, cut.initialRoot);
      const { state } = await office.gate.status('P-0001');
      expect(await office.gate.withdraw(request)).toMatchObject({ isNew: state === 'promoted' });
      expect(await office.gate.status('P-0001')).toMatchObject({ state: 'withdrawn' });
      expect(await office.client().update(NOW)).toMatchObject({ effectivityVersion: 3 });
    }
  }, 120_000);
});

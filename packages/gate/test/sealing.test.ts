// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSealedImage, parseSealedImage, sealImage } from '@witnessmark/boundary';
import { equalBytes, sha256Hex } from '@witnessmark/core';
import { SoftwareKeyAgreement } from '@witnessmark/custody';
import { readRelease } from '@witnessmark/trust';
import { describe, expect, it } from 'vitest';
import { everyFault, faultyFiles, PowerCut } from '../../trust/test/support/faulty-files.ts';
import type { SealingOptions } from '../src/index.ts';
import {
  createOffice,
  HOUR,
  KEYS,
  NOW,
  officeAt,
  proposal,
  SAMPLE_IMAGE,
  scratch,
  type KeyName,
  type Office,
} from './support/office.ts';

const SEED = new Uint8Array(32).fill(9);
const OPTIONAL: SealingOptions = { policy: 'optional', seal: sealImage, newSeed: () => SEED };
const REQUIRED: SealingOptions = { ...OPTIONAL, policy: 'required' };

function agreement(name: KeyName): SoftwareKeyAgreement {
  return new SoftwareKeyAgreement(createPrivateKey(KEYS[name].exportPem()));
}

async function sealedOffice(sealing: SealingOptions = OPTIONAL): Promise<{ office: Office; gate: Office['gate'] }> {
  const office = await createOffice();
  const gate = office.open({ sealing });
  await gate.propose({ ...proposal(office.image()), sealed: true });
  return { office, gate };
}

/** Every file below a directory that holds a piece of the image. */
function filesWithImage(directory: string): readonly string[] {
  const marker = Buffer.from(SAMPLE_IMAGE.subarray(1024, 1056));
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(marker))
    .map(({ name }) => name);
}

describe('a sealed release', () => {
  it('A8: publishes the envelope and nothing else, and the manifest names both by digest', async () => {
    const { office, gate } = await sealedOffice();
    await office.approve('meyer', {}, gate);
    expect(await office.approve('rossi', {}, gate)).toMatchObject({ state: 'promoted' });
    const client = office.client();
    await client.update(NOW);
    const { manifest } = await readRelease(client, 'GW-210-4.2.1');
    const [component] = manifest.components;
    expect(component?.sha256).toBe(sha256Hex(SAMPLE_IMAGE));
    expect(await client.hasTarget(component!.targetPath)).toBe(false);
    const envelope = await client.readTarget(component!.sealed!.targetPath);
    expect(sha256Hex(envelope)).toBe(component!.sealed!.sha256);
    expect(filesWithImage(office.repositoryDir)).toEqual([]);
    expect(equalBytes(await openSealedImage(envelope, agreement('unsealing')), SAMPLE_IMAGE)).toBe(true);
  });

  it("is sealed to the line's keys in the trusted root that are valid: not to others, not to old ones", async () => {
    const { office, gate } = await sealedOffice();
    const { manifest } = await gate.review('P-0001');
    expect(manifest.components[0]!.sealed!.recipients).toEqual([
      KEYS.unsealing.publicKey.keyid,
      KEYS.spareUnsealing.publicKey.keyid,
    ]);
    await office.approve('meyer', {}, gate);
    await office.approve('rossi', {}, gate);
    const client = office.client();
    await client.update(NOW);
    const envelope = await client.readTarget(manifest.components[0]!.sealed!.targetPath);
    expect(parseSealedImage(envelope).recipients).toHaveLength(2);
    expect(equalBytes(await openSealedImage(envelope, agreement('spareUnsealing')), SAMPLE_IMAGE)).toBe(true);
    for (const name of ['oldUnsealing', 'foreignUnsealing'] as const) {
      await expect(openSealedImage(envelope, agreement(name))).rejects.toMatchObject({ code: 'BX-202' });
    }
  });

  it("can be made again on an approver's own machine, and approved there", async () => {
    const { office } = await sealedOffice();
    const base = scratch();
    cpSync(office.base, base, { recursive: true });
    const desk = officeAt(base, office.initialRoot).open({ sealing: OPTIONAL });
    expect((await desk.review('P-0001')).manifest.components[0]!.sealed!.targetPath).toBe(
      'images/GW-210-4.2.1.firmware.bin.cms',
    );
    expect(await officeAt(base, office.initialRoot).approve('meyer', {}, desk)).toMatchObject({ state: 'waiting' });
  });

  it.each<[string, (directory: string) => void]>([
    [
      'the image',
      (directory) => {
        flipByte(join(directory, 'GW-210-4.2.1.firmware.bin'));
      },
    ],
    [
      'the seed',
      (directory) => {
        flipByte(join(directory, 'sealing.seed'));
      },
    ],
    [
      'the seed, which is missing',
      (directory) => {
        rmSync(join(directory, 'sealing.seed'));
      },
    ],
    [
      'the seed, which is longer',
      (directory) => {
        writeFileSync(join(directory, 'sealing.seed'), Buffer.alloc(33));
      },
    ],
  ])('is void for whoever looks when %s changed', async (_, change) => {
    const { office, gate } = await sealedOffice();
    change(office.promotion());
    await expect(gate.review('P-0001')).rejects.toMatchObject({ code: 'PL-103' });
    await expect(office.approve('meyer', {}, gate)).rejects.toMatchObject({ code: 'PL-103' });
  });

  it('stays published when image and seed are gone from the office', async () => {
    const { office, gate } = await sealedOffice();
    await office.approve('meyer', {}, gate);
    await office.approve('rossi', {}, gate);
    rmSync(join(office.promotion(), 'sealing.seed'));
    rmSync(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'));
    expect(await gate.status('P-0001')).toMatchObject({ state: 'promoted' });
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'promoted' });
  });

  it('survives a power cut at every write of its proposal: it is there with its seed, or it is not', async () => {
    const empty = await createOffice();
    const copy = (files?: Parameters<typeof officeAt>[2]): Office => {
      const base = scratch();
      cpSync(empty.base, base, { recursive: true });
      return officeAt(base, empty.initialRoot, files);
    };
    const propose = (office: Office): Promise<unknown> =>
      office.open({ sealing: OPTIONAL }).propose({ ...proposal(office.image()), sealed: true });
    const counted = faultyFiles(-1, 'before');
    await propose(copy(counted));
    const outcomes = new Set<number>();
    for (const [at, fault] of everyFault(counted.calls)) {
      const cut = copy(faultyFiles(at, fault));
      await expect(propose(cut)).rejects.toThrow(PowerCut);
      const office = officeAt(cut.base, cut.initialRoot);
      const gate = office.open({ sealing: OPTIONAL });
      const promotions = await gate.list();
      outcomes.add(promotions.length);
      if (promotions.length === 0) await propose(office);
      expect(existsSync(join(office.promotion(), 'sealing.seed'))).toBe(true);
      expect(await gate.review('P-0001')).toMatchObject({ promotionId: 'P-0001' });
    }
    expect([...outcomes].sort()).toEqual([0, 1]);
  }, 120_000);
});

describe('what stands in the way of sealing', () => {
  it('BX-203: a line without a valid unsealing key cannot be sealed to', async () => {
    const office = await createOffice();
    const elsewhere = office.open({ sealing: OPTIONAL, site: { plant: 'PEN', line: 'L9' } });
    const request = { ...proposal(office.image()), sealed: true };
    await expect(elsewhere.propose(request)).rejects.toMatchObject({ code: 'BX-203' });
    await expect(office.open({ sealing: OPTIONAL }).propose(request)).resolves.toMatchObject({ state: 'waiting' });
  });

  it('BX-204: where sealing is required every proposal is sealed, and one in clear is not approved', async () => {
    const office = await createOffice();
    await office.propose();
    const strict = office.open({ sealing: REQUIRED });
    expect(await strict.status('P-0001')).toMatchObject({ code: 'BX-204' });
    await expect(office.approve('meyer', {}, strict)).rejects.toMatchObject({ code: 'BX-204' });
    await strict.deny({ promotionId: 'P-0001', signer: KEYS.abe, meaning: 'in clear', ticket: 'ECO-7731' });
    const { promotionId } = await strict.propose(proposal(office.image()));
    expect((await strict.review(promotionId)).manifest.components[0]!.sealed).toBeDefined();
    expect(await office.approve('meyer', { promotionId }, strict)).toMatchObject({ state: 'waiting' });
  });

  it('BX-207: an envelope to a key that ran out meanwhile is not approved', async () => {
    const { office, gate } = await sealedOffice();
    office.clock.instant = NOW + HOUR - 1;
    expect(await gate.status('P-0001')).toMatchObject({ code: null });
    office.clock.instant = NOW + HOUR;
    expect(await gate.status('P-0001')).toMatchObject({ code: 'BX-207' });
    await expect(office.approve('meyer', {}, gate)).rejects.toMatchObject({ code: 'BX-207' });
  });

  it('a gate without the means to seal says so before anything is stored', async () => {
    const office = await createOffice();
    await expect(office.propose({ sealed: true })).rejects.toThrow(TypeError);
    expect(await office.gate.list()).toEqual([]);
  });
});

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

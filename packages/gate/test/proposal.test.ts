// SPDX-License-Identifier: Apache-2.0
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createOffice, HOUR, KEYS, SAMPLE_IMAGE, type Office } from './support/office.ts';
import { promote } from './support/promoted.ts';

let office: Office;
beforeEach(async () => {
  office = await createOffice();
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
    await promote(office);
    const withCounter = (securityCounter: number, releaseCounter: number) =>
      office.propose({ imagePath: office.image('plain'), version: '4.3.0', securityCounter, releaseCounter });
    await expect(withCounter(13, 40)).rejects.toMatchObject({ code: 'PL-108' });
    await expect(withCounter(12, 42)).rejects.toMatchObject({ code: 'PL-108' });
    await office.gate.withdraw({ releaseId: 'GW-210-4.2.1', signer: KEYS.rossi, reason: 'bad', ticket: 'ECO-1' });
    await expect(withCounter(12, 42)).rejects.toMatchObject({ code: 'PL-108' });
    expect(await withCounter(13, 42)).toMatchObject({ state: 'waiting' });
  });

  it('counts per product', async () => {
    await promote(office);
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

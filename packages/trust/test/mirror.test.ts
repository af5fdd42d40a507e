// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8, encodeUtf8, sha256Hex } from '@witnessmark/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { mirror, signStagedMetadata, TrustClient } from '../src/index.ts';
import {
  copyWorld,
  createWorld,
  DAY,
  forge,
  forgeChain,
  holders,
  IMAGE_PATH,
  KEYS,
  NOW,
  scratch,
  type World,
} from './support/world.ts';

let first: World;
let second: World;
beforeAll(async () => {
  first = await createWorld();
  second = copyWorld(first);
  await second.release('image two');
});

function copy(world: World, stick: string) {
  return mirror(world.directory, stick, { initialRoot: world.initialRoot });
}

function listFiles(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
}

describe('mirror', () => {
  it('makes a copy from which a station updates', async () => {
    const stick = join(scratch(), 'PROVREL');
    const result = await copy(second, stick);
    expect(result).toMatchObject({ metadataFiles: 5, targets: 3, state: { targetsVersion: 2 } });
    const client = new TrustClient({ metadataDir: scratch(), repositoryDir: stick, initialRoot: second.initialRoot });
    expect(await client.update(NOW)).toEqual(result.state);
    expect(decodeUtf8(await client.readTarget(IMAGE_PATH))).toBe('image two');
  });

  it('brings an older stick up to date and leaves nothing else on it', async () => {
    const stick = join(scratch(), 'PROVREL');
    await copy(first, stick);
    mkdirSync(join(stick, 'targets/images'));
    writeFileSync(join(stick, 'targets/images/customers.xlsx'), 'not ours');
    symlinkSync('/etc', join(stick, 'targets/etc'));
    await copy(second, stick);
    const expected = join(scratch(), 'fresh');
    await copy(second, expected);
    expect(listFiles(stick)).toEqual(listFiles(expected));
    expect(statSync('/etc/passwd').isFile()).toBe(true);
  });

  it('carries every root there was', async () => {
    const world = copyWorld(second);
    const author = await world.open();
    const staged = author.stageRoot({ root: holders('alice', 'bob', 'dave'), expiresAt: NOW + DAY });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    await author.publish({ now: NOW, root: { staged, signatures } });
    const stick = join(scratch(), 'PROVREL');
    await copy(world, stick);
    expect(listFiles(join(stick, 'metadata')).filter((name) => name.endsWith('.root.json'))).toEqual([
      '1.root.json',
      '2.root.json',
    ]);
    // Pinned to the later root, the repository is the same.
    const pinned = readFileSync(join(world.directory, 'metadata/2.root.json'));
    const client = new TrustClient({ metadataDir: scratch(), repositoryDir: stick, initialRoot: pinned });
    expect(await client.update(NOW)).toMatchObject({ rootVersion: 2, targetsVersion: 2 });
    await mirror(world.directory, join(scratch(), 'other'), { initialRoot: pinned });
  });

  it('refuses a source that was damaged, before the copy becomes visible', async () => {
    const damage: readonly (readonly [string, (directory: string) => void])[] = [
      ['TR-105', (directory) => writeFileSync(imageOf(directory), 'image 2wo')],
      ['TR-107', (directory) => rmSync(imageOf(directory))],
      ['TR-107', (directory) => rmSync(join(directory, 'metadata/timestamp.json'))],
      ['TR-107', (directory) => rmSync(join(directory, 'metadata/1.root.json'))],
      [
        'TR-103',
        (directory) => cpSync(join(directory, 'metadata/1.targets.json'), join(directory, 'metadata/2.targets.json')),
      ],
      ['TR-104', (directory) => forge(directory, 'timestamp.json', () => undefined, [KEYS.stranger])],
      [
        'TR-106',
        (directory) => forge(directory, '1.root.json', (signed) => (signed.version = 2), [KEYS.alice], '2.root.json'),
      ],
    ];
    for (const [code, apply] of damage) {
      const world = copyWorld(second);
      const stick = join(scratch(), 'PROVREL');
      await copy(first, stick);
      apply(world.directory);
      await expect(copy(world, stick)).rejects.toMatchObject({ code });
      const client = new TrustClient({ metadataDir: scratch(), repositoryDir: stick, initialRoot: first.initialRoot });
      expect((await client.update(NOW)).targetsVersion).toBe(1);
    }
  });

  it('does not copy what operations list outside their paths', async () => {
    const world = copyWorld(second);
    const stolen = { length: 4, hashes: { sha256: sha256Hex(encodeUtf8('evil')) } };
    forgeChain(
      world.directory,
      ({ effectivity, snapshot, timestamp }) => {
        effectivity.targets['images/evil.bin'] = stolen;
        effectivity.version = 2;
        for (const signed of [snapshot, timestamp]) signed.version = 3;
      },
      { targets: [KEYS.alice, KEYS.bob], online: KEYS.online, effectivity: KEYS.effectivity },
    );
    writeFileSync(join(world.directory, `targets/images/${stolen.hashes.sha256}.evil.bin`), 'evil');
    expect(await (await world.open()).hasTarget('images/evil.bin')).toBe(false);
    const client = world.client();
    expect(await client.update(NOW)).toMatchObject({ effectivityVersion: 2 });
    expect(await client.hasTarget('images/evil.bin')).toBe(false);
    const stick = join(scratch(), 'PROVREL');
    expect(await copy(world, stick)).toMatchObject({ targets: 3 });
    expect(listFiles(stick).filter((name) => name.includes('evil'))).toEqual([]);
  });

  it('refuses a source of another root (TR-106)', async () => {
    const other = await createWorld();
    await expect(
      mirror(other.directory, join(scratch(), 'stick'), { initialRoot: first.initialRoot }),
    ).rejects.toMatchObject({ code: 'TR-106' });
  });

  it('A14 does not replace a newer stick by an older repository (TR-101)', async () => {
    const stick = join(scratch(), 'PROVREL');
    await copy(second, stick);
    await expect(copy(first, stick)).rejects.toMatchObject({ code: 'TR-101' });
    // A timestamp nobody signed protects nothing.
    writeFileSync(join(stick, 'metadata/timestamp.json'), '{"signed":{"version":99}}');
    await copy(first, stick);
  });

  it('does not touch a directory that is for something else', async () => {
    const home = scratch();
    writeFileSync(join(home, 'thesis.txt'), 'years of work');
    await expect(copy(first, home)).rejects.toMatchObject({ code: 'ERR_TRUST_EXISTS' });
    expect(listFiles(home)).toEqual(['thesis.txt']);
  });
});

function imageOf(directory: string): string {
  const images = join(directory, 'targets/images');
  return join(images, readdirSync(images)[0] as string);
}

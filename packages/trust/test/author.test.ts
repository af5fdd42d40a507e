// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8, encodeUtf8, formatJson } from '@witnessmark/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createRepository,
  nodeFiles,
  parseStagedMetadata,
  signStagedMetadata,
  toTargetContent,
  TrustAuthor,
  type CreateRepositoryOptions,
} from '../src/index.ts';
import {
  content,
  copyWorld,
  createWorld,
  DAY,
  EFFECTIVITY_PATH,
  holders,
  IMAGE_PATH,
  KEYS,
  NOW,
  scratch,
  SIGNERS,
  type KeyName,
  type World,
} from './support/world.ts';

let created: World;
beforeAll(async () => {
  created = await createWorld();
});

describe('creating a repository', () => {
  const options = (directory = join(scratch(), 'repository')): CreateRepositoryOptions => ({
    directory,
    files: nodeFiles,
    keys: { root: holders('alice', 'bob', 'carol'), targets: holders('alice', 'bob', 'carol') },
    approvers: [KEYS.alice, KEYS.bob],
    signers: SIGNERS,
    targets: [],
    delegated: [],
    now: NOW,
  });

  it('never replaces one', async () => {
    const first = options();
    await createRepository(first);
    await expect(createRepository(first)).rejects.toMatchObject({ code: 'ERR_TRUST_EXISTS' });
  });

  it('A28 refuses one public key for two holders (TR-110)', async () => {
    const twice = [
      { owner: 'alice', publicKey: KEYS.alice.publicKey },
      { owner: 'anna', publicKey: KEYS.alice.publicKey },
    ];
    const keys = { root: { threshold: 2, holders: twice }, targets: holders('alice', 'bob') };
    await expect(createRepository({ ...options(), keys })).rejects.toMatchObject({ code: 'TR-110' });
  });

  it('A27 refuses two keys of one person in a role (PL-102)', async () => {
    const twice = [
      { owner: 'alice', publicKey: KEYS.alice.publicKey },
      { owner: 'alice', publicKey: KEYS.bob.publicKey },
    ];
    const keys = { root: holders('alice', 'bob'), targets: { threshold: 2, holders: twice } };
    await expect(createRepository({ ...options(), keys })).rejects.toMatchObject({ code: 'PL-102' });
  });

  it.each(['root', 'targets'])('A33 refuses a threshold below the floor for %s (PL-111)', async (role) => {
    const { keys } = options();
    const lowered = { ...keys, [role]: { ...holders('alice', 'bob'), threshold: 1 } };
    await expect(createRepository({ ...options(), keys: lowered })).rejects.toMatchObject({ code: 'PL-111' });
  });

  it('refuses a threshold nobody can meet (TR-109)', async () => {
    const keys = { root: { ...holders('alice', 'bob'), threshold: 3 }, targets: holders('alice', 'bob') };
    await expect(createRepository({ ...options(), keys })).rejects.toMatchObject({ code: 'TR-109' });
  });

  it('needs enough signers from the start (TR-106)', async () => {
    await expect(createRepository({ ...options(), approvers: [KEYS.alice] })).rejects.toMatchObject({ code: 'TR-106' });
  });
});

describe('publishing', () => {
  const stage = async (world: World, text: string, signers: readonly KeyName[]) => {
    const author = await world.open();
    const image = content(IMAGE_PATH, text);
    const staged = author.stageTargets({ add: [image], expiresAt: NOW + DAY });
    const signatures = await Promise.all(signers.map((name) => signStagedMetadata(staged, KEYS[name])));
    return { author, image, targets: { staged, signatures } };
  };

  it('stages the same bytes for the same change, and binds every target', async () => {
    const author = await created.open();
    const stageAgain = (text: string, add = [content(IMAGE_PATH, text)]) =>
      author.stageTargets({ add, expiresAt: NOW + DAY }).digest;
    expect(stageAgain('a')).toBe(stageAgain('a'));
    expect(stageAgain('a')).not.toBe(stageAgain('b'));
    expect(stageAgain('a')).not.toBe(author.stageTargets({ add: [content(IMAGE_PATH, 'a')], expiresAt: NOW }).digest);
  });

  it('reads staged metadata back, and nothing but what it wrote', async () => {
    const { targets } = await stage(copyWorld(created), 'x', []);
    expect(parseStagedMetadata('targets', targets.staged.document)).toEqual(targets.staged);
    const value = JSON.parse(decodeUtf8(targets.staged.document));
    const signed = { ...value, signatures: [{ keyid: 'a', sig: 'b' }] };
    const spaced = encodeUtf8(JSON.stringify(value, null, 1));
    for (const other of [formatJson(signed), spaced]) {
      expect(() => parseStagedMetadata('targets', other)).toThrow(expect.objectContaining({ code: 'TR-109' }));
    }
  });

  it('takes targets and effectivity in one step', async () => {
    const world = copyWorld(created);
    const { author, image, targets } = await stage(world, 'x', ['alice', 'carol']);
    const delegated = { add: [content(EFFECTIVITY_PATH, 'rules 2')] };
    const state = await author.publish({ now: NOW, targets, contents: [image], delegated });
    expect(state).toMatchObject({ targetsVersion: 2, effectivityVersion: 2, snapshotVersion: 2, timestampVersion: 2 });
    const client = world.client();
    expect(await client.update(NOW)).toEqual(state);
    expect(decodeUtf8(await client.readTarget(EFFECTIVITY_PATH))).toBe('rules 2');
    expect(decodeUtf8(await (await world.open()).readTarget(IMAGE_PATH))).toBe('x');
  });

  it('removes targets', async () => {
    const world = copyWorld(created);
    const author = await world.open();
    const staged = author.stageTargets({ add: [], remove: ['trusted-root.json'], expiresAt: NOW + DAY });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    await author.publish({
      now: NOW,
      targets: { staged, signatures },
      delegated: { add: [], remove: [EFFECTIVITY_PATH] },
    });
    expect([...author.listTargets().keys()]).toEqual([]);
    await expect(author.readTarget('trusted-root.json')).rejects.toMatchObject({ code: 'TR-108' });
  });

  it.each([
    ['one person', ['alice']],
    ['one person twice', ['alice', 'alice']],
    ['one person and a stranger', ['bob', 'stranger']],
    ['nobody', []],
  ] as const)('refuses what %s signed (TR-104), and nothing becomes visible', async (_, signers) => {
    const world = copyWorld(created);
    const { author, image, targets } = await stage(world, 'x', signers);
    await expect(author.publish({ now: NOW, targets, contents: [image] })).rejects.toMatchObject({ code: 'TR-104' });
    expect(readdirSync(join(world.directory, 'metadata'))).not.toContain('2.targets.json');
    expect(existsSync(join(world.directory, 'targets/images'))).toBe(false);
  });

  it('A30 refuses signatures over other bytes (TR-104)', async () => {
    const world = copyWorld(created);
    const { targets } = await stage(world, 'approved', ['alice', 'bob']);
    const { author, image, targets: other } = await stage(world, 'swapped', []);
    const swapped = { staged: other.staged, signatures: targets.signatures };
    await expect(author.publish({ now: NOW, targets: swapped, contents: [image] })).rejects.toMatchObject({
      code: 'TR-104',
    });
  });

  it('refuses bytes that are not the listed ones (TR-105)', async () => {
    const world = copyWorld(created);
    const { author, image, targets } = await stage(world, 'listed', ['alice', 'bob']);
    const other = { ...image, open: () => Promise.resolve([encodeUtf8('Listed')]) };
    await expect(author.publish({ now: NOW, targets, contents: [other] })).rejects.toMatchObject({ code: 'TR-105' });
    await expect(author.publish({ now: NOW, targets, contents: [] })).rejects.toMatchObject({ code: 'TR-107' });
    expect((await world.client().update(NOW)).targetsVersion).toBe(1);
    expect((await author.publish({ now: NOW, targets, contents: [image] })).targetsVersion).toBe(2);
  });

  it('refuses metadata staged before another release was published (TR-101)', async () => {
    const world = copyWorld(created);
    const late = await stage(world, 'late', ['alice', 'bob']);
    await world.release('early');
    const author = await world.open();
    await expect(author.publish({ now: NOW, targets: late.targets, contents: [late.image] })).rejects.toMatchObject({
      code: 'TR-101',
    });
  });

  it('needs signers, and the enrolled ones', async () => {
    const world = copyWorld(created);
    const options = { directory: world.directory, initialRoot: world.initialRoot, files: nodeFiles };
    const reader = await TrustAuthor.open(options);
    await expect(reader.publish({ now: NOW })).rejects.toThrow(TypeError);
    for (const signers of [
      { ...SIGNERS, online: KEYS.stranger },
      { ...SIGNERS, effectivity: KEYS.stranger },
    ]) {
      const stranger = await TrustAuthor.open({ ...options, signers });
      const delegated = { add: [toTargetContent(EFFECTIVITY_PATH, encodeUtf8('mine'))] };
      await expect(stranger.publish({ now: NOW, delegated })).rejects.toMatchObject({ code: 'TR-104' });
    }
    expect((await world.client().update(NOW)).timestampVersion).toBe(1);
  });

  it('keeps metadata fresh: the timestamp each time, the effectivity when it is half worn', async () => {
    const world = copyWorld(created);
    const author = await world.open();
    expect(await author.publish({ now: NOW + 5 * DAY })).toMatchObject({ timestampVersion: 2, effectivityVersion: 1 });
    expect(await author.publish({ now: NOW + 44 * DAY })).toMatchObject({ timestampVersion: 3, effectivityVersion: 1 });
    expect(await author.publish({ now: NOW + 46 * DAY })).toMatchObject({ timestampVersion: 4, effectivityVersion: 2 });
    expect(await world.client().update(NOW + 50 * DAY)).toMatchObject({ timestampVersion: 4, targetsVersion: 1 });
  });
});

describe('changing keys', () => {
  const sign = async (
    author: TrustAuthor,
    change: Parameters<TrustAuthor['stageRoot']>[0],
    names: readonly KeyName[],
  ) => {
    const staged = author.stageRoot(change);
    return { staged, signatures: await Promise.all(names.map((name) => signStagedMetadata(staged, KEYS[name]))) };
  };

  it('A33 refuses a root without enough old or without enough new signatures (TR-106)', async () => {
    const author = await copyWorld(created).open();
    const change = { root: holders('bob', 'carol', 'dave'), expiresAt: NOW + DAY };
    for (const names of [['dave', 'bob'], ['alice', 'carol'], ['bob']] as const) {
      const root = await sign(author, change, names);
      await expect(author.publish({ now: NOW, root })).rejects.toMatchObject({ code: 'TR-106' });
    }
    const root = await sign(author, change, ['bob', 'carol']);
    expect(await author.publish({ now: NOW, root })).toMatchObject({ rootVersion: 2 });
  });

  it('A33 refuses to lower a threshold (PL-111)', async () => {
    const author = await copyWorld(created).open();
    const lowered = { ...holders('alice', 'bob', 'carol'), threshold: 1 };
    expect(() => author.stageRoot({ targets: lowered, expiresAt: NOW + DAY })).toThrow(
      expect.objectContaining({ code: 'PL-111' }),
    );
  });

  it('replaces holders of targets keys only if the current targets still verify, or are signed anew', async () => {
    const world = copyWorld(created);
    const author = await world.open();
    const replaced = { targets: holders('carol', 'dave', 'alice'), expiresAt: NOW + DAY };
    const root = await sign(author, replaced, ['alice', 'bob']);
    await expect(author.publish({ now: NOW, root })).rejects.toMatchObject({ code: 'TR-104' });

    const staged = author.stageTargets({ add: [], expiresAt: NOW + DAY });
    const signatures = await Promise.all(
      (['alice', 'bob', 'carol'] as const).map((name) => signStagedMetadata(staged, KEYS[name])),
    );
    const state = await author.publish({ now: NOW, root, targets: { staged, signatures } });
    expect(await world.client().update(NOW)).toEqual(state);
  });

  it('replaces the online key with a last signature of the outgoing one', async () => {
    const world = copyWorld(created);
    const signers = { ...SIGNERS, online: KEYS.dave };
    const options = { directory: world.directory, initialRoot: world.initialRoot, files: nodeFiles };
    const author = await TrustAuthor.open({ ...options, signers });
    const root = await sign(author, { online: KEYS.dave.publicKey, expiresAt: NOW + DAY }, ['alice', 'bob']);
    await expect(author.publish({ now: NOW, root })).rejects.toMatchObject({ code: 'TR-104' });
    await author.publish({ now: NOW, root, outgoingOnline: KEYS.online });
    const again = await TrustAuthor.open({ ...options, signers });
    expect(await again.publish({ now: NOW })).toMatchObject({ rootVersion: 2, timestampVersion: 3 });
    expect(await world.client().update(NOW)).toMatchObject({ rootVersion: 2, timestampVersion: 3 });
  });

  it('replaces the effectivity key by a decision of the approvers', async () => {
    const world = copyWorld(created);
    const options = { directory: world.directory, initialRoot: world.initialRoot, files: nodeFiles };
    const author = await TrustAuthor.open({ ...options, signers: { ...SIGNERS, effectivity: KEYS.dave } });
    const staged = author.stageTargets({ add: [], effectivityKey: KEYS.dave.publicKey, expiresAt: NOW + DAY });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    const state = await author.publish({ now: NOW, targets: { staged, signatures } });
    expect(state).toMatchObject({ targetsVersion: 2, effectivityVersion: 2 });
    expect(await world.client().update(NOW)).toEqual(state);
  });
});

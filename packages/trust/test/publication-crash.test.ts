// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { decodeUtf8, type Bytes } from '@witnessmark/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createRepository,
  mirror,
  nodeFiles,
  signStagedMetadata,
  TrustAuthor,
  TrustClient,
  type Files,
} from '../src/index.ts';
import { everyFault, faultyFiles, PowerCut } from './support/faulty-files.ts';
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
  type World,
} from './support/world.ts';

let before: World;
beforeAll(async () => {
  before = await createWorld();
  await before.release('image one');
});

/** Publishes image two with rules 2, with or without a new root. */
async function publish(world: World, files: Files, hasNewRoot: boolean): Promise<void> {
  const author = await TrustAuthor.open({
    directory: world.directory,
    initialRoot: world.initialRoot,
    files,
    signers: hasNewRoot ? { ...SIGNERS, online: KEYS.dave } : SIGNERS,
  });
  const image = content(IMAGE_PATH, 'image two');
  const staged = author.stageTargets({ add: [image], expiresAt: NOW + DAY });
  const approvers = [KEYS.alice, KEYS.carol];
  const signatures = await Promise.all(approvers.map((key) => signStagedMetadata(staged, key)));
  const publication = {
    now: NOW,
    targets: { staged, signatures },
    contents: [image],
    delegated: { add: [content(EFFECTIVITY_PATH, 'rules 2')] },
  };
  if (!hasNewRoot) {
    await author.publish(publication);
    return;
  }
  const root = author.stageRoot({
    root: holders('alice', 'carol', 'dave'),
    online: KEYS.dave.publicKey,
    expiresAt: NOW + DAY,
  });
  const rootSignatures = await Promise.all(approvers.map((key) => signStagedMetadata(root, key)));
  await author.publish({
    ...publication,
    root: { staged: root, signatures: rootSignatures },
    outgoingOnline: KEYS.online,
  });
}

/** Every client, new or old, finds one whole state. */
async function readState(client: TrustClient): Promise<'old' | 'new'> {
  const { targetsVersion, effectivityVersion } = await client.update(NOW);
  const image = decodeUtf8(await client.readTarget(IMAGE_PATH));
  const rules = decodeUtf8(await client.readTarget(EFFECTIVITY_PATH));
  const seen = `${targetsVersion} ${effectivityVersion} ${image} ${rules}`;
  if (seen === '2 1 image one rules 1') return 'old';
  expect(seen).toBe('3 2 image two rules 2');
  return 'new';
}

describe.each([
  ['a release', false],
  ['a release with new root and online keys', true],
])('publishing %s', (_, hasNewRoot) => {
  it('survives a power cut at every write, rename and sync', async () => {
    const counted = faultyFiles(-1, 'before');
    await publish(copyWorld(before), counted, hasNewRoot);
    expect(counted.calls.length).toBeGreaterThan(15);

    const outcomes = new Set<string>();
    for (const [at, fault] of everyFault(counted.calls)) {
      const world = copyWorld(before);
      const old = world.client();
      await old.update(NOW);
      await expect(publish(world, faultyFiles(at, fault), hasNewRoot)).rejects.toThrow(PowerCut);
      const state = await readState(old);
      expect(await readState(world.client())).toBe(state);
      outcomes.add(state);
      const isDone = state === 'new';
      const hasRoot = old.state.rootVersion === 2;
      if (!isDone) await publish(world, nodeFiles, hasNewRoot);
      else if (hasNewRoot && !hasRoot) await finishRoot(world);
      expect(await readState(old)).toBe('new');
      expect(old.state.rootVersion).toBe(hasNewRoot ? 2 : 1);
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
  }, 120_000);
});

/** The release became visible, the root did not: it is published by itself. */
async function finishRoot(world: World): Promise<void> {
  const author = await TrustAuthor.open({
    directory: world.directory,
    initialRoot: world.initialRoot,
    files: nodeFiles,
    signers: { ...SIGNERS, online: KEYS.dave },
  });
  const staged = author.stageRoot({
    root: holders('alice', 'carol', 'dave'),
    online: KEYS.dave.publicKey,
    expiresAt: NOW + DAY,
  });
  const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.carol)];
  await author.publish({ now: NOW, root: { staged, signatures }, outgoingOnline: KEYS.online });
}

describe('creating', () => {
  const create = (directory: string, files: Files): Promise<Bytes> =>
    createRepository({
      directory,
      files,
      keys: { root: holders('alice', 'bob', 'carol'), targets: holders('alice', 'bob', 'carol') },
      approvers: [KEYS.alice, KEYS.bob],
      signers: SIGNERS,
      targets: [content('trusted-root.json', 'keys')],
      delegated: [content(EFFECTIVITY_PATH, 'rules 1')],
      now: NOW,
    });

  it('survives a power cut at every write, rename and sync', async () => {
    const counted = faultyFiles(-1, 'before');
    await create(join(scratch(), 'repository'), counted);
    for (const [at, fault] of everyFault(counted.calls)) {
      const directory = join(scratch(), 'repository');
      await expect(create(directory, faultyFiles(at, fault))).rejects.toThrow(PowerCut);
      try {
        const initialRoot = await create(directory, nodeFiles);
        const client = new TrustClient({ metadataDir: scratch(), repositoryDir: directory, initialRoot });
        expect((await client.update(NOW)).targetsVersion).toBe(1);
      } catch (error) {
        // Complete although an error was reported: it is there, and never replaced.
        expect(error).toMatchObject({ code: 'ERR_TRUST_EXISTS' });
      }
    }
  });
});

describe('mirroring', () => {
  it('survives a power cut at every write, rename, sync and removal', async () => {
    const after = copyWorld(before);
    await publish(after, nodeFiles, false);
    const copy = (stick: string, files: Files) =>
      mirror(after.directory, stick, { initialRoot: after.initialRoot, files });
    const prepare = async (): Promise<string> => {
      const stick = join(scratch(), 'stick');
      await mirror(before.directory, stick, { initialRoot: before.initialRoot });
      return stick;
    };
    const clientOf = (repositoryDir: string) =>
      new TrustClient({ metadataDir: scratch(), repositoryDir, initialRoot: after.initialRoot });

    const counted = faultyFiles(-1, 'before');
    await copy(await prepare(), counted);
    expect(counted.calls.some((call) => call.startsWith('remove'))).toBe(true);
    for (const [at, fault] of everyFault(counted.calls)) {
      const stick = await prepare();
      await expect(copy(stick, faultyFiles(at, fault))).rejects.toThrow(PowerCut);
      await readState(clientOf(stick));
      await copy(stick, nodeFiles);
      expect(await readState(clientOf(stick))).toBe('new');
    }
  }, 120_000);
});

describe('a client', () => {
  it('survives a power cut at every write of its memory', async () => {
    const update = (metadataDir: string, world: World, files: Files) =>
      new TrustClient({ metadataDir, repositoryDir: world.directory, initialRoot: world.initialRoot, files }).update(
        NOW,
      );
    const after = copyWorld(before);
    await publish(after, nodeFiles, false);
    const counted = faultyFiles(-1, 'before');
    const metadataDir = scratch();
    await update(metadataDir, before, nodeFiles);
    await update(metadataDir, after, counted);
    for (const [at, fault] of everyFault(counted.calls)) {
      const directory = scratch();
      await update(directory, before, nodeFiles);
      await expect(update(directory, after, faultyFiles(at, fault))).rejects.toThrow(PowerCut);
      expect((await update(directory, after, nodeFiles)).targetsVersion).toBe(3);
      await expect(update(directory, before, nodeFiles)).rejects.toMatchObject({ code: 'TR-101' });
    }
  });
});

// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8, encodeUtf8, formatInstant, sha256Hex } from '@witnessmark/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  checkFresh,
  createRepository,
  nodeFiles,
  signStagedMetadata,
  toTufKey,
  TrustAuthor,
  TrustClient,
  TRUST_LIMITS,
} from '../src/index.ts';
import {
  content,
  copyWorld,
  createWorld,
  DAY,
  EFFECTIVITY_PATH,
  forge,
  forgeChain,
  holders,
  HOUR,
  IMAGE_PATH,
  keyIdOf,
  KEYS,
  NOW,
  scratch,
  SIGNERS,
  type Loose,
  type World,
} from './support/world.ts';

const APPROVED = { targets: [KEYS.alice, KEYS.bob], online: KEYS.online };

/** Version 1 as created, and version 2 with an image. */
let first: World;
let second: World;

beforeAll(async () => {
  first = await createWorld();
  second = copyWorld(first);
  await second.release('image two');
});

function metadata(world: World, name: string): string {
  return join(world.directory, 'metadata', name);
}

function targetFile(world: World, path: string): string {
  const directory = join(world.directory, 'targets', path.slice(0, path.lastIndexOf('/')));
  const name = path.slice(path.lastIndexOf('/') + 1);
  return join(directory, readdirSync(directory).find((file) => file.endsWith(`.${name}`)) as string);
}

describe('an update', () => {
  it('accepts what two of three approved and says which metadata it rests on', async () => {
    const client = copyWorld(second).client();
    expect(await client.update(NOW)).toEqual({
      rootVersion: 1,
      targetsVersion: 2,
      snapshotVersion: 2,
      timestampVersion: 2,
      timestampExpiresAt: '2026-11-27T08:00:00Z',
      effectivityVersion: 1,
    });
    expect(decodeUtf8(await client.readTarget(IMAGE_PATH))).toBe('image two');
    expect(decodeUtf8(await client.readTarget(EFFECTIVITY_PATH))).toBe('rules 1');
  });

  it('accepts any two of the three', async () => {
    const world = copyWorld(second);
    await world.release('image three', ['bob', 'carol']);
    const client = world.client();
    expect((await client.update(NOW)).targetsVersion).toBe(3);
  });

  it('follows updates with one memory, and repeats without effect', async () => {
    const world = copyWorld(first);
    const client = world.client();
    await client.update(NOW);
    await world.release('image two');
    await client.update(NOW);
    const again = await client.update(NOW);
    expect(again.targetsVersion).toBe(2);
    expect(decodeUtf8(await client.readTarget(IMAGE_PATH))).toBe('image two');
  });

  it('keeps what was accepted when the next update is refused', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    rmSync(metadata(world, 'timestamp.json'));
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-107' });
    expect(client.state.targetsVersion).toBe(2);
    expect(decodeUtf8(await client.readTarget(IMAGE_PATH))).toBe('image two');
  });

  it('needs a pinned root: another repository is refused however well it is signed', async () => {
    const other = join(scratch(), 'other');
    await createRepository({
      directory: other,
      files: nodeFiles,
      keys: { root: holders('alice', 'bob', 'dave'), targets: holders('alice', 'bob', 'dave') },
      approvers: [KEYS.alice, KEYS.bob],
      signers: { online: KEYS.stranger, effectivity: KEYS.effectivity },
      targets: [],
      delegated: [],
      now: NOW,
    });
    const client = new TrustClient({ metadataDir: scratch(), repositoryDir: other, initialRoot: second.initialRoot });
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-104' });
  });

  it('refuses to answer before the first update', async () => {
    const client = copyWorld(second).client();
    await expect(client.readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'ERR_TRUST_NOT_UPDATED' });
    expect(() => client.state).toThrow(/not been updated/);
  });
});

describe('rollback (TR-101)', () => {
  it('A14 refuses a timestamp older than the one seen', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    cpSync(metadata(first, 'timestamp.json'), metadata(world, 'timestamp.json'));
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });

  it('refuses a new timestamp that names an older snapshot', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    const older = JSON.parse(readFileSync(metadata(first, 'timestamp.json'), 'utf8')).signed.meta;
    forge(world.directory, 'timestamp.json', (signed) => Object.assign(signed, { version: 9, meta: older }), [
      KEYS.online,
    ]);
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });

  it('refuses a new snapshot that names older targets', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    const older = JSON.parse(readFileSync(metadata(first, '1.snapshot.json'), 'utf8')).signed.meta;
    forgeChain(
      world.directory,
      ({ snapshot, timestamp }) => {
        Object.assign(snapshot, { version: 3, meta: older });
        timestamp.version = 3;
      },
      APPROVED,
    );
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });

  it('refuses a new snapshot that forgets a role', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    forgeChain(
      world.directory,
      ({ snapshot, timestamp }) => {
        snapshot.version = 3;
        delete snapshot.meta['effectivity.json'];
        timestamp.version = 3;
      },
      APPROVED,
    );
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });

  it('A14 refuses a reinstalled older mirror, by a client that was started anew', async () => {
    const metadataDir = scratch();
    await copyWorld(second).client({ metadataDir }).update(NOW);
    await expect(copyWorld(first).client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
    // The twin: the same older mirror for somebody who never saw the newer one.
    expect((await copyWorld(first).client().update(NOW)).targetsVersion).toBe(1);
  });

  it('A14 refuses it also when the stored metadata was deleted and only the highest versions are left', async () => {
    const metadataDir = scratch();
    await copyWorld(second).client({ metadataDir }).update(NOW);
    for (const name of readdirSync(metadataDir)) if (name !== 'memory.json') rmSync(join(metadataDir, name));
    await expect(copyWorld(first).client({ metadataDir }).update(NOW)).rejects.toMatchObject({
      code: 'TR-101',
      message: expect.stringMatching(/timestamp has version 1; version 2 was seen before/),
    });
  });

  it('remembers a timestamp that verified although the update was refused', async () => {
    const metadataDir = scratch();
    const broken = copyWorld(second);
    rmSync(metadata(broken, '2.targets.json'));
    await expect(broken.client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'TR-107' });
    await expect(copyWorld(first).client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });
});

describe('freeze (TR-102)', () => {
  const refusedAfter = async (time: number, world = copyWorld(second)) => world.client().update(time);

  it('accepts in the last millisecond and refuses in the next', async () => {
    expect((await refusedAfter(NOW + 7 * DAY - 1)).timestampVersion).toBe(2);
    await expect(refusedAfter(NOW + 7 * DAY)).rejects.toMatchObject({ code: 'TR-102' });
  });

  it('refuses the same timestamp again once it ran out', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    await expect(client.update(NOW + 8 * DAY)).rejects.toMatchObject({ code: 'TR-102' });
    expect(() => checkFresh(client.state, NOW + 8 * DAY)).toThrow(expect.objectContaining({ code: 'TR-102' }));
    expect(() => checkFresh(client.state, NOW + 6 * DAY)).not.toThrow();
  });

  it.each(['snapshot', 'targets'] as const)('refuses an expired %s under a fresh timestamp', async (role) => {
    const world = copyWorld(second);
    forgeChain(
      world.directory,
      (signed) => {
        signed[role].expires = '2026-11-20T07:59:59Z';
      },
      APPROVED,
    );
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-102' });
  });

  it('refuses an expired root', async () => {
    const world = copyWorld(second);
    const author = await world.open();
    await author.publish({ now: NOW + 729 * DAY });
    await expect(world.client().update(NOW + 731 * DAY)).rejects.toMatchObject({ code: 'TR-102' });
  });
});

describe('mix and match (TR-103)', () => {
  it('A32 refuses targets of another moment under a new snapshot', async () => {
    const world = copyWorld(second);
    cpSync(metadata(first, '1.targets.json'), metadata(world, '2.targets.json'));
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
  });

  it('A32 refuses a snapshot of another moment under a new timestamp', async () => {
    const world = copyWorld(second);
    cpSync(metadata(first, '1.snapshot.json'), metadata(world, '2.snapshot.json'));
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
  });

  it.each(['2.snapshot.json', '2.targets.json', '1.effectivity.json'])(
    'refuses one flipped bit in %s',
    async (name) => {
      const world = copyWorld(second);
      const bytes = readFileSync(metadata(world, name));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      writeFileSync(metadata(world, name), bytes);
      await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
    },
  );

  it('refuses a file that is longer than was signed for, even if the signed part is right', async () => {
    const world = copyWorld(second);
    writeFileSync(metadata(world, '2.targets.json'), ' ', { flag: 'a' });
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
  });

  it('refuses targets whose version is not the one the snapshot names', async () => {
    const world = copyWorld(second);
    forgeChain(world.directory, ({ snapshot }) => (snapshot.meta['effectivity.json'].version = 2), APPROVED);
    cpSync(metadata(world, '1.effectivity.json'), metadata(world, '2.effectivity.json'));
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
  });

  it('refuses a first snapshot that does not list a role', async () => {
    const world = copyWorld(second);
    forgeChain(world.directory, ({ snapshot }) => delete snapshot.meta['effectivity.json'], APPROVED);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-103' });
  });
});

describe('thresholds (TR-104)', () => {
  const forgeTargets = (signers: readonly (typeof KEYS)['alice'][]) => {
    const world = copyWorld(second);
    forgeChain(
      world.directory,
      ({ targets, snapshot, timestamp }) => {
        for (const signed of [targets, snapshot, timestamp]) signed.version = 3;
      },
      { targets: signers, online: KEYS.online },
    );
    return world.client().update(NOW);
  };

  it('accepts targets signed by two of three', async () => {
    expect((await forgeTargets([KEYS.carol, KEYS.alice])).targetsVersion).toBe(3);
  });

  it('refuses targets signed by one of three', async () => {
    await expect(forgeTargets([KEYS.alice])).rejects.toMatchObject({ code: 'TR-104' });
  });

  it('A28 refuses targets that one key signed twice', async () => {
    await expect(forgeTargets([KEYS.alice, KEYS.alice])).rejects.toMatchObject({ code: 'TR-104' });
  });

  it('refuses targets signed by one approver and a stranger', async () => {
    await expect(forgeTargets([KEYS.alice, KEYS.stranger])).rejects.toMatchObject({ code: 'TR-104' });
  });

  it.each(['timestamp.json', '2.snapshot.json'])('refuses %s signed by another key', async (name) => {
    const world = copyWorld(second);
    if (name === 'timestamp.json') forge(world.directory, name, () => undefined, [KEYS.stranger]);
    else forgeChain(world.directory, () => undefined, { ...APPROVED, online: KEYS.stranger });
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-104' });
  });

  it('refuses an effectivity that approvers, not operations, signed', async () => {
    const world = copyWorld(second);
    forge(
      world.directory,
      '1.effectivity.json',
      (signed) => (signed.version = 2),
      [KEYS.alice, KEYS.bob],
      '2.effectivity.json',
    );
    const bytes = readFileSync(metadata(world, '2.effectivity.json'));
    forgeChain(
      world.directory,
      ({ snapshot, timestamp }) => {
        const hashes = { sha256: sha256Hex(bytes) };
        snapshot.meta['effectivity.json'] = { version: 2, length: bytes.length, hashes };
        for (const signed of [snapshot, timestamp]) signed.version = 3;
      },
      APPROVED,
    );
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-104' });
  });
});

describe('targets', () => {
  const updated = async (world: World) => {
    const client = world.client();
    await client.update(NOW);
    return client;
  };

  it('refuses other bytes under the right name (TR-105)', async () => {
    const world = copyWorld(second);
    writeFileSync(targetFile(world, IMAGE_PATH), 'image zwo');
    await expect((await updated(world)).readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'TR-105' });
  });

  it.each([
    ['shorter', 'image tw'],
    ['longer', 'image two!'],
    ['empty', ''],
  ])('refuses a %s file (TR-105)', async (_, text) => {
    const world = copyWorld(second);
    writeFileSync(targetFile(world, IMAGE_PATH), text);
    await expect((await updated(world)).readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'TR-105' });
  });

  it('refuses a valid file of another target in its place (TR-105)', async () => {
    const world = copyWorld(second);
    cpSync(targetFile(world, EFFECTIVITY_PATH), targetFile(world, IMAGE_PATH));
    await expect((await updated(world)).readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'TR-105' });
  });

  it('refuses a listed file that is missing (TR-107)', async () => {
    const world = copyWorld(second);
    rmSync(targetFile(world, IMAGE_PATH));
    await expect((await updated(world)).readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'TR-107' });
  });

  it('A38 refuses a link in place of a file (TR-107)', async () => {
    const world = copyWorld(second);
    const path = targetFile(world, IMAGE_PATH);
    cpSync(path, `${path}.real`);
    rmSync(path);
    symlinkSync(`${path}.real`, path);
    await expect((await updated(world)).readTarget(IMAGE_PATH)).rejects.toMatchObject({ code: 'TR-107' });
  });

  it('refuses a name nobody listed, even if the file is there (TR-108)', async () => {
    const world = copyWorld(second);
    const client = await updated(world);
    for (const path of ['images/other.bin', 'effectivity/PEN.L4.json', '../metadata/timestamp.json', '']) {
      await expect(client.readTarget(path)).rejects.toMatchObject({ code: 'TR-108' });
      expect(await client.hasTarget(path)).toBe(false);
    }
  });

  it('does not take an image from the role of operations (TR-108)', async () => {
    const world = copyWorld(second);
    const author = await world.open();
    await expect(
      author.publish({ now: NOW, delegated: { add: [content('images/evil.bin', 'evil')] } }),
    ).rejects.toMatchObject({ code: 'TR-108' });
  });

  it('streams a large target to a file, which appears only when it is right', async () => {
    const world = copyWorld(second);
    const big = 'x'.repeat(3 * 1024 * 1024);
    await world.release(big);
    const client = await updated(world);
    const destination = join(scratch(), 'image.bin');
    expect((await client.saveTarget(IMAGE_PATH, destination)).length).toBe(big.length);
    expect(readFileSync(destination, 'utf8')).toBe(big);
    writeFileSync(targetFile(world, IMAGE_PATH), 'y'.repeat(big.length));
    const other = join(scratch(), 'image.bin');
    await expect(client.saveTarget(IMAGE_PATH, other)).rejects.toMatchObject({ code: 'TR-105' });
    expect(existsSync(other)).toBe(false);
  });
});

describe('the cache', () => {
  it('serves a target when the medium is gone', async () => {
    const world = copyWorld(second);
    const client = world.client({ cacheDir: scratch() });
    await client.update(NOW);
    await client.readTarget(IMAGE_PATH);
    rmSync(world.directory, { recursive: true });
    expect(decodeUtf8(await client.readTarget(IMAGE_PATH))).toBe('image two');
  });

  it('A15 refuses a cached file that was changed, names it and leaves it alone', async () => {
    const cacheDir = scratch();
    const client = copyWorld(second).client({ cacheDir });
    await client.update(NOW);
    await client.readTarget(IMAGE_PATH);
    const cached = join(cacheDir, readdirSync(cacheDir)[0] as string);
    writeFileSync(cached, 'image 2wo');
    await expect(client.readTarget(IMAGE_PATH)).rejects.toMatchObject({
      code: 'TR-105',
      message: expect.stringContaining(cached),
    });
    expect(readFileSync(cached, 'utf8')).toBe('image 2wo');
  });
});

describe('rotation of the root (TR-106)', () => {
  const rotate = async (world: World, signers: readonly (keyof typeof KEYS)[]) => {
    const author = await world.open();
    const staged = author.stageRoot({
      root: holders('alice', 'bob', 'dave'),
      targets: holders('alice', 'bob', 'dave'),
      expiresAt: NOW + 700 * DAY,
    });
    const signatures = await Promise.all(signers.map((name) => signStagedMetadata(staged, KEYS[name])));
    return { author, root: { staged, signatures } };
  };
  const writeRoot = async (world: World, signers: readonly (keyof typeof KEYS)[], as = '2.root.json') => {
    const { root } = await rotate(world, signers);
    const signed = JSON.parse(decodeUtf8(root.staged.document)).signed;
    writeFileSync(metadata(world, as), JSON.stringify({ signatures: root.signatures, signed }));
  };

  it('A33 follows a root signed by two old and two new holders', async () => {
    const world = copyWorld(second);
    const client = world.client();
    await client.update(NOW);
    const { author, root } = await rotate(world, ['alice', 'bob']);
    await author.publish({ now: NOW, root });
    expect(await client.update(NOW)).toMatchObject({ rootVersion: 2, targetsVersion: 2 });
    await world.release('image three', ['bob', 'dave']);
    expect(await client.update(NOW)).toMatchObject({ rootVersion: 2, targetsVersion: 3 });
    // Nobody who only knows the first root is left behind, and the replaced key counts no more.
    expect(await world.client().update(NOW)).toMatchObject({ rootVersion: 2 });
    await expect(world.release('image four', ['alice', 'carol'])).rejects.toMatchObject({ code: 'TR-104' });
  });

  it.each([
    ['one holder', ['alice']],
    ['old holders only', ['alice', 'carol']],
    ['new holders only', ['alice', 'dave']],
    ['strangers', ['stranger', 'dave']],
  ] as const)('A33 refuses a root signed by %s', async (_, signers) => {
    const world = copyWorld(second);
    await writeRoot(world, signers);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-106' });
  });

  it('refuses a root that skips a version', async () => {
    const world = copyWorld(second);
    const { root } = await rotate(world, ['alice', 'bob']);
    const signed = JSON.parse(decodeUtf8(root.staged.document)).signed;
    signed.version = 3;
    writeFileSync(metadata(world, '2.root.json'), JSON.stringify({ signatures: [], signed }));
    forge(world.directory, '2.root.json', () => undefined, [KEYS.alice, KEYS.bob]);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-106' });
  });

  it('A33 refuses a root below the floor, however many sign it (PL-111)', async () => {
    for (const role of ['root', 'targets']) {
      const world = copyWorld(second);
      await writeRoot(world, ['alice', 'bob']);
      forge(world.directory, '2.root.json', (signed) => (signed.roles[role].threshold = 1), [KEYS.alice, KEYS.bob]);
      await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'PL-111' });
    }
  });

  it('A28 refuses a root that lists one public key under two ids (TR-110)', async () => {
    const world = copyWorld(second);
    await writeRoot(world, ['alice', 'bob']);
    const forgeTwin = (signed: Loose): void => {
      const { keyID } = toTufKey(KEYS.alice.publicKey);
      const twin = { ...signed.keys[keyID], 'x-note': 'another spelling' };
      const twinId = keyIdOf(twin);
      signed.keys[twinId] = twin;
      signed.roles.root.keyids.push(twinId);
    };
    forge(world.directory, '2.root.json', forgeTwin, [KEYS.alice, KEYS.bob]);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-110' });
  });

  it('refuses a key id that is not the digest of its key (TR-109)', async () => {
    const world = copyWorld(second);
    await writeRoot(world, ['alice', 'bob']);
    const rename = (signed: Loose): void => {
      const { keyID } = toTufKey(KEYS.dave.publicKey);
      signed.keys['f'.repeat(64)] = signed.keys[keyID];
      signed.roles.root.keyids.push('f'.repeat(64));
    };
    forge(world.directory, '2.root.json', rename, [KEYS.alice, KEYS.bob]);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it('refuses to fall back to an earlier root', async () => {
    const metadataDir = scratch();
    const world = copyWorld(second);
    const { author, root } = await rotate(world, ['alice', 'bob']);
    await author.publish({ now: NOW, root });
    await world.client({ metadataDir }).update(NOW);
    rmSync(metadata(world, '2.root.json'));
    await expect(world.client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });

  it('recovers from versions that a stolen online key ran up, by a new online key', async () => {
    const world = copyWorld(second);
    const client = world.client();
    const stolen = copyWorld(second);
    forgeChain(
      stolen.directory,
      ({ snapshot, timestamp }) => {
        for (const signed of [snapshot, timestamp]) signed.version = 1_000_000;
      },
      APPROVED,
    );
    const victim = new TrustClient({
      metadataDir: scratch(),
      repositoryDir: stolen.directory,
      initialRoot: stolen.initialRoot,
    });
    await victim.update(NOW);
    const author = await TrustAuthor.open({
      directory: world.directory,
      initialRoot: world.initialRoot,
      files: nodeFiles,
      signers: { ...SIGNERS, online: KEYS.dave },
    });
    const staged = author.stageRoot({ online: KEYS.dave.publicKey, expiresAt: NOW + 700 * DAY });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    await author.publish({ now: NOW, root: { staged, signatures }, outgoingOnline: KEYS.online });
    cpSync(world.directory, stolen.directory, { recursive: true });
    expect(await victim.update(NOW)).toMatchObject({ rootVersion: 2, timestampVersion: 3 });
    expect(await client.update(NOW)).toMatchObject({ rootVersion: 2, timestampVersion: 3 });
  });
});

describe('missing, malformed and oversized metadata', () => {
  it.each(['timestamp.json', '2.snapshot.json', '2.targets.json', '1.effectivity.json'])(
    'refuses a repository without %s (TR-107)',
    async (name) => {
      const world = copyWorld(second);
      rmSync(metadata(world, name));
      await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-107' });
    },
  );

  it.each([
    ['no JSON', '{'],
    ['an array', '[]'],
    ['a key twice', '{"signed":{},"signed":{},"signatures":[]}'],
    [
      'no signatures',
      '{"signed":{"_type":"timestamp","spec_version":"1.0.0","version":1,"expires":"2030-01-01T00:00:00Z"}}',
    ],
    ['nothing', ''],
  ])('refuses a timestamp that is %s (TR-109)', async (_, text) => {
    const world = copyWorld(second);
    writeFileSync(metadata(world, 'timestamp.json'), text);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it.each([
    ['version 0', (signed: Loose) => (signed.version = 0)],
    ['a negative version', (signed: Loose) => (signed.version = -1)],
    ['another major version of TUF', (signed: Loose) => (signed.spec_version = '2.0.0')],
    ['an expiry that is no time', (signed: Loose) => (signed.expires = '2026-13-01T00:00:00Z')],
    ['an expiry with a time zone', (signed: Loose) => (signed.expires = '2027-01-01T00:00:00+01:00')],
    ['a snapshot without digest', (signed: Loose) => delete signed.meta['snapshot.json'].hashes],
    ['snapshot version 0', (signed: Loose) => (signed.meta['snapshot.json'].version = 0)],
  ])('refuses a well-signed timestamp with %s (TR-109)', async (_, change) => {
    const world = copyWorld(second);
    forge(world.directory, 'timestamp.json', change, [KEYS.online]);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it.each([
    ['a traversal', '../../etc/passwd'],
    ['an absolute path', '/etc/passwd'],
    ['a hidden file', 'images/.profile'],
    ['a path that is too long', `images/${'a'.repeat(TRUST_LIMITS.maxTargetPathLength)}`],
  ])('A38 refuses well-signed targets with %s (TR-109)', async (_, path) => {
    const world = copyWorld(second);
    const file = { length: 1, hashes: { sha256: '0'.repeat(64) } };
    forgeChain(world.directory, ({ targets }) => (targets.targets[path] = file), APPROVED);
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it('accepts a timestamp at the size limit and refuses one byte more', async () => {
    const world = copyWorld(second);
    const limit = TRUST_LIMITS.maxMetadataBytes.timestamp;
    const text = readFileSync(metadata(world, 'timestamp.json'), 'utf8');
    writeFileSync(metadata(world, 'timestamp.json'), text + ' '.repeat(limit - text.length));
    expect((await world.client().update(NOW)).timestampVersion).toBe(2);
    writeFileSync(metadata(world, 'timestamp.json'), text + ' '.repeat(limit + 1 - text.length));
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it('reads no endless file', async () => {
    const world = copyWorld(second);
    rmSync(metadata(world, 'timestamp.json'));
    symlinkSync('/dev/zero', metadata(world, 'timestamp.json'));
    await expect(world.client().update(NOW)).rejects.toMatchObject({ code: 'TR-107' });
  });
});

describe('the memory', () => {
  it('that is damaged stops the client instead of being forgotten', async () => {
    const metadataDir = scratch();
    const world = copyWorld(second);
    await world.client({ metadataDir }).update(NOW);
    for (const text of ['', '{}', '{"mediaType":"x"}', '[']) {
      writeFileSync(join(metadataDir, 'memory.json'), text);
      await expect(world.client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'ERR_TRUST_MEMORY' });
    }
  });

  it('belongs to one pinned root', async () => {
    const metadataDir = scratch();
    await copyWorld(second).client({ metadataDir }).update(NOW);
    const other = await createWorld();
    await expect(other.client({ metadataDir }).update(NOW)).rejects.toMatchObject({ code: 'ERR_TRUST_MEMORY' });
  });

  it('gives stored metadata no say that was put there by somebody else', async () => {
    const metadataDir = scratch();
    const world = copyWorld(second);
    await world.client({ metadataDir }).update(NOW);
    const evil = await createWorld();
    writeFileSync(join(metadataDir, 'root.json'), evil.initialRoot);
    for (const role of ['timestamp', 'snapshot', 'targets'])
      writeFileSync(join(metadataDir, `${role}.json`), '{"junk":1}');
    expect((await world.client({ metadataDir }).update(NOW)).targetsVersion).toBe(2);
  });

  it('starts from a pinned root that is one', async () => {
    const world = copyWorld(second);
    const start = (initialRoot: Uint8Array) =>
      new TrustClient({ metadataDir: scratch(), repositoryDir: world.directory, initialRoot }).update(NOW);
    await expect(start(encodeUtf8('no root'))).rejects.toMatchObject({ code: 'TR-109' });
    const unsigned = JSON.parse(decodeUtf8(world.initialRoot));
    unsigned.signatures.pop();
    await expect(start(encodeUtf8(JSON.stringify(unsigned)))).rejects.toMatchObject({ code: 'TR-106' });
  });
});

describe('the clock', () => {
  it('is the one the caller states, not the one of the machine', async () => {
    const world = copyWorld(second);
    expect((await world.client().update(NOW)).timestampExpiresAt).toBe(`${formatInstant(NOW + 7 * DAY).slice(0, 19)}Z`);
    await expect(world.client().update(NOW + 10 * DAY)).rejects.toMatchObject({ code: 'TR-102' });
    await (await world.open()).publish({ now: NOW + 10 * DAY });
    expect((await world.client().update(NOW + 10 * DAY + HOUR)).timestampVersion).toBe(3);
  });
});

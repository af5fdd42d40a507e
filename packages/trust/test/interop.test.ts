// SPDX-License-Identifier: Apache-2.0
/** Others read what we write: a stock tuf-js client, and openssl with jq. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { signStagedMetadata } from '../src/index.ts';
import {
  copyWorld,
  createWorldAt,
  DAY,
  EFFECTIVITY_PATH,
  forge,
  forgeChain,
  holders,
  IMAGE_PATH,
  KEYS,
  scratch,
  type World,
} from './support/world.ts';

/** The stock client asks the machine what time it is. */
const TODAY = Date.now();

class FolderFetcher extends BaseFetcher {
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = fileURLToPath(url);
    if (!existsSync(path)) return Promise.reject(new DownloadHTTPError('not found', 404));
    return Promise.resolve(new Response(readFileSync(path)).body as ReadableStream<Uint8Array<ArrayBuffer>>);
  }
}

async function update(world: World, directory = scratch()): Promise<{ image: string; rules: string }> {
  if (!existsSync(join(directory, 'root.json'))) writeFileSync(join(directory, 'root.json'), world.initialRoot);
  mkdirSync(join(directory, 'targets'), { recursive: true });
  const updater = new Updater({
    metadataDir: directory,
    metadataBaseUrl: pathToFileURL(join(world.directory, 'metadata')).href,
    targetDir: join(directory, 'targets'),
    targetBaseUrl: pathToFileURL(join(world.directory, 'targets')).href,
    fetcher: new FolderFetcher(),
  });
  await updater.refresh();
  const read = async (path: string): Promise<string> => {
    const target = await updater.getTargetInfo(path);
    if (target === undefined) throw new Error(`no target ${path}`);
    return readFileSync(await updater.downloadTarget(target), 'utf8');
  };
  return { image: await read(IMAGE_PATH), rules: await read(EFFECTIVITY_PATH) };
}

let world: World;
beforeAll(async () => {
  world = await createWorldAt(TODAY);
  await world.release('image two', ['alice', 'carol'], TODAY);
});

describe('a stock tuf-js client', () => {
  it('accepts what we publish', async () => {
    expect(await update(world)).toEqual({ image: 'image two', rules: 'rules 1' });
  });

  it('follows updates and rotated keys', async () => {
    const own = copyWorld(world);
    const directory = scratch();
    await update(own, directory);
    const author = await own.open();
    const staged = author.stageRoot({
      root: holders('alice', 'bob', 'dave'),
      targets: holders('alice', 'carol', 'dave'),
      expiresAt: TODAY + DAY,
    });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    await author.publish({ now: TODAY, root: { staged, signatures } });
    await own.release('image three', ['dave', 'carol'], TODAY);
    expect((await update(own, directory)).image).toBe('image three');
    expect((await update(own)).image).toBe('image three');
  });

  const damages: readonly (readonly [string, RegExp, (directory: string) => void])[] = [
    ['one approval', /1\/2 keys/, (directory) => bump(directory, [KEYS.alice])],
    ['one approver and a stranger', /1\/2 keys/, (directory) => bump(directory, [KEYS.alice, KEYS.stranger])],
    ['a key that signed twice', /multiple signatures/, (directory) => bump(directory, [KEYS.alice, KEYS.alice])],
    [
      'another timestamp key',
      /0\/1 keys/,
      (directory) => forge(directory, 'timestamp.json', () => undefined, [KEYS.stranger]),
    ],
    [
      'an expired timestamp',
      /expired/,
      (directory) =>
        forge(directory, 'timestamp.json', (signed) => (signed.expires = '2020-01-01T00:00:00Z'), [KEYS.online]),
    ],
    [
      'mixed moments',
      /Expected (length|hash)/,
      (directory) =>
        copyFileSync(join(directory, 'metadata/1.targets.json'), join(directory, 'metadata/2.targets.json')),
    ],
    [
      'a root by new holders only',
      /root was signed by/,
      (directory) =>
        forge(directory, '1.root.json', (signed) => (signed.version = 2), [KEYS.dave, KEYS.stranger], '2.root.json'),
    ],
    [
      'a root that skips a version',
      /Expected version 2/,
      (directory) =>
        forge(directory, '1.root.json', (signed) => (signed.version = 3), [KEYS.alice, KEYS.bob], '2.root.json'),
    ],
    ['other bytes of an image', /Expected (length|hash)/, (directory) => flipImage(directory)],
  ];

  it.each(damages)('refuses %s', async (_, message, damage) => {
    const own = copyWorld(world);
    damage(own.directory);
    await expect(update(own)).rejects.toThrow(message);
  });

  it('refuses to go back', async () => {
    const own = copyWorld(world);
    const directory = scratch();
    await update(own, directory);
    const older = await createWorldAt(TODAY);
    copyFileSync(join(older.directory, 'metadata/timestamp.json'), join(own.directory, 'metadata/timestamp.json'));
    await expect(update(own, directory)).rejects.toThrow(/less than current/);
  });
});

describe('openssl and jq', () => {
  const hasPrograms = ['openssl', 'jq'].every((program) => spawnSync(program, ['version']).error === undefined);

  it.skipIf(!hasPrograms).each(['timestamp.json', '2.snapshot.json', '1.effectivity.json'])('verify %s', (name) => {
    const directory = scratch();
    const file = join(world.directory, 'metadata', name);
    // Canonical JSON of documents without line breaks in strings is what jq writes with sorted keys.
    writeFileSync(join(directory, 'signed'), execFileSync('jq', ['-cSj', '.signed', file]));
    const { keyid, sig } = JSON.parse(readFileSync(file, 'utf8')).signatures[0];
    const holder = name.startsWith('1.effectivity') ? '2.targets.json' : '1.root.json';
    const document = JSON.parse(readFileSync(join(world.directory, 'metadata', holder), 'utf8')).signed;
    const keys = document.keys ?? document.delegations.keys;
    writeFileSync(join(directory, 'key.pem'), keys[keyid].keyval.public);
    writeFileSync(join(directory, 'sig'), Buffer.from(sig, 'hex'));
    const verify = (signed: string) =>
      spawnSync('openssl', ['dgst', '-sha256', '-verify', 'key.pem', '-signature', 'sig', signed], { cwd: directory });
    expect(verify('signed').stdout.toString()).toBe('Verified OK\n');
    writeFileSync(join(directory, 'changed'), `${readFileSync(join(directory, 'signed'), 'utf8')} `);
    expect(verify('changed').status).not.toBe(0);
  });
});

function bump(directory: string, signers: readonly (typeof KEYS)['alice'][]): void {
  forgeChain(
    directory,
    ({ targets, snapshot, timestamp }) => {
      for (const signed of [targets, snapshot, timestamp]) signed.version = 3;
    },
    { targets: signers, online: KEYS.online },
  );
}

function flipImage(directory: string): void {
  const [name] = execFileSync('ls', [join(directory, 'targets/images')], { encoding: 'utf8' }).split('\n');
  writeFileSync(join(directory, 'targets/images', name as string), 'image 2wo');
}

// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  collectedSigner,
  createRepository,
  isStagedSignature,
  nodeFiles,
  signStagedMetadata,
  stageFirstRoot,
  TrustAuthor,
  type FirstRootOptions,
} from '../src/index.ts';
import { content, holders, KEYS, NOW, scratch, SIGNERS, type KeyName } from './support/world.ts';

const TARGET = content('trusted-root.json', 'keys');
const KEYS_OF_ROOT = { root: holders('alice', 'bob', 'carol'), targets: holders('alice', 'bob', 'carol') };
const OPTIONS: FirstRootOptions = {
  keys: KEYS_OF_ROOT,
  online: KEYS.online.publicKey,
  effectivity: KEYS.effectivity.publicKey,
  targets: [TARGET],
  now: NOW,
};

describe('a first root, signed by one holder after the other', () => {
  it('is the one that is written when enough have signed', async () => {
    const directory = join(scratch(), 'repository');
    const initialRoot = await create(directory, ['carol', 'alice']);
    const author = await TrustAuthor.open({ directory, initialRoot, files: nodeFiles });
    expect(author.state).toMatchObject({ rootVersion: 1, targetsVersion: 1 });
    const root = JSON.parse(new TextDecoder().decode(initialRoot)) as { signatures: unknown[] };
    expect(root.signatures).toHaveLength(2);
  });

  it('is not written with too few, and not with other contents than were signed', async () => {
    await expect(create(join(scratch(), 'repository'), ['bob'])).rejects.toMatchObject({ code: 'TR-106' });
    const late = create(join(scratch(), 'repository'), ['alice', 'bob'], { now: NOW + 1_000 });
    await expect(late).rejects.toMatchObject({ code: 'TR-104' });
    const other = create(join(scratch(), 'repository'), ['alice', 'bob'], {
      targets: [content('trusted-root.json', 'other keys')],
    });
    await expect(other).rejects.toMatchObject({ code: 'TR-104' });
  });

  it('knows whose signature is over the staged bytes', async () => {
    const { root, targets } = stageFirstRoot(OPTIONS);
    const signature = await signStagedMetadata(root, KEYS.alice);
    expect(isStagedSignature(KEYS.alice.publicKey, root, signature)).toBe(true);
    expect(isStagedSignature(KEYS.bob.publicKey, root, signature)).toBe(false);
    expect(isStagedSignature(KEYS.alice.publicKey, targets, signature)).toBe(false);
    for (const sig of ['', 'zz', `${signature.sig}00`, signature.sig.toUpperCase()]) {
      expect(isStagedSignature(KEYS.alice.publicKey, root, { ...signature, sig })).toBe(false);
    }
  });
});

async function create(
  directory: string,
  names: readonly KeyName[],
  change: Partial<Pick<FirstRootOptions, 'now'>> & { targets?: (typeof TARGET)[] } = {},
) {
  const staged = stageFirstRoot(OPTIONS);
  const approvers = await Promise.all(
    names.map(async (name) => {
      const signatures = await Promise.all(
        [staged.root, staged.targets].map(async (own) => ({
          staged: own,
          signature: await signStagedMetadata(own, KEYS[name]),
        })),
      );
      return collectedSigner(KEYS[name].publicKey, signatures);
    }),
  );
  const rest = { directory, files: nodeFiles, keys: KEYS_OF_ROOT, approvers, signers: SIGNERS, delegated: [] };
  return createRepository({ ...rest, targets: [TARGET], now: NOW, ...change });
}

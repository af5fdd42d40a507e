// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrustClient } from '@witnessmark/trust';
import { afterEach, describe, expect, it } from 'vitest';
import { TufReleaseSource } from '../src/index.ts';
import { findReleaseInForce } from '../src/release-book.ts';
import { toLineRules } from '../src/rules.ts';
import { PLACE, START } from './support/cast.ts';
import { PRODUCT, signRelease, toManifest, toRule } from './support/release.ts';
import { createTestRepository, type RepositoryContent, type TestRepository } from './support/repository.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

async function open(
  content: Partial<RepositoryContent> = {},
  maxTrustAgeMs = 0,
): Promise<{ readonly repository: TestRepository; readonly source: TufReleaseSource; readonly metadataDir: string }> {
  const repository = await createTestRepository({ now: START, ...content });
  const metadataDir = mkdtempSync(join(tmpdir(), 'wm-tuf-client-'));
  directories.push(repository.directory, metadataDir);
  const { directory: repositoryDir, initialRoot } = repository;
  const client = new TrustClient({ metadataDir, repositoryDir, initialRoot });
  const rules = toLineRules({ ...PLACE, maxTrustAgeMs });
  return { repository, source: new TufReleaseSource({ client, rules }), metadataDir };
}

async function codeInForce(source: TufReleaseSource, now = START): Promise<string> {
  try {
    return findReleaseInForce(await source.current(now), PRODUCT, now).reference.id;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('releases of a TUF repository', () => {
  it('are read with manifest, candidate, approvals, effectivity and trusted root', async () => {
    const { source } = await open();
    const book = await source.current(START);
    expect(book).toMatchObject({ state: { rootVersion: 1 }, effectivity: { line: 'L1' }, trustedRoot: { version: 1 } });
    const { reference, release } = findReleaseInForce(book, PRODUCT, START);
    expect(reference).toMatchObject({ id: 'gw-1.4.0', candidateDigest: { sha256: release.candidateDigest } });
    expect(release.approvals).toHaveLength(2);
    expect((await source.release('gw-1.4.0', START))?.candidateDigest).toBe(release.candidateDigest);
    expect(await source.release('gw-9', START)).toBeNull();
  });

  it('LS-202 without enough people: one approval, one person twice, the author himself', async () => {
    for (const approvers of [['approver'], ['approver', 'approver']] as const) {
      const { source } = await open({ release: await signRelease(toManifest(), approvers) });
      expect(await codeInForce(source)).toBe('LS-202');
    }
  });

  it('LS-202 for a rule whose release was never proposed', async () => {
    expect(await codeInForce((await open({ rules: [toRule({ releaseId: 'gw-9' })] })).source)).toBe('LS-202');
    expect(await codeInForce((await open({ withoutCandidate: true })).source)).toBe('LS-202');
  });

  it('LS-201 when a file of the release has other bytes; the other codes keep working', async () => {
    const { source, repository } = await open();
    const folder = join(repository.directory, 'targets', 'releases');
    const [name] = readdirSync(folder);
    writeFileSync(join(folder, name!), 'something else');
    expect(await codeInForce(source)).toBe('LS-201');
  });

  it('LS-203 as soon as a withdrawal is published and the last reading is too old', async () => {
    const { source, repository } = await open({}, 1000);
    expect(await codeInForce(source)).toBe('gw-1.4.0');
    await repository.publish([toRule()], ['gw-1.4.0'], START);
    expect(await codeInForce(source, START + 999)).toBe('gw-1.4.0');
    expect(await codeInForce(source, START + 1000)).toBe('LS-203');
  });

  it('TR-102 when the metadata ran out, also between two readings', async () => {
    const { source } = await open({}, 3_600_000);
    const { state } = await source.current(START);
    const end = Date.parse(state.timestampExpiresAt);
    await source.current(end - 1);
    await expect(source.current(end)).rejects.toMatchObject({ code: 'TR-102' });
  });

  it('TR-101 A14 when the repository goes back to an older effectivity', async () => {
    const { source, repository, metadataDir } = await open();
    const older = await createTestRepository({ now: START });
    directories.push(older.directory);
    await repository.publish([toRule()], [], START);
    await source.current(START);
    // The same client memory, shown the repository as it was before.
    rmSync(join(repository.directory, 'metadata', 'timestamp.json'));
    cpSync(
      join(older.directory, 'metadata', 'timestamp.json'),
      join(repository.directory, 'metadata', 'timestamp.json'),
    );
    await expect(source.current(START + 1)).rejects.toMatchObject({ code: expect.stringMatching(/^TR-/) as string });
    expect(readdirSync(metadataDir).length).toBeGreaterThan(0);
  });

  it('are found by id before anybody asked which is in force, and after no rule names them any more', async () => {
    const { source, repository } = await open();
    const release = await source.release('gw-1.4.0', START);
    expect(release?.approvals).toHaveLength(2);
    await repository.publish([], [], START);
    expect(await codeInForce(source)).toBe('LS-205');
    expect((await source.release('gw-1.4.0', START))?.candidateDigest).toBe(release?.candidateDigest);
    const lost = await open();
    rmSync(join(lost.repository.directory, 'metadata', 'timestamp.json'));
    expect(await lost.source.release('gw-1.4.0', START)).toBeNull();
  });

  it('are read once for all who ask at the same time', async () => {
    const { source } = await open();
    const books = await Promise.all([1, 2, 3].map(() => source.current(START)));
    expect(new Set(books).size).toBe(1);
  });
});

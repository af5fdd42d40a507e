// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex, type Bytes } from '@witnessmark/core';
import { SoftwareKeyAgreement, type KeyAgreement } from '@witnessmark/custody';
import { openCacheKey, openNodeFileSystem, SealedCache } from '@witnessmark/station';
import type { TargetInfo } from '@witnessmark/trust';

const CLOCK = { now: () => Date.UTC(2027, 2, 4, 12), monotonic: () => 1 };

let folder: string;
let ids = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-cache-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function newId(): string {
  ids += 1;
  return `01950000-0000-7000-8000-${String(ids).padStart(12, '0')}`;
}

function openKey(agreement: KeyAgreement | null = null): ReturnType<typeof openCacheKey> {
  const files = openNodeFileSystem(folder);
  return openCacheKey({ files, name: 'cache-key', path: join(folder, 'cache-key'), agreement });
}

async function openCache(maxBytes = 1_000_000): Promise<SealedCache> {
  const files = openNodeFileSystem(join(folder, 'cache'));
  return SealedCache.open({ files, key: await openKey(), maxBytes, clock: CLOCK, newId });
}

function target(content: Bytes): TargetInfo {
  return { path: 'image.bin', length: content.length, sha256: sha256Hex(content) };
}

function content(number: number, length = 3000): Bytes {
  return new Uint8Array(length).fill(number);
}

function pathOf(bytes: Bytes): string {
  return join(folder, 'cache', `${sha256Hex(bytes)}.sealed`);
}

async function filled(): Promise<{ readonly first: Bytes; readonly second: Bytes }> {
  const [first, second] = [content(1), content(2)];
  const cache = await openCache();
  for (const bytes of [first, second]) await cache.keep(target(bytes), bytes);
  return { first, second };
}

describe('a release cache', () => {
  it('gives back what was kept, in this process and in the next', async () => {
    const { first, second } = await filled();
    const cache = await openCache();
    expect(await cache.read(target(first))).toEqual(first);
    expect(await cache.read(target(second))).toEqual(second);
    expect(await cache.read(target(content(3)))).toBeNull();
  });

  it('A8: what lies on the disk is sealed', async () => {
    const marker = new Uint8Array(randomBytes(64));
    const image = new Uint8Array(5000);
    for (let at = 0; at + 64 <= image.length; at += 64) image.set(marker, at);
    await (await openCache()).keep(target(image), image);
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const bytes = readFileSync(join(file.parentPath, file.name));
      expect(bytes.includes(Buffer.from(marker.subarray(0, 16))), file.name).toBe(false);
    }
  });

  it('A16: the bytes that are returned are the bytes that were opened, whatever becomes of the file', async () => {
    const { first } = await filled();
    const cache = await openCache();
    const bytes = (await cache.read(target(first))) as Bytes;
    writeFileSync(pathOf(first), 'something else');
    expect(sha256Hex(bytes)).toBe(sha256Hex(first));
    await expect(cache.read(target(first))).rejects.toMatchObject({ code: 'LS-323' });
  });

  const damages: readonly (readonly [string, string, (first: Bytes, second: Bytes) => void])[] = [
    ['A15: one bit of the content changed', 'LS-321', (first) => flip(pathOf(first), 200)],
    ['A15: one bit of the header changed', 'LS-321', (first) => flip(pathOf(first), 30)],
    ['A15: two entries exchanged', 'LS-322', (first, second) => copyFileSync(pathOf(second), pathOf(first))],
    ['cut at the end', 'LS-324', (first) => truncateSync(pathOf(first), 900)],
    ['cut in its header', 'LS-324', (first) => truncateSync(pathOf(first), 20)],
    ['a byte longer', 'LS-324', (first) => writeFileSync(pathOf(first), new Uint8Array(1), { flag: 'a' })],
    ['something else altogether', 'LS-323', (first) => writeFileSync(pathOf(first), content(9))],
  ];

  it.each(damages)('%s is named (%s), and left as it is', async (_, code, damage) => {
    const { first, second } = await filled();
    damage(first, second);
    const found = readFileSync(pathOf(first));
    const cache = await openCache();
    await expect(cache.read(target(first))).rejects.toMatchObject({ code });
    expect(readFileSync(pathOf(first)).equals(found)).toBe(true);
    expect((await cache.check()).map(({ refused }) => refused?.code ?? null).sort()).toEqual([code, null].sort());
    expect(await cache.read(target(second))).toEqual(second);
  });

  it('an entry of another station is foreign', async () => {
    const { first } = await filled();
    const sealed = readFileSync(pathOf(first));
    rmSync(join(folder, 'cache'), { recursive: true });
    rmSync(join(folder, 'cache-key'));
    const cache = await openCache();
    await cache.keep(target(content(5)), content(5));
    writeFileSync(pathOf(first), sealed);
    await expect(cache.read(target(first))).rejects.toMatchObject({ code: 'LS-323' });
  });

  it('an entry that was purged, and lies there again, is outdated', async () => {
    const { first } = await filled();
    const sealed = readFileSync(pathOf(first));
    const cache = await openCache();
    const { id } = await cache.purge([{ digest: sha256Hex(first), bytes: 3000, finding: null }], 'order');
    await cache.forgetPurge(id);
    writeFileSync(pathOf(first), sealed);
    await expect((await openCache()).read(target(first))).rejects.toMatchObject({ code: 'LS-325' });
    await cache.keep(target(first), first);
    writeFileSync(pathOf(first), sealed);
    await expect(cache.read(target(first))).rejects.toMatchObject({ code: 'LS-325' });
  });

  it('makes room by the longest unused, on record before it is gone, and never by what is in use', async () => {
    const cache = await openCache(7000);
    const [first, second, third] = [content(1), content(2), content(3)];
    for (const bytes of [first, second]) await cache.keep(target(bytes), bytes);
    const next = await openCache(7000);
    await next.read(target(first));
    await next.keep(target(third), third);
    expect(await next.read(target(second))).toBeNull();
    expect(await next.read(target(first))).toEqual(first);
    expect(next.purges).toMatchObject([{ reason: 'quota', entries: [{ digest: sha256Hex(second), finding: null }] }]);
    await expect(next.keep(target(content(4)), content(4))).rejects.toMatchObject({ code: 'LS-327' });
  });

  it('a purge that was cut off goes on at the next start', async () => {
    const { first } = await filled();
    const sealed = readFileSync(pathOf(first));
    const cache = await openCache();
    await cache.purge([{ digest: sha256Hex(first), bytes: 3000, finding: null }], 'order');
    writeFileSync(pathOf(first), sealed);
    expect(await (await openCache()).read(target(first))).toBeNull();
  });

  it('an index that was changed is named', async () => {
    await filled();
    flip(join(folder, 'cache', 'index.sealed'), 150);
    await expect(openCache()).rejects.toMatchObject({ code: 'LS-321' });
  });
});

describe('the key of a release cache', () => {
  it('is a file for its owner alone, and says so', async () => {
    const key = await openKey();
    expect(key.grade).toBe('file');
    expect(statSync(join(folder, 'cache-key')).mode & 0o777).toBe(0o600);
    expect((await openKey()).id).toBe(key.id);
    chmodSync(join(folder, 'cache-key'), 0o640);
    await expect(openKey()).rejects.toMatchObject({ code: 'LS-326' });
  });

  it('is wrapped for a key pair where there is one, and only that pair opens it', async () => {
    const agreement = new SoftwareKeyAgreement(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const key = await openKey(agreement);
    expect(key.grade).toBe('software');
    expect(readFileSync(join(folder, 'cache-key')).includes(Buffer.from(key.bytes).toString('base64'))).toBe(false);
    expect((await openKey(agreement)).id).toBe(key.id);
    await expect(openKey()).rejects.toMatchObject({ code: 'LS-326' });
    const other = new SoftwareKeyAgreement(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    await expect(openKey(other)).rejects.toMatchObject({ code: 'LS-326' });
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

// SPDX-License-Identifier: Apache-2.0
/** One contract, two file systems: the simulated disk must not drift from the real one. Then what only the simulated one can show. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { openNodeFileSystem, type FileSystem } from '@witnessmark/station';
import { CrashFs, type Fate } from '../src/crash/crash-fs.ts';

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function openReal(): FileSystem {
  const directory = mkdtempSync(join(tmpdir(), 'file-system-'));
  directories.push(directory);
  return openNodeFileSystem(directory);
}

async function write(files: FileSystem, path: string, ...texts: readonly string[]): Promise<void> {
  const file = await files.open(path, 'create');
  for (const text of texts) await file.write(encodeUtf8(text));
  await file.sync();
  await file.close();
}

async function read(files: FileSystem, path: string): Promise<string | null> {
  const bytes = await files.read(path);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

describe.each([
  ['the real disk', openReal],
  ['the simulated disk', () => new CrashFs()],
])('the file system contract on %s', (_, open) => {
  it('reads what was written, in order, and null for what is not there', async () => {
    const files = open();
    await files.makeDirectory('a/b');
    await files.makeDirectory('a/b');
    await write(files, 'a/b/file', 'one ', 'two');
    expect(await read(files, 'a/b/file')).toBe('one two');
    expect(await read(files, 'a/b/other')).toBeNull();
    expect(await files.list('a/b')).toEqual(['file']);
  });

  it('creates anew, appends to what is there, and to nothing', async () => {
    const files = open();
    await write(files, 'file', 'old');
    await write(files, 'file', 'new');
    const file = await files.open('file', 'append');
    await file.write(encodeUtf8('er'));
    await file.close();
    expect(await read(files, 'file')).toBe('newer');
    const other = await files.open('other', 'append');
    await other.write(encodeUtf8('first'));
    await other.close();
    expect(await read(files, 'other')).toBe('first');
  });

  it('renames over what was there, and removes', async () => {
    const files = open();
    await write(files, 'draft', 'new');
    await write(files, 'file', 'old');
    await files.rename('draft', 'file');
    expect([await read(files, 'draft'), await read(files, 'file')]).toEqual([null, 'new']);
    await files.remove('file');
    expect(await read(files, 'file')).toBeNull();
    await files.syncDirectory('.');
  });

  it('rejects renaming and removing what is not there', async () => {
    const files = open();
    await expect(files.rename('nothing', 'file')).rejects.toThrow('ENOENT');
    await expect(files.remove('nothing')).rejects.toThrow('ENOENT');
  });
});

describe('a power cut on the simulated disk', () => {
  const always = (fate: Fate) => (): Fate => fate;

  async function image(files: CrashFs, fate: Fate): Promise<Record<string, string>> {
    const disk = files.cutPower(always(fate));
    return Promise.resolve(
      Object.fromEntries(
        [...disk].map(([path, bytes]: readonly [string, Bytes]) => [path, new TextDecoder().decode(bytes)]),
      ),
    );
  }

  it('loses a file whose name was not synced, though its bytes were', async () => {
    const files = new CrashFs();
    await write(files, 'file', 'text');
    expect(await image(files, 'lost')).toEqual({});
    expect(await image(files, 'kept')).toEqual({ file: 'text' });
    await files.syncDirectory('.');
    expect(await image(files, 'lost')).toEqual({ file: 'text' });
  });

  it('loses, tears or zeroes bytes that were not synced, and never those that were', async () => {
    const files = new CrashFs();
    await write(files, 'file', 'safe');
    await files.syncDirectory('.');
    const file = await files.open('file', 'append');
    await file.write(encodeUtf8('+more'));
    expect(await image(files, 'kept')).toEqual({ file: 'safe+more' });
    expect(await image(files, 'lost')).toEqual({ file: 'safe' });
    expect(await image(files, 'torn')).toEqual({ file: 'safe+m' });
    expect(await image(files, 'zeros')).toEqual({ file: 'safe\0\0\0\0\0' });
    await file.sync();
    expect(await image(files, 'lost')).toEqual({ file: 'safe+more' });
  });

  it('may undo a rename that was not synced', async () => {
    const files = new CrashFs(new Map([['file', encodeUtf8('old')]]));
    await write(files, 'draft', 'new');
    await files.rename('draft', 'file');
    expect(await image(files, 'lost')).toEqual({ file: 'old' });
    await files.syncDirectory('.');
    expect(await image(files, 'lost')).toEqual({ file: 'new' });
  });
});

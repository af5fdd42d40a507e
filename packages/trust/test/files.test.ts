// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { nodeFiles, readFile, replaceFile } from '../src/index.ts';
import { scratch } from './support/world.ts';

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Bytes> {
  for (const text of texts) yield await Promise.resolve(encodeUtf8(text));
}

describe('opening', () => {
  it('reads a file, in pieces, with its length', async () => {
    const path = join(scratch(), 'file');
    const text = 'x'.repeat(600_000);
    writeFileSync(path, text);
    const file = await nodeFiles.open(path);
    expect(file?.length).toBe(600_000);
    let length = 0;
    for await (const chunk of file!.chunks) length += chunk.length;
    expect(length).toBe(600_000);
  });

  it('answers null for what is not there', async () => {
    const directory = scratch();
    writeFileSync(join(directory, 'file'), '');
    for (const name of ['missing', 'missing/file', 'file/below'])
      expect(await nodeFiles.open(join(directory, name))).toBeNull();
  });

  it('A38 refuses links, directories and pipes, and does not wait for them', async () => {
    const directory = scratch();
    writeFileSync(join(directory, 'file'), 'content');
    symlinkSync(join(directory, 'file'), join(directory, 'link'));
    symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
    mkdirSync(join(directory, 'folder'));
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    for (const name of ['link', 'dangling', 'folder', 'pipe']) {
      await expect(nodeFiles.open(join(directory, name))).rejects.toMatchObject({ code: 'ERR_TRUST_FILE' });
    }
    expect((await nodeFiles.list(directory)).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'dangling other',
      'file file',
      'folder directory',
      'link other',
      'pipe other',
    ]);
  });

  it('A16 refuses a file that became a link, or vanished, after it was looked at', async () => {
    const directory = scratch();
    const path = join(directory, 'file');
    writeFileSync(path, 'content');
    const replaced = await nodeFiles.open(path);
    await nodeFiles.remove(path);
    const consume = async (chunks: AsyncIterable<Bytes>): Promise<void> => {
      for await (const chunk of chunks) expect(chunk).toBeUndefined();
    };
    await expect(consume(replaced!.chunks)).rejects.toMatchObject({ code: 'ERR_TRUST_FILE' });
    symlinkSync('/etc/passwd', path);
    writeFileSync(join(directory, 'other'), 'content');
    const other = await nodeFiles.open(join(directory, 'other'));
    await nodeFiles.remove(join(directory, 'other'));
    symlinkSync('/etc/passwd', join(directory, 'other'));
    await expect(consume(other!.chunks)).rejects.toMatchObject({ code: 'ERR_TRUST_FILE' });
  });
});

describe('reading', () => {
  it('takes a file of the stated size, and not one byte more', async () => {
    const path = join(scratch(), 'file');
    writeFileSync(path, '12345');
    expect(await readFile(nodeFiles, path, 5)).toEqual(encodeUtf8('12345'));
    await expect(readFile(nodeFiles, path, 4)).rejects.toMatchObject({ code: 'ERR_TRUST_FILE_TOO_LARGE' });
    expect(await readFile(nodeFiles, `${path}.missing`, 5)).toBeNull();
  });
});

describe('replacing', () => {
  it('leaves the new content and nothing else', async () => {
    const directory = scratch();
    const path = join(directory, 'file');
    await replaceFile(nodeFiles, path, [encodeUtf8('old')]);
    await replaceFile(nodeFiles, path, chunksOf('ne', 'w'));
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect((await nodeFiles.list(directory)).map(({ name }) => name)).toEqual(['file']);
  });

  it('leaves the old content when the new one cannot be had', async () => {
    const path = join(scratch(), 'file');
    await replaceFile(nodeFiles, path, [encodeUtf8('old')]);
    const broken = async function* (): AsyncGenerator<Bytes> {
      yield await Promise.resolve(encodeUtf8('ne'));
      throw new Error('the source broke off');
    };
    await expect(replaceFile(nodeFiles, path, broken())).rejects.toThrow('broke off');
    expect(readFileSync(path, 'utf8')).toBe('old');
  });
});

describe('removing', () => {
  it('takes directories with their content, and succeeds when there is nothing', async () => {
    const directory = join(scratch(), 'a');
    await nodeFiles.makeDirectory(join(directory, 'b/c'));
    await nodeFiles.remove(directory);
    await nodeFiles.remove(directory);
    expect(existsSync(directory)).toBe(false);
    expect(await nodeFiles.list(directory)).toEqual([]);
  });
});

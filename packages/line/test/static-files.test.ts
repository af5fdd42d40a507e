// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPlainPath, openStaticFile } from '../src/static-files.ts';

let directory: string;
let root: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wm-static-'));
  root = join(directory, 'public');
  mkdirSync(join(root, 'tile', '0'), { recursive: true });
  mkdirSync(join(root, '.staging'));
  writeFileSync(join(root, 'tile', '0', '000'), 'tile');
  writeFileSync(join(root, '.staging', '1'), 'unfinished');
  writeFileSync(join(directory, 'secret'), 'secret');
  symlinkSync(join(directory, 'secret'), join(root, 'link'));
  symlinkSync(directory, join(root, 'up'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function read(path: string): Promise<string | null> {
  const file = await openStaticFile(root, path);
  if (file === null) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of file.stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('static files', () => {
  it('are the regular files below the root', async () => {
    expect(await read('tile/0/000')).toBe('tile');
  });

  it.each([
    '../secret',
    'tile/../../secret',
    '/etc/passwd',
    'tile//0/000',
    'tile/0',
    'tile/0/000/more',
    'missing',
    '.staging/1',
    'link',
    'up/secret',
    'tile/0/000\0',
    'tile\\0\\000',
    '',
    '.',
    'a'.repeat(300),
  ])('are not %j', async (path) => {
    expect(await read(path)).toBeNull();
  });

  it('have paths of bounded length', () => {
    expect(isPlainPath('a'.repeat(512))).toBe(true);
    expect(isPlainPath('a'.repeat(513))).toBe(false);
  });

  it('below a root that is a link itself are served', async () => {
    symlinkSync(root, join(directory, 'alias'));
    const file = await openStaticFile(join(directory, 'alias'), 'tile/0/000');
    file?.stream.destroy();
    expect(file?.length).toBe(4);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InstalledTool } from '../src/installed-tool.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

async function open(): Promise<InstalledTool> {
  return InstalledTool.open('flashrom', '/usr/sbin/flashrom', { temporaryDirectory: parent });
}

describe('InstalledTool', () => {
  it('gives a directory that is readable by its owner only, and gone afterwards, also after an error', async () => {
    const tool = await open();
    await tool.withDirectory((directory) => {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      writeFileSync(join(directory, 'image.bin'), 'x');
      return Promise.resolve();
    });
    await expect(tool.withDirectory(() => Promise.reject(new Error('stop')))).rejects.toThrow('stop');
    expect(readdirSync(parent)).toEqual([]);
  });

  it('removes what killed processes left, and nothing else', async () => {
    const ended = spawn('/bin/true');
    await once(ended, 'close');
    const left = `witnessmark-flashrom-${ended.pid}-abcdef`;
    const kept = [
      `witnessmark-flashrom-${process.pid}-abcdef`,
      'witnessmark-flashrom-x',
      `another-${ended.pid}-abcdef`,
    ];
    for (const name of [left, ...kept]) mkdirSync(join(parent, name));
    writeFileSync(join(parent, left, 'image.bin'), 'x');
    symlinkSync(join(parent, 'another'), join(parent, `witnessmark-flashrom-${ended.pid}-symlink`));
    await open();
    expect(readdirSync(parent)).toEqual([...kept, `witnessmark-flashrom-${ended.pid}-symlink`].toSorted());
  });
});

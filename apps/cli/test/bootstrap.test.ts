// SPDX-License-Identifier: Apache-2.0
/** A fresh clone sets itself up, and says in one line what is missing when it cannot. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error -- plain JavaScript that runs before anything is installed
import * as bootstrapModule from '../../../scripts/bootstrap.mjs';
// @ts-expect-error -- plain JavaScript that runs before anything is installed
import * as runtimeModule from '../bin/runtime.mjs';

const { isInstalled } = bootstrapModule as {
  isInstalled: (root: string, options: { development: boolean }) => boolean;
};
const { isSupportedNode } = runtimeModule as { isSupportedNode: (version: string) => boolean };

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-bootstrap-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.each([
  ['20.20.2', false],
  ['22.23.0', false],
  ['24.14.9', false],
  ['24.15.0', true],
  ['24.21.0', true],
  ['25.9.0', false],
  ['26.0.0', true],
  ['27.1.0', true],
])('Node %s: %s', (version, supported) => {
  expect(isSupportedNode(version)).toBe(supported);
});

describe('node_modules against the lock file', () => {
  const LOCKED = { version: '1.0.0', integrity: 'sha512-a' };
  const lock = (packages: object): string => JSON.stringify({ packages });

  function clone(name: string, wanted: object, present: object | null, files: readonly string[]): string {
    const root = join(folder, name);
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, 'package-lock.json'), lock(wanted));
    if (present !== null) writeFileSync(join(root, 'node_modules', '.package-lock.json'), lock(present));
    for (const file of files) mkdirSync(join(root, file), { recursive: true });
    return root;
  }

  it('is complete when every package is there in its version', () => {
    const packages = { '': {}, 'packages/core': {}, 'node_modules/a': LOCKED };
    expect(isInstalled(clone('complete', packages, packages, ['node_modules/a']), { development: true })).toBe(true);
  });

  it('is not when nothing was installed, a package is missing, older, other, or its folder is gone', () => {
    const wanted = { 'node_modules/a': LOCKED };
    const cases: readonly (readonly [string, object | null, readonly string[]])[] = [
      ['fresh', null, []],
      ['missing', {}, []],
      ['older', { 'node_modules/a': { ...LOCKED, version: '0.9.0' } }, ['node_modules/a']],
      ['other', { 'node_modules/a': { ...LOCKED, integrity: 'sha512-b' } }, ['node_modules/a']],
      ['gone', wanted, []],
    ];
    for (const [name, present, files] of cases) {
      expect(isInstalled(clone(name, wanted, present, files), { development: false }), name).toBe(false);
    }
  });

  it("does without other platforms' packages, and for the demo without development packages", () => {
    const wanted = { 'node_modules/b': { ...LOCKED, optional: true }, 'node_modules/c': { ...LOCKED, dev: true } };
    const root = clone('partial', wanted, {}, []);
    expect(isInstalled(root, { development: false })).toBe(true);
    expect(isInstalled(root, { development: true })).toBe(false);
  });
});

describe('npm run demo where it cannot be set up', () => {
  let copy: string;
  beforeAll(() => {
    copy = join(folder, 'copy');
    for (const part of ['scripts', 'apps/cli/bin']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    writeFileSync(
      join(copy, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/a': { version: '1' } } }),
    );
  });

  function runDemo(npm: string | null): { readonly status: number | null; readonly stderr: string } {
    const programs = join(folder, `bin-${String(npm?.length)}`);
    mkdirSync(programs, { recursive: true });
    if (npm !== null) {
      writeFileSync(join(programs, 'npm'), `#!/bin/sh\n${npm}\n`);
      chmodSync(join(programs, 'npm'), 0o755);
    }
    // The shell is found by its own path; nothing else is on the path.
    return spawnSync(process.execPath, [join(copy, 'scripts', 'demo.mjs')], {
      encoding: 'utf8',
      env: { PATH: programs },
    });
  }

  it.each([
    ['npm is missing', null, 2, /npm is missing; install npm/],
    [
      'the registry is not reachable',
      'echo "npm error code ENOTFOUND" >&2; echo "npm error network request to https://registry failed" >&2; exit 1',
      6,
      /packages cannot be fetched \(ENOTFOUND\)/,
    ],
    [
      'the lock file does not fit',
      'echo "npm error code EUSAGE" >&2; echo "npm error" >&2; echo "npm error lock file is out of sync" >&2; exit 1',
      6,
      /npm ci did not succeed: lock file is out of sync/,
    ],
  ])('%s: one line, no stack trace', (_, npm, status, message) => {
    const result = runDemo(npm);
    const complaint = result.stderr.split('\n').filter((line) => line.includes('error'));
    expect(result.status).toBe(status);
    expect(complaint).toHaveLength(1);
    expect(complaint[0]).toMatch(message);
    expect(result.stderr).not.toMatch(/^ +at /m);
  });
});

it('a damaged installation is never a "no": it ends with 70', () => {
  const damaged = join(folder, 'damaged');
  cpSync(dirname(fileURLToPath(new URL('../src/main.ts', import.meta.url))), join(damaged, 'src'), { recursive: true });
  writeFileSync(join(damaged, 'src', 'program.ts'), 'this is not a program');
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(damaged, 'src', 'main.ts'), 'verify', 'x'], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 70, stdout: '' });
  expect(stderr).toMatch(/^witnessmark: error: this is a defect of witnessmark or of its installation/);
});

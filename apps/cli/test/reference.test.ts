// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
// @ts-expect-error -- a script without types
import { referencePages } from '../../../scripts/reference.mjs';
import { VERSION } from '../src/version.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

it('docs/cli.md and docs/errors.md are what the command table and the catalogues say', async () => {
  const pages = (await (referencePages as () => Promise<unknown>)()) as readonly (readonly [string, string])[];
  expect(pages.map(([file]) => file)).toEqual(['docs/cli.md', 'docs/errors.md']);
  for (const [file, text] of pages) {
    expect(readFileSync(`${ROOT}${file}`, 'utf8') === text, `${file} is out of date: run scripts/reference.mjs`).toBe(
      true,
    );
  }
});

it('every ERR_ code thrown anywhere is in the catalogue', async () => {
  const { ERROR_CATALOGUE } = await import('../src/error-catalogue.ts');
  const { globSync } = await import('node:fs');
  const files = globSync(['packages/*/src/**/error.ts', 'apps/*/src/error.ts'], { cwd: ROOT });
  const codes = files.flatMap((file) => readFileSync(`${ROOT}${file}`, 'utf8').match(/\bERR_[A-Z0-9_]+/g) ?? []);
  expect(codes.filter((code) => !Object.hasOwn(ERROR_CATALOGUE, code))).toEqual([]);
});

it('the version is the one of package.json', () => {
  const manifest = JSON.parse(readFileSync(`${ROOT}apps/cli/package.json`, 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
});

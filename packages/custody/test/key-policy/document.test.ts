// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { KEY_POLICIES, keyPolicy } from '@witnessmark/custody';
import { expect, it } from 'vitest';
import { KEY_DOCUMENT_PATH, keyDocument } from '../support/key-document.ts';

it('docs/keys.md is what the key policy says', async () => {
  expect(readFileSync(KEY_DOCUMENT_PATH, 'utf8')).toBe(await keyDocument());
});

it('names every key once, on its token', () => {
  const names = KEY_POLICIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const onHsm = KEY_POLICIES.filter(({ token }) => token === 'hsm');
  expect(new Set(onHsm.map(({ label }) => label)).size).toBe(onHsm.length);
  expect(new Set(onHsm.map(({ id }) => id)).size).toBe(onHsm.length);
});

it('knows its own names only', () => {
  expect(keyPolicy('line-evidence').label).toBe('line-evidence');
  expect(() => keyPolicy('another')).toThrow(TypeError);
});

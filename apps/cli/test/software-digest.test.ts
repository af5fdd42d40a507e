// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { softwareDigest } from '../src/software-digest.ts';

const ROOT = new URL('../../../', import.meta.url);
/** It stands in for cards in rehearsals and in the demo, and signs nothing that is kept. */
const LEFT_OUT = new Set(['piv-card']);

describe('softwareDigest', () => {
  it('A19: covers every package that the program runs', () => {
    const text = readFileSync(new URL('apps/cli/src/software-digest.ts', ROOT), 'utf8');
    const covered = [...text.matchAll(/^  '@witnessmark\/([\w-]+)',$/gm)].map(([, name]) => name);
    const packages = readdirSync(new URL('packages/', ROOT)).filter((name) => !LEFT_OUT.has(name));
    expect(covered.sort()).toEqual(packages.sort());
    expect(softwareDigest()).toMatch(/^[0-9a-f]{64}$/);
  });
});

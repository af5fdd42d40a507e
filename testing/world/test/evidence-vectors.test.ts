// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeVectorFiles, VECTOR_CASES } from '../src/evidence/index.ts';

const FOLDER = join(import.meta.dirname, '../../../vectors/evidence');

describe('vectors/evidence', () => {
  it('are what the generator makes, byte for byte', async () => {
    const made = await makeVectorFiles();
    const stored = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath !== FOLDER)
      .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length + 1));
    expect(stored.sort()).toEqual([...made.keys()].sort());
    for (const [path, bytes] of made) expect(readFileSync(join(FOLDER, path)).equals(bytes), path).toBe(true);
  });

  it('have names of their own that tell the verdict', () => {
    expect(new Set(VECTOR_CASES.map(({ name }) => name)).size).toBe(VECTOR_CASES.length);
    for (const { name, verdict } of VECTOR_CASES) {
      const suffix = { VERIFIED: '', FAILED: '_fail', 'NOT VERIFIED': '_unverified' }[verdict];
      expect(name).toMatch(new RegExp(`^[a-z0-9-]+${suffix}$`));
    }
  });
});

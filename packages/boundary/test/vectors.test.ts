// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { readFiles, toFiles } from '../../../vectors/vector-case.ts';
import { BytesSource, openMedium, readArchive } from '../src/index.ts';
import { codeOf } from './support/code-of.ts';
import { ARCHIVE_VECTORS, VECTOR_LIMITS } from './vectors/archives.ts';

function digests(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...files].map(([path, content]) => [path, sha256Hex(content)]));
}

async function read(input: Uint8Array): Promise<void> {
  for await (const member of readArchive(new BytesSource(input), VECTOR_LIMITS))
    expect(member.path).not.toContain('..');
}

describe('A38: archive vectors', () => {
  it('are committed as generated', () => {
    // Compared by digest: a difference would otherwise be printed byte by byte.
    expect(digests(readFiles('archive'))).toEqual(digests(toFiles(ARCHIVE_VECTORS)));
  });

  it.each(ARCHIVE_VECTORS.cases)('$name: $why', async ({ input, expectation }) => {
    const code = await codeOf(() => read(input));
    expect(code).toBe(expectation.verdict === 'accepted' ? null : expectation.code);
  });

  it('write nothing beside them, whatever they hold', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wm-archive-'));
    for (const [index, { input, fileName }] of ARCHIVE_VECTORS.cases.entries()) {
      const path = join(directory, `${index}-${fileName}`);
      writeFileSync(path, input);
      await codeOf(async () => {
        const medium = await openMedium(path, { limits: VECTOR_LIMITS });
        try {
          for await (const member of medium.members()) expect(member.path).not.toBe('');
        } finally {
          await medium.close();
        }
      });
    }
    expect(readdirSync(directory)).toHaveLength(ARCHIVE_VECTORS.cases.length);
  });
});

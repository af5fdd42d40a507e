// SPDX-License-Identifier: Apache-2.0
/** The vectors of scripts, made as committed and judged as they say; and what the pages show is true. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, RefusedError } from '@witnessmark/core';
import { parseScript } from '@witnessmark/ceremony';
import { readFiles, toFiles, VECTORS_DIRECTORY } from '../../../vectors/vector-case.ts';
import { SCRIPT_VECTORS } from './vectors/script.ts';

describe('vectors/ceremony-script', () => {
  it('is what its generator makes', () => {
    expect(readFiles('ceremony-script')).toEqual(toFiles(SCRIPT_VECTORS));
  });

  it.each(SCRIPT_VECTORS.cases.map((vector) => [vector.name, vector] as const))(
    '%s',
    (_name, { input, expectation }) => {
      let code: string | null = null;
      try {
        parseScript(Uint8Array.from(input));
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        ({ code } = error);
      }
      expect(code).toBe(expectation.verdict === 'accepted' ? null : expectation.code);
    },
  );
});

describe('spec/ceremony-script.md', () => {
  it('shows a script that is one', () => {
    const page = readFileSync(join(VECTORS_DIRECTORY, '../spec/ceremony-script.md'), 'utf8');
    const [example = ''] = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, block]) => block);
    expect(parseScript(encodeUtf8(example)).script.steps).toHaveLength(2);
  });
});

// SPDX-License-Identifier: Apache-2.0
/** What the pages of core's formats show is true: their examples are vectors, their recipe runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeBase64, encodeUtf8, parseStrictJson } from '@witnessmark/core';
import { VECTORS_DIRECTORY } from '../../../vectors/vector-case.ts';
import { codeOf } from './expect-code.ts';
import { fixedP256 } from './fixed-keys.ts';

const SPEC_DIRECTORY = join(VECTORS_DIRECTORY, '../spec');

/** The fenced blocks of a page, in order. */
function blocksOf(page: string): string[] {
  const text = readFileSync(join(SPEC_DIRECTORY, page), 'utf8');
  return Array.from(text.matchAll(/^```\w*\n(.*?)^```$/gms), ([, block = '']) => block);
}

const hasTools = ['openssl', 'jq'].every((program) => spawnSync(program, ['--version']).error === undefined);

describe('spec/strict-json.md', () => {
  it('shows what is refused and what is read', () => {
    const lines = blocksOf('strict-json.md')[0]!.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const [json = '', verdict] = line.split(/ {2,}/);
      const code = codeOf(() => parseStrictJson(encodeUtf8(json)));
      expect(verdict).toBe(code === undefined ? 'read' : `refused: ${code}`);
    }
  });
});

describe('spec/dsse-profile.md', () => {
  const [example = '', recipe = ''] = blocksOf('dsse-profile.md');

  it('shows a vector', () => {
    const vector = readFileSync(join(VECTORS_DIRECTORY, 'dsse/two-of-three/input.json'), 'utf8');
    expect(JSON.parse(example)).toEqual(JSON.parse(vector));
  });

  describe.skipIf(!hasTools)('needs openssl and jq: its recipe', () => {
    const run = (envelope: string): { status: number | null; stdout: string } => {
      const directory = mkdtempSync(join(tmpdir(), 'witnessmark-recipe-'));
      try {
        const { spki } = fixedP256('vectors/dsse/alice').publicKey;
        const pem = `-----BEGIN PUBLIC KEY-----\n${encodeBase64(spki)}\n-----END PUBLIC KEY-----\n`;
        const canonicalPem = execFileSync('openssl', ['pkey', '-pubin'], { input: pem });
        writeFileSync(join(directory, 'station.pem'), canonicalPem);
        writeFileSync(join(directory, 'envelope.json'), envelope);
        return spawnSync('bash', ['-e', '-c', recipe], { cwd: directory, encoding: 'utf8' });
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    };

    it('accepts the example', () => {
      expect(run(example)).toMatchObject({ status: 0, stdout: 'Verified OK\n' });
    });

    it('refuses a changed payload and another payload type', () => {
      for (const damaged of [example.replace('eyJf', 'eyJg'), example.replace('in-toto', 'in-tot0')]) {
        expect(run(damaged)).toMatchObject({ status: 1 });
      }
    });
  });
});

// SPDX-License-Identifier: Apache-2.0
/** Every vector of tlog's formats: made as committed, and judged as it says. */
import { decodeUtf8, parseNoteVerifierKey } from '@witnessmark/core';
import { openCheckpoint, parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import { describe, expect, it } from 'vitest';
import { readFiles, toFiles } from '../../../vectors/vector-case.ts';
import { codeOf } from '../../core/test/expect-code.ts';
import { CHECKPOINT_VECTORS } from './vectors/checkpoint.ts';
import { LOG_PROOF_VECTORS } from './vectors/log-proof.ts';

type Files = ReadonlyMap<string, Uint8Array>;

const readLogKey = (files: Files, format: string) =>
  parseNoteVerifierKey(JSON.parse(decodeUtf8(files.get(`${format}/given.json`)!)).verifierKey);

function judgeCheckpoint(input: Uint8Array, files: Files): void {
  openCheckpoint(input, readLogKey(files, 'checkpoint'));
}

function judgeLogProof(input: Uint8Array, files: Files): void {
  verifyLogProof(files.get('log-proof/entry')!, parseLogProof(decodeUtf8(input)), readLogKey(files, 'log-proof'));
}

describe.each([
  [CHECKPOINT_VECTORS, judgeCheckpoint],
  [LOG_PROOF_VECTORS, judgeLogProof],
] as const)('vectors: $format', (vectors, judge) => {
  const committed = readFiles(vectors.format);

  it('are what their generator makes', () => {
    expect(committed).toEqual(toFiles(vectors));
  });

  it.each(vectors.cases)('$name', ({ name, fileName }) => {
    const path = `${vectors.format}/${name}`;
    const expected = JSON.parse(decodeUtf8(committed.get(`${path}/expect.json`)!));
    expect(codeOf(() => judge(committed.get(`${path}/${fileName}`)!, committed))).toBe(expected.code);
    expect(expected.verdict).toBe(name.endsWith('_fail') ? 'refused' : 'accepted');
  });
});

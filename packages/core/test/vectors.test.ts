// SPDX-License-Identifier: Apache-2.0
/** Every vector of core's formats: made as committed, and judged as it says. */
import {
  decodeBase64,
  decodeUtf8,
  parseEnvelope,
  parseNote,
  parseNoteVerifierKey,
  parsePublicKey,
  parsePublicKeyPem,
  parseStrictJson,
  verifyEnvelope,
  verifyNote,
} from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { readFiles, toFiles, type VectorFormat } from '../../../vectors/vector-case.ts';
import { codeOf } from './expect-code.ts';
import { DSSE_VECTORS } from './vectors/dsse.ts';
import { JSON_VECTORS } from './vectors/json.ts';
import { NOTE_VECTORS } from './vectors/note.ts';
import { PUBLIC_KEY_VECTORS } from './vectors/public-key.ts';

type Judge = (input: Uint8Array, fileName: string) => void;

interface GivenKeys {
  readonly keys: readonly { readonly spki: string }[];
  readonly threshold: number;
  readonly payloadType: string;
}

function readGiven(format: string): unknown {
  return JSON.parse(decodeUtf8(readFiles(format).get(`${format}/given.json`)!));
}

function judgeJson(input: Uint8Array): void {
  parseStrictJson(input);
}

function judgeEnvelope(input: Uint8Array): void {
  const { keys, threshold, payloadType } = readGiven('dsse') as GivenKeys;
  const trusted = keys.map(({ spki }) => parsePublicKey(decodeBase64(spki)));
  verifyEnvelope(parseEnvelope(input), { keys: trusted, threshold, payloadType });
}

function judgeNote(input: Uint8Array): void {
  verifyNote(
    parseNote(input),
    (readGiven('note') as { verifierKeys: readonly string[] }).verifierKeys.map(parseNoteVerifierKey),
  );
}

function judgePublicKey(input: Uint8Array, fileName: string): void {
  if (fileName === 'input.der') parsePublicKey(input);
  else if (fileName === 'input.pem') parsePublicKeyPem(decodeUtf8(input));
  else parseNoteVerifierKey(decodeUtf8(input));
}

describe.each<[VectorFormat, Judge]>([
  [JSON_VECTORS, judgeJson],
  [DSSE_VECTORS, judgeEnvelope],
  [NOTE_VECTORS, judgeNote],
  [PUBLIC_KEY_VECTORS, judgePublicKey],
])('vectors: $format', (vectors, judge) => {
  const committed = readFiles(vectors.format);

  it('are what their generator makes', () => {
    expect(committed).toEqual(toFiles(vectors));
  });

  it.each(vectors.cases)('$name', ({ name, fileName }) => {
    const path = `${vectors.format}/${name}`;
    const expected = JSON.parse(decodeUtf8(committed.get(`${path}/expect.json`)!));
    expect(codeOf(() => judge(committed.get(`${path}/${fileName}`)!, fileName))).toBe(expected.code);
    expect(expected.verdict).toBe(name.endsWith('_fail') ? 'refused' : 'accepted');
  });
});

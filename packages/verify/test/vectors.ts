// SPDX-License-Identifier: Apache-2.0
/** Reads `vectors/evidence` as anybody else would: from its files alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseInstant, type Bytes, type Instant } from '@witnessmark/core';
import type { TrustInput } from '@witnessmark/verify';
import type { VectorExpectation } from '../../../testing/world/src/evidence/index.ts';

const FOLDER = join(import.meta.dirname, '../../../vectors/evidence');

export interface Vector {
  readonly name: string;
  readonly expected: VectorExpectation;
  readonly evidence: Bytes;
  readonly trust: TrustInput;
  readonly time: Instant;
}

export const VECTORS: readonly Vector[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== '_trust')
  .map(({ name }) => readVector(name));

export function findVector(name: string): Vector {
  const vector = VECTORS.find((candidate) => candidate.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return vector;
}

function readVector(name: string): Vector {
  const expected = JSON.parse(readFileSync(join(FOLDER, name, 'expect.json'), 'utf8')) as VectorExpectation;
  return {
    name,
    expected,
    evidence: readBytes(name, expected.file),
    trust: {
      trustedRoot: readBytes('_trust', expected.trustedRoot),
      policy: readBytes('_trust', expected.policy),
    },
    time: parseInstant(expected.time),
  };
}

function readBytes(folder: string, file: string): Bytes {
  return new Uint8Array(readFileSync(join(FOLDER, folder, file)));
}

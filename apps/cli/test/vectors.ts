// SPDX-License-Identifier: Apache-2.0
/** The evidence vectors as arguments of the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../vectors/evidence');

interface Expectation {
  readonly file: string;
  readonly trustedRoot: string;
  readonly policy: string;
  readonly time: string;
  readonly verdict: 'VERIFIED' | 'FAILED' | 'NOT VERIFIED';
  readonly code: string | null;
}

export interface VectorArguments {
  readonly name: string;
  readonly file: string;
  /** `--trust`, `--policy` and `--time` with their values. */
  readonly judging: readonly string[];
  readonly verdict: Expectation['verdict'];
  readonly code: string | null;
}

/** One vector for each verdict and code; what the verifier says about all of them is its own package's test. */
export function listVectors(): readonly VectorArguments[] {
  const vectors = readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== '_trust')
    .map(({ name }) => readVector(name));
  const chosen = new Map(vectors.toReversed().map((vector) => [`${vector.verdict} ${vector.code ?? ''}`, vector]));
  return [...chosen.values()].toReversed();
}

export function readVector(name: string): VectorArguments {
  const expected = JSON.parse(readFileSync(join(FOLDER, name, 'expect.json'), 'utf8')) as Expectation;
  const trust = (file: string): string => join(FOLDER, '_trust', file);
  return {
    name,
    file: join(FOLDER, name, expected.file),
    judging: ['--trust', trust(expected.trustedRoot), '--policy', trust(expected.policy), '--time', expected.time],
    verdict: expected.verdict,
    code: expected.code,
  };
}

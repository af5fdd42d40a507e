// SPDX-License-Identifier: Apache-2.0
/** The vectors of `vectors/evidence`: one defect each, and their good twins (spec/verification.md). */
import { encodeUtf8, formatInstant, type Bytes } from '@witnessmark/core';
import { formatTrustedRoot } from '@witnessmark/attestation';
import { unitEvidenceFileName } from '@witnessmark/bundle';
import { formatPolicy } from '@witnessmark/verify';
import {
  CALENDAR,
  PRODUCTION_POLICY,
  STRICT_POLICY,
  testTrustedRoot,
  TRIAL_POLICY,
  WITNESSED_POLICY,
} from '../cast.ts';
import { BREAK_GLASS_CASES } from './break-glass-cases.ts';
import { CUSTODY_CASES } from './custody-cases.ts';
import { FILE_CASES } from './file-cases.ts';
import { GOOD_CASES } from './good-cases.ts';
import { HISTORY_CASES } from './history-cases.ts';
import { LABEL_CASES } from './label-cases.ts';
import { LOG_CASES } from './log-cases.ts';
import { OFFLINE_CASES } from './offline-cases.ts';
import { RELEASE_CASES } from './release-cases.ts';
import { SIGNATURE_CASES } from './signature-cases.ts';
import { UNIT_CASES } from './unit-cases.ts';
import type { VectorCase } from './scene.ts';

export const VECTOR_CASES: readonly VectorCase[] = [
  ...GOOD_CASES,
  ...FILE_CASES,
  ...SIGNATURE_CASES,
  ...LOG_CASES,
  ...HISTORY_CASES,
  ...RELEASE_CASES,
  ...UNIT_CASES,
  ...CUSTODY_CASES,
  ...BREAK_GLASS_CASES,
  ...OFFLINE_CASES,
  ...LABEL_CASES,
];

/** What `expect.json` holds. */
export interface VectorExpectation {
  readonly file: string;
  readonly trustedRoot: string;
  readonly policy: string;
  readonly time: string;
  readonly verdict: VectorCase['verdict'];
  readonly code: VectorCase['code'];
}

/** Every file under `vectors/evidence`, by its path there. */
export async function makeVectorFiles(): Promise<ReadonlyMap<string, Bytes>> {
  const files = new Map(makeTrustFiles());
  for (const vector of VECTOR_CASES) {
    const { serial, bytes } = await vector.make();
    const file = vector.fileName ?? unitEvidenceFileName(serial);
    const expectation: VectorExpectation = {
      file,
      trustedRoot: vector.trustedRoot ?? 'trusted-root.json',
      policy: vector.policy ?? 'production-policy.json',
      time: formatInstant(CALENDAR.checkedAt),
      verdict: vector.verdict,
      code: vector.code,
    };
    files.set(`${vector.name}/${file}`, bytes);
    files.set(`${vector.name}/README`, encodeUtf8(`${vector.why}\n`));
    files.set(`${vector.name}/expect.json`, toPrettyJson(expectation));
  }
  return files;
}

/** The verifier's side: one trusted root for all, one that cannot be used, and three policies. */
function makeTrustFiles(): readonly (readonly [string, Bytes])[] {
  const root = testTrustedRoot();
  const [key] = root.keys;
  const oneKeyTwice = { ...root, keys: [...root.keys, { ...key!, owner: 'somebody else' }] };
  const documents = [
    ['trusted-root.json', formatTrustedRoot(root)],
    ['trusted-root-one-key-twice.json', formatTrustedRoot(oneKeyTwice)],
    ['production-policy.json', formatPolicy(PRODUCTION_POLICY)],
    ['trial-policy.json', formatPolicy(TRIAL_POLICY)],
    ['witnessed-policy.json', formatPolicy(WITNESSED_POLICY)],
    ['strict-policy.json', formatPolicy(STRICT_POLICY)],
  ] as const;
  return documents.map(([name, bytes]) => [
    `_trust/${name}`,
    toPrettyJson(JSON.parse(new TextDecoder().decode(bytes))),
  ]);
}

function toPrettyJson(value: unknown): Bytes {
  return encodeUtf8(`${JSON.stringify(value, null, 2)}\n`);
}

// SPDX-License-Identifier: Apache-2.0
/** What the pages about verification say is what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import { parseTrustedRoot, toTrustedKeys, toTrustedNoteKeys } from '@witnessmark/attestation';
import { UNIT_EVIDENCE_LIMITS } from '@witnessmark/bundle';
import { inspectBundle, parsePolicy } from '@witnessmark/verify';
import { PRODUCTION_POLICY } from '../../../testing/world/src/evidence/index.ts';
import { VECTORS } from './vectors.ts';

function readPage(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../../spec', name), 'utf8');
}

function firstJson(page: string): Uint8Array {
  return encodeUtf8(/^```json\n(.*?)^```$/ms.exec(page)?.[1] ?? '');
}

describe('spec/verification.md', () => {
  const rows = Array.from(
    readPage('verification.md').matchAll(/^\| ([a-z -]+?) +\|.*\| +(EV-[^|]*?) +\|$/gm),
    (row) => ({
      name: row[1] as string,
      codes: (row[2] as string).split(', '),
    }),
  );

  it('lists every check, in order', () => {
    const [vector] = VECTORS;
    const { checks } = inspectBundle({ ...vector!, ...vector!.trust });
    expect(rows.map(({ name }) => name)).toEqual(checks.map(({ name }) => name));
  });

  it('gives each check the codes that vectors show it to have', () => {
    const seen = new Map<string, Set<string>>();
    for (const { evidence, trust, time, expected } of VECTORS) {
      const { checks } = inspectBundle({ evidence, ...trust, time, fileName: expected.file });
      for (const { name, code } of checks) {
        if (code !== undefined) seen.set(name, (seen.get(name) ?? new Set()).add(code));
      }
    }
    for (const { name, codes } of rows) {
      const shown = [...(seen.get(name) ?? [])];
      expect(
        shown.filter((code) => !codes.includes(code)),
        name,
      ).toEqual([]);
      expect(
        codes.filter((code) => !shown.includes(code)),
        name,
      ).toEqual([]);
    }
  });
});

describe('the examples', () => {
  it('of spec/policy.md is a policy', () => {
    expect(parsePolicy(firstJson(readPage('policy.md')))).toEqual(PRODUCTION_POLICY);
  });

  it('of spec/trusted-root.md is a trusted root', () => {
    const root = parseTrustedRoot(firstJson(readPage('trusted-root.md')));
    expect(toTrustedKeys(root)[0]).toMatchObject({ role: 'station', owner: 'ST-07' });
    expect(toTrustedNoteKeys(root, 'logs')).toHaveLength(1);
    expect(toTrustedNoteKeys(root, 'witnesses')).toHaveLength(1);
  });

  it('and the limits of spec/unit-evidence.md are those of the code', () => {
    const page = readPage('unit-evidence.md');
    const { maxEntries, maxReleases, maxApprovals, maxProofLength, maxBytes } = UNIT_EVIDENCE_LIMITS;
    expect(page).toMatch(new RegExp(`\\| entries +\\| ${maxEntries.toLocaleString('en')} +\\|`));
    expect(page).toMatch(new RegExp(`\\| releases +\\| ${maxReleases} +\\|`));
    expect(page).toMatch(new RegExp(`\\| approvals of a release +\\| ${maxApprovals} +\\|`));
    expect(page).toMatch(new RegExp(`\\| characters of a proof +\\| ${maxProofLength.toLocaleString('en')} +\\|`));
    expect(page).toMatch(new RegExp(`\\| bytes +\\| ${maxBytes / 1024 / 1024} MiB +\\|`));
  });
});

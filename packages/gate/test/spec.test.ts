// SPDX-License-Identifier: Apache-2.0
/** What the pages of the gate's formats show is true: documents parse, digests are those of the examples they name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatEffectivity,
  formatReleaseManifest,
  parseEffectivity,
  parseReleaseManifest,
  counterException,
  gateRefusal,
  keyEnrolment,
  parseStatement,
  releaseApproval,
  releaseCandidate,
  releaseWithdrawal,
  trustApproval,
  trustChange,
} from '@witnessmark/attestation';
import { encodeUtf8, isReasonCode, parseStrictJson, sha256Hex, type Bytes } from '@witnessmark/core';
import { buildSampleImage } from '@witnessmark/device';
import { describe, expect, it } from 'vitest';

const SPEC_DIRECTORY = join(import.meta.dirname, '../../../spec');

/** The JSON examples of a page, in order, as compact JSON. */
function examplesOf(page: string): readonly Bytes[] {
  const text = readFileSync(join(SPEC_DIRECTORY, page), 'utf8');
  return Array.from(text.matchAll(/^```json\n(.*?)^```$/gms), ([, block = '']) =>
    encodeUtf8(JSON.stringify(parseStrictJson(encodeUtf8(block)))),
  );
}

const [manifest] = examplesOf('release-manifest.md') as [Bytes];
/** The page leaves the manifest out, which stands on its own page. */
const candidate = encodeUtf8(
  new TextDecoder()
    .decode(examplesOf('release-candidate.md')[0])
    .replace('"manifest":{}', `"manifest":${new TextDecoder().decode(manifest)}`),
);

describe('the examples', () => {
  it('of spec/release-manifest.md is a manifest, written as we write it, of a sample image', () => {
    const parsed = parseReleaseManifest(manifest);
    expect(formatReleaseManifest(parsed)).toEqual(manifest);
    const image = buildSampleImage({ version: '4.2.1', securityCounter: 13, seed: 'spec' });
    expect(parsed.components[0]).toMatchObject({ sha256: sha256Hex(image), length: image.length });
  });

  it('of spec/effectivity.md is an effectivity, written as we write it', () => {
    const [example] = examplesOf('effectivity.md') as [Bytes];
    expect(formatEffectivity(parseEffectivity(example))).toEqual(example);
  });

  it('of spec/release-candidate.md proposes that manifest and that rule', () => {
    const { subject, predicate } = parseStatement(releaseCandidate, candidate);
    expect(subject[0].digest.sha256).toBe(sha256Hex(manifest));
    const [effectivity] = examplesOf('effectivity.md') as [Bytes];
    expect(parseEffectivity(effectivity).rules[0]).toEqual(predicate.effectivity);
  });

  it('of spec/release-approval.md approves that candidate and withdraws that manifest', () => {
    const [approval, withdrawal] = examplesOf('release-approval.md') as [Bytes, Bytes];
    expect(parseStatement(releaseApproval, approval).subject[0].digest.sha256).toBe(sha256Hex(candidate));
    expect(parseStatement(releaseWithdrawal, withdrawal).subject[0].digest.sha256).toBe(sha256Hex(manifest));
  });
});

describe('the examples of statements about the office itself', () => {
  it('parse as what they are', () => {
    const [change, approval, enrolment] = examplesOf('trust-change.md') as [Bytes, Bytes, Bytes];
    expect(parseStatement(trustChange, change).predicate).toMatchObject({ changeId: 'T-0007' });
    expect(parseStatement(trustApproval, approval).predicate).toMatchObject({ decision: 'approve' });
    expect(parseStatement(keyEnrolment, enrolment).predicate).toMatchObject({ owner: 'e.novak' });
    const [refusal] = examplesOf('gate-refusal.md') as [Bytes];
    expect(parseStatement(gateRefusal, refusal).predicate).toMatchObject({ code: 'PL-101', count: 1 });
    const [exception] = examplesOf('counter-exception.md') as [Bytes];
    expect(parseStatement(counterException, exception).predicate).toMatchObject({ allowed: 13 });
  });
});

describe('the codes', () => {
  it.each([
    ...['trust-repository', 'release-manifest', 'effectivity', 'release-candidate', 'release-approval'],
    ...['trust-change', 'gate-refusal', 'counter-exception'],
  ])('of spec/%s.md are in the catalogue', (page) => {
    const text = readFileSync(join(SPEC_DIRECTORY, `${page}.md`), 'utf8');
    const codes = Array.from(text.matchAll(/`([A-Z]{2}-\d{2,3})`/g), ([, code = '']) => code);
    expect(codes.filter((code) => !isReasonCode(code))).toEqual([]);
  });
});
